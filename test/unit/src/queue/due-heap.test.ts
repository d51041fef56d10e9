import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DueHeap } from "../../../../src/queue/due-heap.js";

const element = (dueMs: number) => ({ dueMs, heapIndex: -1 });

describe("DueHeap", () => {
  it("gives its elements in the order of their times, whichever of them left before", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.array(fc.nat(50)), (times, leavers) => {
        const heap = new DueHeap<{ dueMs: number; heapIndex: number }>();
        const elements = times.map(element);
        for (const one of elements) heap.push(one);
        const gone = new Set(leavers.flatMap((index) => elements[index] ?? []));
        for (const one of gone) heap.remove(one);

        const order: number[] = [];
        for (let first = heap.first; first !== undefined; first = heap.first) {
          heap.remove(first);
          order.push(first.dueMs);
        }

        const expected = elements.filter((one) => !gone.has(one)).map((one) => one.dueMs);
        expect(order).toEqual(expected.toSorted((a, b) => a - b));
        expect(elements.every((one) => one.heapIndex === -1)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
