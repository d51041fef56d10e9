import { describe, expect, it } from "vitest";
import { brake } from "../../../../src/domain/brake.js";

describe("brake", () => {
  it.each([
    [0, 0],
    [10, 10],
    [11, 37],
    [300, 1_000],
  ])("lets %i deletions of %i mirrors pass", (unwanted, mirrors) => {
    expect(brake(unwanted, mirrors, 0)).toEqual({ kind: "open" });
  });

  it.each([
    [11, 11],
    [11, 36],
    [301, 1_000],
    [10_000, 10_000],
  ])("blocks %i deletions of %i mirrors", (unwanted, mirrors) => {
    expect(brake(unwanted, mirrors, 0)).toEqual({ kind: "blocked", unwanted, mirrors });
  });

  it("lets as many pass as a person said, and not one more", () => {
    expect(brake(500, 1_000, 500)).toEqual({ kind: "open" });
    expect(brake(501, 1_000, 500).kind).toBe("blocked");
    expect(brake(10_000, 10_000, Infinity)).toEqual({ kind: "open" });
  });
});
