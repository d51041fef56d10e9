import { describe, expect, it } from "vitest";
import { decodeDebt, encodeDebt } from "../../../../sidecar/debts/debt.js";
import { BookUnreadable } from "../../../../sidecar/ledger/record.js";

describe("encodeDebt", () => {
  it("comes back as it went, with and without words for people", () => {
    const debt = { code: "too-large", sinceMs: 5, sourceRevision: 9n, detail: undefined } as const;
    const told = { ...debt, detail: "1,600,000 of 1,500,000 bytes" };

    expect(encodeDebt(told).toString()).toBe("1 too-large 5 9 1,600,000 of 1,500,000 bytes");
    expect([debt, told].map((one) => decodeDebt(encodeDebt(one)))).toEqual([debt, told]);
  });

  it.each(["", "1 nonsense 5 9", "2 too-large 5 9", "1 too-large x 9"])("refuses %j", (text) => {
    expect(() => decodeDebt(Buffer.from(text))).toThrow(BookUnreadable);
  });
});
