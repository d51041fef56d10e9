import { describe, expect, it } from "vitest";
import type { Clock } from "../../../../src/ports/clock.js";
import { Breather } from "../../../../src/reconcile/breather.js";
import { settle } from "../../../fakes/settle.js";

/** A clock by which work takes time, and the event loop turns when the test says so. */
function breatherBed() {
  let nowMs = 0;
  const sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        sleepers.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
  const stop = new AbortController();
  const breather = new Breather(clock);
  const turn = async (): Promise<void> => {
    for (const wake of sleepers.splice(0)) wake();
    await settle();
  };
  const pauseAfter = (workMs: number): Promise<void> | undefined => {
    nowMs += workMs;
    return breather.pause(stop.signal);
  };
  return { stop, turn, pauseAfter };
}

describe("Breather", () => {
  it("asks for no pause while work has held the event loop for less than 10 ms", () => {
    const { pauseAfter } = breatherBed();

    const pauses = [pauseAfter(0), pauseAfter(5), pauseAfter(4.9)];

    expect(pauses).toEqual([undefined, undefined, undefined]);
  });

  it("lets all who ask wait for the same turn of the event loop after that", async () => {
    const { pauseAfter, turn } = breatherBed();
    expect(pauseAfter(0)).toBeUndefined();

    const pauses = [pauseAfter(10), pauseAfter(0)];

    expect(pauses[0]).toBeInstanceOf(Promise);
    expect(pauses[1]).toBe(pauses[0]);
    await turn();
    await pauses[0];
    expect(pauseAfter(0)).toBeUndefined();
  });

  it("asks for no pause when the event loop has turned meanwhile, however long ago work began", async () => {
    const { pauseAfter, turn } = breatherBed();
    expect(pauseAfter(0)).toBeUndefined();

    await turn();

    expect(pauseAfter(1_000)).toBeUndefined();
  });

  it("holds up nobody who has to stop", async () => {
    const { pauseAfter, stop } = breatherBed();
    expect(pauseAfter(0)).toBeUndefined();
    const pause = pauseAfter(10);

    stop.abort();

    await expect(pause).resolves.toBeUndefined();
  });
});
