import { describe, expect, it } from "vitest";
import { DEFAULT_ROTATION, whyNotRotatable } from "../../../certs/rotation-settings.js";

describe("whyNotRotatable", () => {
  it("finds nothing wrong with the defaults", () => {
    expect(whyNotRotatable(DEFAULT_ROTATION)).toBeUndefined();
  });

  it.each([
    [
      "a leaf must be renewed at least one overlap and a pause before its end",
      { leafRenewBeforeMs: DEFAULT_ROTATION.overlapMs },
    ],
    [
      "a leaf would be renewed as soon as it is made",
      { leafValidityMs: DEFAULT_ROTATION.leafRenewBeforeMs },
    ],
    [
      "a CA must be renewed at least two overlaps and two pauses before its end",
      { caRenewBeforeMs: 2 * DEFAULT_ROTATION.overlapMs },
    ],
    [
      "a CA would be renewed as soon as it is made",
      { caValidityMs: DEFAULT_ROTATION.caRenewBeforeMs },
    ],
  ])("says that %s", (why, settings) => {
    expect(whyNotRotatable({ ...DEFAULT_ROTATION, ...settings })).toBe(why);
  });
});
