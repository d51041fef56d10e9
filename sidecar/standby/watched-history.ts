import type { Etcd, KeyValue, WatchItem } from "../etcd/etcd.js";

/**
 * Whether a watch that was cut goes on in the history in which it was cut. A store that was restored from a backup counts revisions
 * anew: the watch waits there for the revision that it wants next, and then goes on as if nothing were missing.
 */
export class WatchedHistory {
  #newest: bigint;
  /** The last put that was heard of. */
  #last: KeyValue | undefined;

  /** @param newest revision that the store is known to have reached */
  constructor(newest: bigint) {
    this.#newest = newest;
  }

  saw(item: WatchItem): void {
    if (item.kind === "reconnected") return;
    if (item.header.revision > this.#newest) this.#newest = item.header.revision;
    if (item.kind === "progress") return;
    this.#last = item.events.findLast(({ kind }) => kind === "put")?.kv ?? this.#last;
  }

  /**
   * The store is not behind what it was, and still has the last put that was heard of at that revision. False where nothing was:
   * who has just begun loses little.
   * @throws EtcdError, `compacted` or `future-revision` where there is no such revision
   */
  async goesOn(etcd: Etcd, signal: AbortSignal): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return false;
    const { key, modRevision: revision } = last;
    const { header, kvs } = await etcd.range({ key, revision }, { signal });
    const [kv] = kvs;
    const isThere = kv?.modRevision === revision && kv.value.equals(last.value);
    return isThere && header.revision >= this.#newest;
  }
}
