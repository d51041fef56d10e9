/**
 * Whether the source still has the history that the ledger was made from. A source that was restored from a backup may have the
 * same cluster_id (it is made of peer URLs and token) and, after a while, a higher revision than was applied. But within one
 * history the mod_revision of a key never goes back: a key that is there with a lower one than its record says is proof.
 *
 * The newest records are the best witnesses: what was written last is what a backup does not hold.
 */
import type { Etcd, EtcdCallOptions } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import type { KubePrefix } from "../link/keyspace.js";

/** One read of this many keys, without values. */
const MOST = 64;

interface Witness {
  readonly path: string;
  readonly revision: bigint;
}

export class Witnesses {
  /** Ascending by revision. */
  readonly #newest: Witness[] = [];

  /** The newest revision that anything was made from; 0: nothing was. */
  get newestRevision(): bigint {
    return this.#newest.at(-1)?.revision ?? 0n;
  }

  /** @param revision of the source, in the history that is in force */
  add(path: string, revision: bigint): void {
    const [oldest] = this.#newest;
    if (this.#newest.length === MOST && oldest !== undefined && revision <= oldest.revision) return;
    const at = this.#newest.findLastIndex((one) => one.revision <= revision) + 1;
    this.#newest.splice(at, 0, { path, revision });
    if (this.#newest.length > MOST) this.#newest.shift();
  }

  /** A key of the source contradicts its record. False is no proof of the opposite. @throws EtcdError */
  async contradict(source: Etcd, prefix: KubePrefix, call: EtcdCallOptions): Promise<boolean> {
    if (this.#newest.length === 0) return false;
    const gets = this.#newest.map(
      ({ path }) => ({ kind: "get", key: prefix.key(path), keysOnly: true }) as const,
    );
    const { results } = await source.txn(transaction([], gets, []), call);
    return this.#newest.some(({ revision }, at) => {
      const result = results[at];
      const kv = result?.kind === "get" ? result.kvs[0] : undefined;
      return kv !== undefined && kv.modRevision < revision;
    });
  }
}
