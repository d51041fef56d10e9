import { describe, expect, it } from "vitest";
import { withTwoDashes } from "../../../../src/cli/arguments.js";

const NAMES = new Set(["src-context", "output", "link"]);

describe("withTwoDashes", () => {
  it("gives a known long flag its second dash, with its value or before it", () => {
    expect(withTwoDashes(["-src-context", "a", "-link=b"], NAMES)).toEqual([
      "--src-context",
      "a",
      "--link=b",
    ]);
  });

  it("leaves two dashes, short flags, values and unknown names alone", () => {
    const args = ["--src-context", "-o", "-owide", "wide", "-unknown", "-A", "-", "src-context"];

    expect(withTwoDashes(args, NAMES)).toEqual(args);
  });

  it("leaves alone what follows a bare --", () => {
    expect(withTwoDashes(["-link", "a", "--", "-link"], NAMES)).toEqual([
      "--link",
      "a",
      "--",
      "-link",
    ]);
  });

  it("keeps a value of several lines whole", () => {
    expect(withTwoDashes(["-link=a\nb"], NAMES)).toEqual(["--link=a\nb"]);
  });
});
