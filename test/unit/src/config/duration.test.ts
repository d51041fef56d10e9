import { describe, expect, it } from "vitest";
import { durationText, parseDuration } from "../../../../src/config/duration.js";

describe("parseDuration", () => {
  it.each([
    ["15s", 15_000],
    ["500ms", 500],
    ["1m", 60_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["0.25s", 250],
    ["0", 0],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toEqual({ kind: "ok", value: ms });
  });

  it.each([
    ["15", "has no unit"],
    ["", "is not a duration"],
    ["-1s", "is not a duration"],
    ["1 s", "is not a duration"],
    ["5d", "is not a duration"],
    ["0.1ms", "is finer than a millisecond"],
  ])("refuses %s", (text, reason) => {
    expect(parseDuration(text)).toEqual({ kind: "invalid", reason });
  });
});

describe("durationText", () => {
  it.each([[0], [1], [999], [15_000], [90_000], [5_400_001]])(
    "writes %d ms so that it reads back",
    (ms) => {
      expect(parseDuration(durationText(ms))).toEqual({ kind: "ok", value: ms });
    },
  );

  it("uses the largest units", () => {
    expect(durationText(90_000)).toBe("1m30s");
  });
});
