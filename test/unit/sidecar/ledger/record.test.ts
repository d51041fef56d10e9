import { describe, expect, it } from "vitest";
import {
  BookUnreadable,
  decodeBatch,
  decodeRecord,
  encodeBatch,
  encodeRecord,
  type LedgerRecord,
} from "../../../../sidecar/ledger/record.js";

const RECORD: LedgerRecord = {
  sourceRevision: 18_446n,
  epoch: "1.3fa9c1e2",
  rule: 2,
  via: "etcd",
  sourceUid: "a-uid",
  destinationUid: "a-uid",
  destinationRevision: undefined,
  owners: [],
};

describe("encodeRecord", () => {
  it("is one line that a person can read, and short when both uids are one", () => {
    expect(encodeRecord(RECORD).toString()).toBe("1 18446 1.3fa9c1e2 2 - a-uid =");
  });

  it("names the destination's uid, its revision and the API where they are told", () => {
    const record = { ...RECORD, via: "api", destinationUid: "b", destinationRevision: 7n } as const;

    expect(encodeRecord(record).toString()).toBe("1 18446 1.3fa9c1e2 2 a a-uid b 7");
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  it("keeps the owners, whatever their names hold", () => {
    const record = { ...RECORD, owners: ["widgets.io/w/shop/a", "roles/shop/b, c"] };

    expect(encodeRecord(record).toString()).toBe(
      "1 18446 1.3fa9c1e2 2 - a-uid = - widgets.io%2Fw%2Fshop%2Fa,roles%2Fshop%2Fb%2C%20c",
    );
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  it("comes back as it went, objects without uids too", () => {
    const record = { ...RECORD, sourceUid: "", destinationUid: "" };

    expect(decodeRecord(encodeRecord(RECORD))).toEqual(RECORD);
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  it.each([
    "",
    "2 1 e 0 - a =",
    "1 x e 0 - a =",
    "1 1 e 0 - a",
    "1 1 e -1 - a =",
    "1 1 e 0 - a = z",
  ])("refuses %j", (text) => {
    expect(() => decodeRecord(Buffer.from(text))).toThrow(BookUnreadable);
  });
});

describe("encodeBatch", () => {
  it("keeps each path with its record, whatever stands in a name", () => {
    const entries = [
      { path: "configmaps/shop/web", record: RECORD },
      { path: "roles/shop/read all\nof it", record: { ...RECORD, destinationUid: "" } },
    ];

    expect(decodeBatch(encodeBatch(entries))).toEqual(entries);
  });

  it("refuses a batch without paths", () => {
    expect(() => decodeBatch(Buffer.from("1 1 e 0 - a ="))).toThrow(BookUnreadable);
  });
});
