import { describe, expect, it } from "vitest";
import { isMassDeletion } from "../../../../sidecar/brake/brake.js";

describe("isMassDeletion", () => {
  it.each([
    [10, 10, false],
    [11, 11, true],
    [11, 100, false],
    [30, 100, false],
    [31, 100, true],
    [300_000, 1_000_000, false],
    [300_001, 1_000_000, true],
  ])("%i of %i: %s", (deletions, owned, expected) => {
    expect(isMassDeletion(deletions, owned)).toBe(expected);
  });
});
