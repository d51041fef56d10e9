import { describe, expect, it } from "vitest";
import { LowWaterMark } from "../../../../sidecar/writer/low-water-mark.js";

describe("LowWaterMark", () => {
  it("stands below the oldest change that is not done, and jumps when that is", () => {
    const mark = new LowWaterMark(10n, 0);
    const [first, second] = [mark.begin(11n, 0), mark.begin(13n, 0)];
    mark.readUpTo(15n);

    mark.done(second);
    const before = mark.mark;
    mark.done(first);

    expect([before, mark.mark]).toEqual([10n, 15n]);
  });

  it("never passes what was not read, though all is done", () => {
    const mark = new LowWaterMark(10n, 0);

    mark.done(mark.begin(11n, 0));

    expect(mark.mark).toBe(10n);
  });

  it("tells the age of the oldest change, and 0 when there is none", () => {
    const mark = new LowWaterMark(0n, 0);
    const ticket = mark.begin(1n, 1_000);

    const waiting = mark.lagMs(1_250);
    mark.done(ticket);

    expect([waiting, mark.lagMs(9_999)]).toEqual([250, 0]);
  });

  it("tells the age of the source's last word once that is older than an answer takes", () => {
    const mark = new LowWaterMark(0n, 0);
    mark.heard(1_000);

    const lags = [11_000, 16_000, 61_000].map((nowMs) => mark.lagMs(nowMs));
    mark.heard(61_500);

    expect([...lags, mark.lagMs(62_000)]).toEqual([0, 0, 60_000, 0]);
  });
});
