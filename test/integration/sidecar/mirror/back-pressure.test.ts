import { describe, expect, it, onTestFinished } from "vitest";
import type { EtcdCallOptions, Txn, TxnResult } from "../../../../sidecar/etcd/etcd.js";
import { SystemClock } from "../../../../src/runtime/system-clock.js";
import { ProcessEtcd } from "../../../fakes/process-etcd.js";
import { LABELLED } from "../../../fixtures/mirror-bed.js";
import { heldBytes } from "../../../harness/held-bytes.js";
import { MirrorPair, put } from "../../../harness/mirror-pair.js";
import { waitFor } from "../../../harness/wait-for.js";

const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
const EVENTS = FULL ? 1_000_000 : 50_000;
/** 50 MB in the short form; the long one has to stay below the quota of 2 GiB, with the history of every key. */
const DATA_BYTES = FULL ? 400 : 1_000;
/** In one transaction of the source: etcd's limit is 128. */
const AT_ONCE = 100;
const MIB = 1024 * 1024;
/** Of events that wait, whatever their number: what gRPC reads ahead, and 64 writes under way. */
const MAX_HELD_BYTES = 16 * MIB;
/** A namespace's worth of different keys, so that the source itself stays small. */
const KEYS = 1_000;
const YES = { labels: { mirror: "yes" } };
const SIGNAL = new AbortController().signal;

/** An etcd whose transactions do not come through for a while; everything else does, so that the fence is kept. */
class Held extends ProcessEtcd {
  #gate: PromiseWithResolvers<void> | undefined;
  /** Transactions that wait. */
  waiting = 0;

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  override async txn(txn: Txn, call: EtcdCallOptions): Promise<TxnResult> {
    this.waiting += 1;
    await this.#gate?.promise;
    this.waiting -= 1;
    return super.txn(txn, call);
  }
}

describe("a mirror whose destination stands still", () => {
  it(
    `holds next to nothing of ${EVENTS} events that wait behind, keeps the fence, and goes on when it can`,
    { timeout: FULL ? 600_000 : 60_000 },
    async () => {
      const pair = await MirrorPair.start();
      onTestFinished(() => pair.stop());
      const destination = new Held(pair.destination, new SystemClock(), 0);
      onTestFinished(() => destination.release());
      await pair.put("namespaces/shop", YES);
      await pair.put("configmaps/shop/first", YES);
      const { mirror } = await pair.follow({ rules: LABELLED, destination });

      destination.hold();
      const full = Array.from({ length: AT_ONCE }, (_, at) => put(`configmaps/shop/c${at}`, YES));
      const blocking = await pair.write(pair.source, ...full);
      await waitFor(() => destination.waiting >= 64, { what: "a writer that is full" });
      const before = await heldBytes();
      // What no rule takes waits like the rest until its turn comes, and costs the test no writes then.
      for (let at = 0; at < EVENTS; at += AT_ONCE) {
        const some = Array.from({ length: AT_ONCE }, (_, offset) =>
          put(`configmaps/shop/other-${(at + offset) % KEYS}`, { data: "x".repeat(DATA_BYTES) }),
        );
        await pair.write(pair.source, ...some);
      }
      const { revision } = await pair.source.revision({ signal: SIGNAL });
      const held = (await heldBytes()) - before;
      const { fence, revisionRead = 0n, lagMs } = mirror.status;

      expect(held).toBeLessThan(MAX_HELD_BYTES);
      expect(revision - blocking).toBe(BigInt(EVENTS / AT_ONCE));
      expect(revisionRead).toBeLessThan(blocking);
      expect(lagMs).toBeGreaterThan(0);
      expect(fence.held).toBe(true);

      destination.release();
      await pair.put("configmaps/shop/last", YES);
      await waitFor(async () => (await pair.objects()).has("configmaps/shop/last"), {
        what: "the last event",
        timeoutMs: FULL ? 300_000 : 30_000,
      });
      expect((await pair.objects()).size).toBe(AT_ONCE + 3);
      expect(mirror.status.passes).toMatchObject({ first: 1, compacted: 0 });
    },
  );
});
