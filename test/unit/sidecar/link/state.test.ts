import { describe, expect, it } from "vitest";
import { BookUnreadable } from "../../../../sidecar/ledger/record.js";
import { decodeState, encodeState, type LinkState } from "../../../../sidecar/link/state.js";

const STATE: LinkState = {
  phase: "copy",
  applied: 9_007_199_254_740_993n,
  pass: { cause: "first", startRevision: 41n, lastPath: "configmaps/shop/web" },
  sourceClusterId: "14841639068965178418",
  destinationClusterId: "1",
  history: 1,
  rulesHash: "abc",
  epoch: "1.abc",
  rulesSinceMs: undefined,
  sealed: undefined,
  writtenAtMs: 5,
  verifiedAtMs: undefined,
};

describe("encodeState", () => {
  it("comes back as it went, revisions above 2^53 too", () => {
    const sealed = {
      ...STATE,
      phase: "sealed",
      pass: undefined,
      sealed: { by: "jane", atMs: 7 },
    } as const;

    expect(decodeState(encodeState(STATE))).toEqual(STATE);
    expect(decodeState(encodeState(sealed))).toEqual(sealed);
  });

  it("refuses another format: a newer version wrote it, and guessing would be worse than stopping", () => {
    const newer = Buffer.from(encodeState(STATE).toString().replace('Version":1', 'Version":2'));

    expect(() => decodeState(newer)).toThrow(BookUnreadable);
    expect(() => decodeState(Buffer.from("{"))).toThrow(BookUnreadable);
  });
});
