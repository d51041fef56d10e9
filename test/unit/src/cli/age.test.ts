import { describe, expect, it } from "vitest";
import { ageAt, ageText } from "../../../../src/cli/age.js";

describe("ageText", () => {
  it.each([
    [0, "0s"],
    [0.9, "0s"],
    [40, "40s"],
    [90, "1m30s"],
    [660, "11m"],
    [7_200, "2h"],
    [7_260, "2h1m"],
    [93_600, "1d2h"],
    [1_000_000, "11d"],
    [-5, "0s"],
  ])("writes %d seconds as kubectl would", (seconds, text) => {
    expect(ageText(seconds)).toBe(text);
  });
});

describe("ageAt", () => {
  it("is undefined when there is no moment", () => {
    expect(ageAt(undefined, "2024-01-15T10:30:45Z")).toBeUndefined();
  });
});
