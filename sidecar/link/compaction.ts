/**
 * Compacts a destination that nobody else compacts. API servers do it every five minutes; where none runs, each write stays in
 * the history until the quota is full (etcd's own `--auto-compaction-*` is off by default). Only the holder of the fence does it, and
 * never beside an API server.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EtcdError, prefixEnd, type Etcd } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";

/** What API servers write when they compact. Source: apiserver pkg/storage/etcd3/compact.go */
const COMPACT_REV_KEY = "compact_rev_key";
const LOOK_MS = 60_000;
/** How much of the history stays: what an API server would leave as well. */
const KEPT_MS = 5 * 60_000;
/** Three times an API server's interval without a sign of one. */
const UNTOUCHED_MS = 15 * 60_000;

interface Parts {
  readonly etcd: Etcd;
  /** Of the destination, without a slash at its end. */
  readonly kubePrefix: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly isHolder: () => boolean;
}

/** The store's revision at one moment, monotonic ms. */
interface Mark {
  readonly atMs: number;
  readonly revision: bigint;
}

/** Looks once a minute until `signal` aborts. */
export async function compactWhereNobodyDoes(parts: Parts, signal: AbortSignal): Promise<void> {
  const compaction = new Compaction(parts);
  while (!signal.aborted) {
    try {
      await compaction.look(signal);
    } catch (error) {
      // It is no work that anybody waits for: the next look comes by itself.
      if (!signal.aborted && !(error instanceof EtcdError)) throw error;
    }
    await parts.clock.sleep(LOOK_MS, signal);
  }
}

class Compaction {
  /** Oldest first, none of before the last sign of somebody else. */
  #marks: Mark[] = [];
  #compactRevision: bigint | undefined;
  #quietSinceMs: number;

  constructor(private readonly parts: Parts) {
    this.#quietSinceMs = parts.clock.monotonicMs();
  }

  async look(signal: AbortSignal): Promise<void> {
    const { etcd, kubePrefix, clock, isHolder } = this.parts;
    const leases = `${kubePrefix}/masterleases/`;
    const { header, results } = await etcd.txn(
      transaction(
        [],
        [
          { kind: "get", key: COMPACT_REV_KEY },
          { kind: "get", key: leases, rangeEnd: prefixEnd(leases), limit: 1, keysOnly: true },
        ],
        [],
      ),
      { signal },
    );
    const [compacted, servers] = results.map((one) =>
      one.kind === "get" ? one.kvs[0] : undefined,
    );
    const nowMs = clock.monotonicMs();
    const isTouched = compacted?.modRevision !== this.#compactRevision;
    this.#compactRevision = compacted?.modRevision;
    if (servers !== undefined || isTouched || !isHolder()) {
      this.#quietSinceMs = nowMs;
      this.#marks = [];
    }
    this.#marks.push({ atMs: nowMs, revision: header.revision });
    if (nowMs - this.#quietSinceMs >= UNTOUCHED_MS) await this.#compact(nowMs, signal);
  }

  async #compact(nowMs: number, signal: AbortSignal): Promise<void> {
    const { etcd, log } = this.parts;
    const mark = this.#marks.findLast(({ atMs }) => nowMs - atMs >= KEPT_MS);
    if (mark === undefined) return;
    this.#marks = this.#marks.filter(({ atMs }) => atMs > mark.atMs);
    await etcd.compact(mark.revision, { signal });
    const revision = mark.revision.toString();
    log.info({ revision }, "destination compacted, because no API server does it");
  }
}
