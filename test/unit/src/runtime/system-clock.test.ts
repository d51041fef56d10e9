import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SystemClock } from "../../../../src/runtime/system-clock.js";

describe("SystemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

  it("sleeps as long as it is told", async () => {
    const woken: string[] = [];
    const sleep = new SystemClock()
      .sleep(100, new AbortController().signal)
      .then(() => void woken.push("woken"));

    await vi.advanceTimersByTimeAsync(99);
    expect(woken).toEqual([]);

    await vi.advanceTimersByTimeAsync(1);
    await sleep;
    expect(woken).toEqual(["woken"]);
  });

  it("wakes every sleeper at once when the signal aborts, and leaves no timer", async () => {
    const clock = new SystemClock();
    const controller = new AbortController();
    const sleeps = Array.from({ length: 1_000 }, () => clock.sleep(60_000, controller.signal));

    controller.abort();

    await expect(Promise.all(sleeps)).resolves.toHaveLength(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not sleep at all on a signal that has aborted", async () => {
    await new SystemClock().sleep(60_000, AbortSignal.abort());

    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps one listener on a signal for any number of sleepers, and none when all have woken", async () => {
    const clock = new SystemClock();
    const { signal } = new AbortController();

    const sleeps = Array.from({ length: 1_000 }, () => clock.sleep(100, signal));
    expect(listeners(signal)).toBe(1);

    await vi.advanceTimersByTimeAsync(100);
    await Promise.all(sleeps);
    expect(listeners(signal)).toBe(0);
  });

  it("wakes only those who sleep on the signal that aborts", async () => {
    const clock = new SystemClock();
    const [one, other] = [new AbortController(), new AbortController()];
    const sleep = clock.sleep(60_000, one.signal);
    const otherSleep = clock.sleep(60_000, other.signal);

    one.abort();
    await sleep;
    expect(vi.getTimerCount()).toBe(1);

    other.abort();
    await otherSleep;
  });

  it("does not take a delay beyond a timer's reach for none", async () => {
    const controller = new AbortController();
    let isWoken = false;
    const sleep = new SystemClock()
      .sleep(Number.POSITIVE_INFINITY, controller.signal)
      .then(() => (isWoken = true));

    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(isWoken).toBe(false);

    controller.abort();
    await sleep;
  });

  it("measures with a clock of its own and tells the wall clock's time", () => {
    const clock = new SystemClock();
    const before = { wall: clock.now(), monotonic: clock.monotonicMs() };

    vi.setSystemTime(before.wall + 3_600_000);

    expect(clock.now()).toBe(before.wall + 3_600_000);
    expect(clock.monotonicMs() - before.monotonic).toBeLessThan(3_600_000);
  });
});
