import { describe, expect, it } from "vitest";
import { RIGHTS } from "../../../../src/domain/rights.js";

describe("the table of rights", () => {
  it("names no object where it lets create, which RBAC could not hold to it", () => {
    expect(RIGHTS.filter(({ verbs, names }) => verbs.includes("create") && names)).toEqual([]);
  });

  it("says of every right what it is good for", () => {
    expect(RIGHTS.filter(({ why }) => why === "")).toEqual([]);
  });
});
