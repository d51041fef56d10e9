import { describe, expect, it } from "vitest";
import { RIGHTS } from "../../../../src/domain/rights.js";

describe("the table of rights", () => {
  it("names no object where it lets create, which RBAC could not hold to it", () => {
    const named = RIGHTS.filter(({ verbs, names }) => verbs.includes("create") && names);

    // But for subresources: the path of the request has the name there.
    expect(named.map(({ resource }) => resource)).toEqual(["serviceaccounts/token"]);
  });

  it("says of every right what it is good for", () => {
    expect(RIGHTS.filter(({ why }) => why === "")).toEqual([]);
  });
});
