import { describe, expect, it } from "vitest";
import { answerWithinMs } from "../../../webhook/time-left.js";

describe("answerWithinMs", () => {
  it.each([
    ["2s", 1_500],
    ["10s", 9_500],
    ["1s", 500],
    ["500ms", 250],
    ["1.5s", 1_000],
    ["1s250ms", 750],
  ])("answers %s half a second earlier, or in half of a short time", (timeout, ms) => {
    expect(answerWithinMs(timeout)).toBe(ms);
  });

  it.each(["1m0s", "31s", "99999s"])(
    "knows no time longer than the longest there is: %s",
    (long) => {
      expect(answerWithinMs(long)).toBe(29_500);
    },
  );

  it.each([undefined, "", "0s", "-1s", "soon", "1e9s", ["1s", "2s"], {}, "9".repeat(1_000)])(
    "takes the default where there is none that can be read: %j",
    (timeout) => {
      expect(answerWithinMs(timeout)).toBe(9_500);
    },
  );
});
