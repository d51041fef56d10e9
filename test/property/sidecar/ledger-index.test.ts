import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LedgerIndex, type Known } from "../../../sidecar/ledger/index.js";

const known: fc.Arbitrary<Known> = fc.record({
  sourceRevision: fc.bigInt({ min: 0n, max: 2n ** 53n }),
  destinationRevision: fc.bigInt({ min: 0n, max: 2n ** 53n }),
  rule: fc.integer({ min: 0, max: 60_000 }),
  isCurrent: fc.boolean(),
  isComparable: fc.boolean(),
  via: fc.constantFrom("etcd" as const, "api" as const),
  content: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
});
const path = fc.integer({ min: 0, max: 3_000 }).map((at) => `configmaps/shop/c${at}`);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(path, known) },
  { weight: 2, arbitrary: fc.tuple(path, fc.constant(undefined)) },
);

describe("LedgerIndex", () => {
  it("answers as a Map would, whatever is set and deleted", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4_000, size: "max" }), (steps) => {
        const index = new LedgerIndex();
        const model = new Map<string, Known>();

        for (const [at, value] of steps) {
          if (value === undefined) {
            index.delete(at);
            model.delete(at);
          } else {
            index.set(at, value);
            model.set(at, value);
          }
        }

        expect(index.size).toBe(model.size);
        for (const [at] of steps) expect(index.get(at)).toEqual(model.get(at));
      }),
      { numRuns: 20 },
    );
  });

  it("takes 32 bytes for each place, so a million objects fit into 64 MB", () => {
    const index = new LedgerIndex();
    const one = { sourceRevision: 1n, destinationRevision: 1n, rule: 0, content: 7 };
    const flags = { isCurrent: true, isComparable: true, via: "etcd" } as const;

    for (let at = 0; at < 100_000; at += 1)
      index.set(`configmaps/shop/c${at}`, { ...one, ...flags });

    expect(index.size).toBe(100_000);
    expect(index.bytes).toBe(131_072 * 32);
  });
});
