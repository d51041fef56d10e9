import type { Clock } from "../../src/ports/clock.js";
import type { Etcd, EtcdWatch } from "../etcd/etcd.js";

/** Before another look when the etcd does not answer, or has compacted what the watch needs. */
const AGAIN_MS = 1_000;

interface Watched {
  readonly etcd: Etcd;
  readonly clock: Clock;
  /** The fence's. */
  readonly key: string;
  /** Of the fence that is ours. */
  readonly createRevision: bigint;
}

/**
 * Waits until the fence key that was made at `createRevision` is gone: by promote or resume, or with its lease. The lease says
 * nothing of the former, as it lives on without its key; nor does a transaction, before there is something to write.
 * @returns whether it is gone; false: `signal` aborted first. Whatever goes wrong is tried again: the lease has its deadline anyway.
 */
export async function untilGone(watched: Watched, signal: AbortSignal): Promise<boolean> {
  const { etcd, clock, key, createRevision } = watched;
  while (!signal.aborted) {
    try {
      const { kvs, header } = await etcd.range({ key }, { signal });
      if (kvs[0]?.createRevision !== createRevision) return true;
      const range = { key, rangeEnd: `${key}\0` };
      const items = etcd.watch({ range, from: header.revision + 1n, signal });
      if (await hasDeletion(items)) return true;
    } catch {
      // The next look tells more, or the deadline ends the term.
    }
    await clock.sleep(AGAIN_MS, signal);
  }
  return false;
}

/** @returns false: the watch was ended. @throws WatchCompacted, EtcdError */
async function hasDeletion(items: EtcdWatch): Promise<boolean> {
  for await (const item of items) {
    if (item.kind === "events" && item.events.some(({ kind }) => kind === "delete")) return true;
  }
  return false;
}
