/** What a transaction of the writer does to objects of the destination. */
import type { Txn } from "../etcd/etcd.js";
import { decodeRecord } from "../ledger/record.js";
import type { KubePrefix, Keyspace } from "../link/keyspace.js";

/**
 * - `create`, `update`, `delete`: the object
 * - `adopt`: it is there and nobody's; it becomes ours, overwritten or not
 */
export type ChangeKind = "create" | "update" | "adopt" | "delete";

export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
  /** Of the source's value; undefined for what goes. */
  readonly sourceRevision: bigint | undefined;
  /** mod_revision of the ledger's record that the change stands on; 0n: there is none. */
  readonly recordRevision: bigint;
}

export interface Places {
  readonly keys: Keyspace;
  readonly prefix: KubePrefix;
}

/** None where only books are written. */
export function changesOf(txn: Txn, places: Places): readonly Change[] {
  const paths = new Set(txn.then.flatMap(({ key }) => pathOf(key, places) ?? []));
  return [...paths].flatMap((path) => changeOf(path, txn, places) ?? []);
}

/** The object that a key is, or is the record of. */
function pathOf(key: string, { keys, prefix }: Places): string | undefined {
  if (key.startsWith(keys.ownPrefix)) return key.slice(keys.ownPrefix.length);
  return key.startsWith(prefix.prefix) ? prefix.path(key) : undefined;
}

function changeOf(path: string, txn: Txn, { keys, prefix }: Places): Change | undefined {
  const [dataKey, recordKey] = [prefix.key(path), keys.own(path)];
  const data = txn.then.find(({ key, kind }) => key === dataKey && kind !== "get");
  const record = txn.then.find(({ key, kind }) => key === recordKey && kind === "put");
  const dataRevision = comparedRevision(txn, dataKey) ?? 0n;
  // A record that is compared by its value was written together with the object.
  const isByHeart = txn.compare.some(({ key, target }) => key === recordKey && target === "value");
  const recordRevision = comparedRevision(txn, recordKey) ?? (isByHeart ? dataRevision : 0n);
  const common = { path, recordRevision, sourceRevision: undefined };
  if (data?.kind === "delete") return { ...common, kind: "delete" };
  if (record?.kind !== "put") return undefined;
  const { sourceRevision } = decodeRecord(record.value);
  if (dataRevision === 0n) {
    return data === undefined ? undefined : { ...common, kind: "create", sourceRevision };
  }
  if (recordRevision === 0n) return { ...common, kind: "adopt", sourceRevision };
  return data === undefined ? undefined : { ...common, kind: "update", sourceRevision };
}

function comparedRevision({ compare }: Txn, key: string): bigint | undefined {
  for (const one of compare) if (one.key === key && one.target === "mod") return one.value;
  return undefined;
}
