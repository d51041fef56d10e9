import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { TimerHeap } from "../../fakes/timer-heap.js";

describe("TimerHeap", () => {
  it("gives back in order whatever went in, without the cancelled ones", () => {
    const random = new SeededRandom(7);
    const heap = new TimerHeap();
    const timers = Array.from({ length: 500 }, () => heap.add(random.int(0, 50), () => undefined));
    const cancelled = timers.filter(() => random.chance(0.3));

    for (const timer of cancelled) heap.cancel(timer);
    const size = heap.size;
    const taken = Array.from({ length: size }, () => heap.take());

    const left = timers.filter((timer) => !cancelled.includes(timer));
    expect(taken).toEqual(left.toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order));
    expect(heap.take()).toBeUndefined();
    expect(heap.size).toBe(0);
  });

  it("counts right when one is cancelled after it was taken", () => {
    const heap = new TimerHeap();
    const timer = heap.add(1, () => undefined);
    heap.take();

    heap.cancel(timer);
    heap.add(2, () => undefined);

    expect(heap.size).toBe(1);
  });
});
