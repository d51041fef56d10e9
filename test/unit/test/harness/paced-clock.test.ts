import { describe, expect, it } from "vitest";
import { PacedClock } from "../../../harness/paced-clock.js";

const HOUR_MS = 3_600_000;

describe("PacedClock", () => {
  it("ends a sleep that has begun sooner when it goes faster, and not before its time has passed", async () => {
    const clock = new PacedClock();
    const beganMs = clock.monotonicMs();
    const asleep = clock.sleep(HOUR_MS, new AbortController().signal);

    clock.goBy(1_000_000);
    await asleep;

    expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(HOUR_MS);
  });

  it("ends a sleep at once when its signal aborts, at any pace", async () => {
    const clock = new PacedClock();
    const stop = new AbortController();
    clock.goBy(2);
    const beganMs = clock.monotonicMs();
    const asleep = clock.sleep(HOUR_MS, stop.signal);

    stop.abort();
    await asleep;

    expect(clock.monotonicMs() - beganMs).toBeLessThan(HOUR_MS);
  });

  it("goes on from where it is when the pace changes, and both of its times go alike", () => {
    const clock = new PacedClock();
    clock.goBy(1_000_000);
    const before = { now: clock.now(), monotonicMs: clock.monotonicMs() };

    clock.goBy(1);
    const after = { now: clock.now(), monotonicMs: clock.monotonicMs() };

    expect(after.now).toBeGreaterThanOrEqual(before.now);
    expect(after.monotonicMs).toBeGreaterThanOrEqual(before.monotonicMs);
    expect(after.now - Date.now()).toBeGreaterThan(0);
  });
});
