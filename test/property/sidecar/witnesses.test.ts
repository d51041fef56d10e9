import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Witnesses } from "../../../sidecar/ledger/witnesses.js";
import { askedBy } from "../../fixtures/books-bed.js";

/** Those that are asked. */
const ASKED = 64;
/** Paths, of which 256 are kept. */
const PATHS = 400;

const path = fc.integer({ min: 0, max: PATHS - 1 }).map((at) => `configmaps/shop/c${at}`);
const revision = fc.bigInt({ min: 1n, max: 500n });
/** Path and new revision; undefined: it goes. Now more come, now more go. */
const steps = fc
  .constantFrom(1, 5, 9)
  .chain((coming) =>
    fc.array(
      fc.tuple(
        path,
        fc.oneof(
          { weight: coming, arbitrary: revision },
          { weight: 10 - coming, arbitrary: fc.constant(undefined) },
        ),
      ),
      { maxLength: 1_500, size: "max" },
    ),
  );
const phases = fc.array(steps, { maxLength: 4 });

describe("Witnesses", () => {
  it("ask the newest of all, whatever comes and goes, or say that they are not enough", async () => {
    let enough = 0;
    await fc.assert(
      fc.asyncProperty(phases, async (all) => {
        const witnesses = new Witnesses();
        const model = new Map<string, bigint>();

        for (const [at, made] of all.flat()) {
          witnesses.delete(at);
          model.delete(at);
          if (made === undefined) continue;
          witnesses.add(at, made);
          model.set(at, made);
        }

        const newest = [...model].toSorted(
          ([a, one], [b, other]) => Number(one - other) || (a < b ? -1 : 1),
        );
        if (!witnesses.areEnough) return;
        enough += 1;
        expect(await askedBy(witnesses)).toEqual(newest.slice(-ASKED).map(([at]) => at));
        expect(witnesses.newestRevision).toBe(newest.at(-1)?.[1] ?? 0n);
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect(enough).toBeGreaterThan(0);
  });
});
