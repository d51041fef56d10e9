import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../../sidecar/ledger/record.js";
import type { EtcdStore } from "../../fakes/etcd-store.js";
import { BooksBed, told } from "../../fixtures/books-bed.js";

const RUNS = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 5_000 : 300;
const FOREVER = new AbortController().signal;
const DAY_MS = 24 * 3_600_000;

const PATHS = ["a", "b", "c", "d"].map((name) => `configmaps/shop/${name}`);
const UIDS = ["uid-a", "uid-b"];

const path = fc.constantFrom(...PATHS);
const uid = fc.constantFrom(...UIDS);
const record: fc.Arbitrary<Partial<LedgerRecord>> = fc.record({
  epoch: fc.constantFrom("1.0123456789", "1.other", "2.0123456789"),
  rule: fc.integer({ min: 0, max: 2 }),
  via: fc.constantFrom("etcd" as const, "api" as const),
  destinationRevision: fc.constantFrom(undefined, 3n),
  owners: fc.subarray(PATHS),
});

/** What holders, their etcd and time do while a process stands by. */
type Step =
  | { readonly kind: "record"; readonly path: string; readonly record: Partial<LedgerRecord> }
  | { readonly kind: "batch"; readonly paths: readonly string[] }
  | { readonly kind: "owe" | "remove" | "pay"; readonly path: string }
  | { readonly kind: "gone"; readonly uid: string; readonly agoMs: number }
  | { readonly kind: "forget"; readonly uid: string }
  | { readonly kind: "state"; readonly history: number }
  | { readonly kind: "fold" | "compact" | "cut" | "outage" | "backup" | "restore" | "succeed" }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("record" as const), path, record }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("owe" as const, "remove" as const, "pay" as const),
      path,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("gone" as const),
      uid,
      agoMs: fc.constantFrom(0, 31 * DAY_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), uid }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      paths: fc.subarray(PATHS, { minLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("state" as const),
      history: fc.constantFrom(1, 1, 1, 2),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(["fold", "compact", "cut", "outage", "backup", "restore", "succeed"] as const),
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(300, 3_000)),
    }),
  },
);

/** One story of the books of a link. */
class Story {
  readonly bed = new BooksBed();
  #backup: EtcdStore | undefined;
  /** No two values are the same, as in etcd no two transactions are. */
  #values = 100n;
  #batches = 0;

  async run(one: Step): Promise<void> {
    const { bed } = this;
    const { keys, etcd } = bed;
    switch (one.kind) {
      case "record":
        return bed.record(one.path, { ...one.record, sourceRevision: (this.#values += 1n) });
      case "batch":
        return bed.batch((this.#batches += 1), one.paths);
      case "owe":
        return bed.owe(one.path);
      case "pay":
        return bed.delete(keys.debt(one.path));
      case "remove":
        return bed.delete(keys.own(one.path));
      case "gone":
        return bed.gone(one.uid, one.agoMs);
      case "forget":
        return bed.delete(keys.gone(one.uid));
      case "state":
        return bed.state({ history: one.history, applied: (this.#values += 1n) });
      case "fold":
        return bed.fold();
      case "succeed":
        await bed.delete(keys.fence);
        return bed.hold(`holder-${(this.#values += 1n)}`);
      case "compact":
        if (etcd.store.compacted < etcd.store.revision) {
          await etcd.compact(etcd.store.revision, { signal: FOREVER });
        }
        return;
      case "cut":
        etcd.cutWatches();
        return;
      case "outage":
        return this.#outage();
      case "backup":
        this.#backup = etcd.backup();
        return;
      case "restore":
        return this.#outage(() => this.#backup && etcd.restore(this.#backup));
      case "wait":
        return bed.clock.advance(one.ms);
    }
  }

  /** Long enough for every request that is on its way to fail. */
  async #outage(meanwhile: () => void = () => undefined): Promise<void> {
    const { etcd, clock } = this.bed;
    etcd.setOutage(true);
    await clock.advance(50);
    meanwhile();
    etcd.setOutage(false);
  }
}

describe("Standby", () => {
  it("never hands over other books than would be read, whatever happened, and mostly has some", async () => {
    let handedOver = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const story = new Story();
        const { bed } = story;
        await bed.standBy();
        for (const one of steps) await story.run(one);

        const { followed, read } = await bed.takeOver();

        if (followed === undefined) return;
        handedOver += 1;
        const names = { paths: PATHS, uids: UIDS };
        expect(await told(followed, names)).toEqual(await told(read, names));
      }),
      { numRuns: RUNS },
    );
    expect(handedOver).toBeGreaterThan(RUNS / 3);
  });
});
