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

/** Those that are asked: one read of this many keys, without values. */
const ASKED = 64;
/** Those that are kept: when some of them go, enough are left. */
const KEPT = 256;

interface Witness {
  readonly path: string;
  readonly revision: bigint;
}

export class Witnesses {
  /** Ascending. Invariant: all that are newer than `#floor` are here. */
  readonly #newest: Witness[] = [];
  /** The newest of those that found no place; undefined: all did. */
  #floor: Witness | undefined;

  /** The newest revision that anything was made from; 0: nothing was. */
  get newestRevision(): bigint {
    return this.#newest.at(-1)?.revision ?? 0n;
  }

  /** False: so many have gone that it is not known any more which ones are the newest. */
  get areEnough(): boolean {
    return this.#floor === undefined || this.#newest.length >= ASKED;
  }

  /** @param path that is not among them. @param revision of the source, in the history that is in force */
  add(path: string, revision: bigint): void {
    const one = { path, revision };
    if (this.#floor !== undefined && order(one, this.#floor) < 0) return;
    const at = this.#newest.findLastIndex((other) => order(other, one) < 0) + 1;
    this.#newest.splice(at, 0, one);
    if (this.#newest.length > KEPT) this.#floor = this.#newest.shift();
  }

  /** Its record is gone, or is another one now. */
  delete(path: string): void {
    const at = this.#newest.findIndex((one) => one.path === path);
    if (at !== -1) this.#newest.splice(at, 1);
  }

  /** A key of the source contradicts its record. False is no proof of the opposite. @throws EtcdError */
  async contradict(source: Etcd, prefix: KubePrefix, call: EtcdCallOptions): Promise<boolean> {
    const asked = this.#newest.slice(-ASKED);
    if (asked.length === 0) return false;
    const gets = asked.map(
      ({ path }) => ({ kind: "get", key: prefix.key(path), keysOnly: true }) as const,
    );
    const { results } = await source.txn(transaction([], gets, []), call);
    return asked.some(({ revision }, at) => {
      const result = results[at];
      const kv = result?.kind === "get" ? result.kvs[0] : undefined;
      return kv !== undefined && kv.modRevision < revision;
    });
  }
}

/** By revision, then by path: the same ones are the newest in whatever order they come. */
function order(a: Witness, b: Witness): number {
  if (a.revision !== b.revision) return a.revision < b.revision ? -1 : 1;
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
