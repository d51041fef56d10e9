import { describe, expect, it } from "vitest";
import { settle } from "../../fakes/settle.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";

const NEVER = new AbortController().signal;

describe("VirtualClock", () => {
  it("moves only when it is told to", async () => {
    const clock = new VirtualClock();
    const before = clock.now();

    await clock.advance(1500);

    expect(clock.monotonicMs()).toBe(1500);
    expect(clock.now() - before).toBe(1500);
  });

  it("wakes in the order of due time, then of registration", async () => {
    const clock = new VirtualClock();
    const woken: string[] = [];
    for (const [name, ms] of [
      ["late", 20],
      ["first", 10],
      ["second", 10],
      ["now", 0],
    ] as const) {
      void clock.sleep(ms, NEVER).then(() => woken.push(`${name} ${clock.monotonicMs()}`));
    }

    await clock.advance(20);

    expect(woken).toEqual(["now 0", "first 10", "second 10", "late 20"]);
  });

  it("lets what follows from one waking happen before the next", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const chain = async (): Promise<void> => {
      await clock.sleep(10, NEVER);
      await Promise.resolve();
      await clock.sleep(5, NEVER);
      seen.push(clock.monotonicMs());
    };
    void chain();
    void clock.sleep(16, NEVER).then(() => seen.push(clock.monotonicMs()));

    await clock.advance(16);

    expect(seen).toEqual([15, 16]);
  });

  it("does not resolve a sleep of 0 in the same tick", async () => {
    const clock = new VirtualClock();
    let woken = false;
    void clock.sleep(0, NEVER).then(() => {
      woken = true;
    });

    await settle();

    expect(woken).toBe(false);
  });

  it("resolves a sleep whose signal aborts, and forgets it", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleep = clock.sleep(1000, controller.signal);

    controller.abort();
    await sleep;

    expect(clock.pending).toBe(0);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("resolves a sleep whose signal was aborted before", async () => {
    const clock = new VirtualClock();

    await clock.sleep(1000, AbortSignal.abort());

    expect(clock.pending).toBe(0);
  });

  it("stops where the condition holds", async () => {
    const clock = new VirtualClock();
    let count = 0;
    const tick = async (): Promise<void> => {
      await clock.sleep(10, NEVER);
      count += 1;
      return tick();
    };
    void tick();

    await clock.runUntil(() => count === 3);

    expect(clock.monotonicMs()).toBe(30);
  });

  it("says when nothing is left that could make the condition hold", async () => {
    const run = new VirtualClock().runUntil(() => false);

    await expect(run).rejects.toThrow("nobody waits");
  });

  it("says when the condition does not hold within the limit", async () => {
    const clock = new VirtualClock();
    clock.schedule(2000, () => undefined);

    await expect(clock.runUntil(() => false, 1000)).rejects.toThrow("1000 ms");
  });

  it("does not run what was cancelled, whether it is next or not", async () => {
    const clock = new VirtualClock();
    const ran: number[] = [];
    const cancels = [1, 2, 3].map((ms) => clock.schedule(ms, () => ran.push(ms)));

    cancels[0]?.();
    cancels[2]?.();
    await clock.advance(10);

    expect(ran).toEqual([2]);
    expect(clock.pending).toBe(0);
  });
});
