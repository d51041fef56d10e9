/** What the destination holds under one path, read together. */
import type { Compare, KeyValue } from "../etcd/etcd.js";
import { decodeRecord, type LedgerRecord } from "../ledger/record.js";

/** One key of the destination as it was read; `kv` undefined: it is not there. */
export interface SeenKey {
  readonly key: string;
  readonly kv: KeyValue | undefined;
}

export interface Seen {
  readonly data: SeenKey;
  readonly record: SeenKey;
  /** Records of the object's owners. */
  readonly owners: readonly SeenKey[];
}

/** A key that must be as it was read: mod_revision 0 stands for "not there". */
export interface Guard {
  readonly key: string;
  readonly revision: bigint;
}

export function guardOf({ key, kv }: SeenKey): Guard {
  return { key, revision: kv?.modRevision ?? 0n };
}

export function compareOf({ key, revision }: Guard): Compare {
  return { key, target: "mod", is: "=", value: revision };
}

/** That all of it is as it was read. */
export function comparesOf(seen: Seen): readonly Compare[] {
  return [seen.data, seen.record, ...seen.owners].map((key) => compareOf(guardOf(key)));
}

export function keysOf(seen: Seen): readonly string[] {
  return [seen.data, seen.record, ...seen.owners].map(({ key }) => key);
}

/** The same keys as they were found now, in the order of `keysOf`. */
export function seenAgain(seen: Seen, found: readonly (KeyValue | undefined)[]): Seen {
  const [data, record, ...owners] = found;
  return {
    data: { key: seen.data.key, kv: data },
    record: { key: seen.record.key, kv: record },
    owners: seen.owners.map(({ key }, at) => ({ key, kv: owners[at] })),
  };
}

export function recordOf({ kv }: SeenKey): LedgerRecord | undefined {
  return kv === undefined ? undefined : decodeRecord(kv.value);
}

/** mod_revision of the object as its record's writer left it. */
export function leftAt(record: LedgerRecord, kv: KeyValue): bigint {
  return record.destinationRevision ?? kv.modRevision;
}
