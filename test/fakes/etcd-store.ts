/**
 * The store of the fake etcd: every version of every key, by revision, as etcd's mvcc package keeps them.
 *
 * A revision is one write that changed something, with all its events; keys are ordered by their UTF-8 bytes.
 */
import {
  EtcdError,
  type KeyValue,
  type RangeOptions,
  WatchCompacted,
  type WatchedEvent,
} from "../../sidecar/etcd/etcd.js";

/** What a read gave; `count` is of the whole range. */
export interface Found {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: bigint;
}

/** A change before it has a revision. */
export type Change =
  | { readonly kind: "put"; readonly key: string; readonly value: Buffer; readonly lease: bigint }
  | { readonly kind: "delete"; readonly key: string };

export class EtcdStore {
  /** Ascending by revision; each key's events, deletions among them. */
  readonly #versions = new Map<string, WatchedEvent[]>();
  readonly #events: WatchedEvent[] = [];
  #keys: readonly string[] | undefined;
  #revision = 1n; // an empty etcd is at 1
  #compacted = 0n;

  get revision(): bigint {
    return this.#revision;
  }

  /** The oldest revision that can be read; 0n: never compacted. */
  get compacted(): bigint {
    return this.#compacted;
  }

  /** Everything that a transaction did, as one revision; without a change there is none. */
  commit(changes: readonly Change[]): void {
    const revision = this.#revision + 1n;
    const events = changes.flatMap((change) => this.#apply(change, revision) ?? []);
    if (events.length === 0) return;
    this.#revision = revision;
    this.#events.push(...events);
  }

  /** The key's state now. */
  get(key: string): KeyValue | undefined {
    const last = this.#versions.get(key)?.at(-1);
    return last?.kind === "put" ? last.kv : undefined;
  }

  /**
   * @throws WatchCompacted for a revision that is gone
   * @throws EtcdError future-revision
   */
  range(options: RangeOptions): Found {
    const { revision = 0n, limit = 0, keysOnly = false, countOnly = false } = options;
    if (revision > this.#revision) throw futureRevision();
    if (revision !== 0n && revision < this.#compacted) throw new WatchCompacted(this.#compacted);
    const at = revision === 0n ? this.#revision : revision;
    const all = this.keysIn(options).flatMap((key) => this.#at(key, at) ?? []);
    const count = BigInt(all.length);
    if (countOnly) return { kvs: [], more: false, count };
    const some = limit > 0 ? all.slice(0, limit) : all;
    const kvs = keysOnly ? some.map((kv) => ({ ...kv, value: NOTHING })) : some;
    return { kvs, more: some.length < all.length, count };
  }

  /** Keys that exist or existed, in order. */
  keysIn({ key, rangeEnd }: { readonly key: string; readonly rangeEnd?: string | undefined }) {
    if (rangeEnd === undefined) return this.#versions.has(key) ? [key] : [];
    this.#keys ??= [...this.#versions.keys()].sort(compareKeys);
    return this.#keys.filter((candidate) => isIn(candidate, key, rangeEnd));
  }

  /** Events of the range from revision `from` on, ascending. */
  events(range: { readonly key: string; readonly rangeEnd: string }, from: bigint) {
    const first = this.#firstAt(from);
    return this.#events.slice(first).filter(({ kv }) => isIn(kv.key, range.key, range.rangeEnd));
  }

  /** @throws EtcdError as etcd does for a revision that is compacted already or not there yet */
  compact(revision: bigint): void {
    if (revision > this.#revision) throw futureRevision();
    if (revision <= this.#compacted) throw compacted();
    this.#compacted = revision;
    this.#events.splice(0, this.#firstAt(revision));
    for (const [key, versions] of this.#versions) {
      const newest = versions.findLastIndex(({ kv }) => kv.modRevision <= revision);
      const keep = versions[newest]?.kind === "delete" ? newest + 1 : newest;
      versions.splice(0, Math.max(0, keep));
      if (versions.length > 0) continue;
      this.#versions.delete(key);
      this.#keys = undefined;
    }
  }

  /** An independent store with the same content: a backup. */
  copy(): EtcdStore {
    const copy = new EtcdStore();
    for (const [key, versions] of this.#versions) copy.#versions.set(key, [...versions]);
    copy.#events.push(...this.#events);
    copy.#revision = this.#revision;
    copy.#compacted = this.#compacted;
    return copy;
  }

  #apply(change: Change, revision: bigint): WatchedEvent | undefined {
    const before = this.get(change.key);
    const event =
      change.kind === "put" ? putEvent(change, before, revision) : deleteEvent(before, revision);
    if (event === undefined) return undefined;
    const versions = this.#versions.get(change.key);
    if (versions === undefined) {
      this.#versions.set(change.key, [event]);
      this.#keys = undefined;
    } else {
      versions.push(event);
    }
    return event;
  }

  #at(key: string, revision: bigint): KeyValue | undefined {
    const version = this.#versions.get(key)?.findLast(({ kv }) => kv.modRevision <= revision);
    return version?.kind === "put" ? version.kv : undefined;
  }

  #firstAt(revision: bigint): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.kv.modRevision ?? revision) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** As etcd compares: by bytes. UTF-16 order differs only where surrogates meet U+E000 to U+FFFF. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** `rangeEnd` "\0" means: without an end. */
export function isIn(key: string, first: string, rangeEnd: string): boolean {
  return compareKeys(key, first) >= 0 && (rangeEnd === "\0" || compareKeys(key, rangeEnd) < 0);
}

const NOTHING = Buffer.alloc(0);

function putEvent(
  { key, value, lease }: Change & { readonly kind: "put" },
  before: KeyValue | undefined,
  revision: bigint,
): WatchedEvent {
  const createRevision = before?.createRevision ?? revision;
  const version = (before?.version ?? 0n) + 1n;
  const kv = { key, value, lease, createRevision, modRevision: revision, version };
  return { kind: "put", kv };
}

function deleteEvent(before: KeyValue | undefined, revision: bigint): WatchedEvent | undefined {
  if (before === undefined) return undefined;
  const gone = { value: NOTHING, lease: 0n, createRevision: 0n, version: 0n };
  return { kind: "delete", kv: { key: before.key, ...gone, modRevision: revision } };
}

function futureRevision(): EtcdError {
  return new EtcdError(
    "future-revision",
    "etcdserver: mvcc: required revision is a future revision",
  );
}

function compacted(): EtcdError {
  return new EtcdError("compacted", "etcdserver: mvcc: required revision has been compacted");
}
