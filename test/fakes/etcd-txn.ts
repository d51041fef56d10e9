/** A transaction on the fake etcd: what etcd's checkTxnRequest refuses, and what it then does. */
import {
  type Compare,
  EtcdError,
  type KeyValue,
  type Txn,
  type TxnOp,
  type TxnOpResult,
} from "../../sidecar/etcd/etcd.js";
import { type Change, type EtcdStore, isIn } from "./etcd-store.js";

/** A server's settings; etcd's defaults: 128 and 1.5 MiB. */
export interface TxnLimits {
  readonly maxTxnOps: number;
  readonly maxRequestBytes: number;
  readonly hasLease: (lease: bigint) => boolean;
}

/** @throws EtcdError for a transaction that etcd refuses without looking at its keys' state */
export function checkTxn({ compare, then, otherwise }: Txn, limits: TxnLimits): void {
  const longest = Math.max(compare.length, then.length, otherwise.length);
  if (longest > limits.maxTxnOps) {
    throw new EtcdError("too-many-ops", "etcdserver: too many operations in txn request");
  }
  const keys = [...compare, ...then, ...otherwise].map(({ key }) => key);
  if (keys.includes("")) throw new EtcdError("invalid", "etcdserver: key is not provided");
  for (const branch of [then, otherwise]) refuseDuplicates(branch);
  if (sizeOf(compare, [...then, ...otherwise]) > limits.maxRequestBytes) {
    throw new EtcdError("too-large", "etcdserver: request is too large");
  }
}

/** @returns what to commit, and what each operation of the branch that ran answers */
export function runTxn(
  { compare, then, otherwise }: Txn,
  store: EtcdStore,
  limits: TxnLimits,
): {
  readonly succeeded: boolean;
  readonly changes: readonly Change[];
  readonly results: readonly TxnOpResult[];
} {
  const succeeded = compare.every((one) => holds(one, store));
  const ops = succeeded ? then : otherwise;
  const unknown = ops.some(
    (op) => op.kind === "put" && (op.lease ?? 0n) !== 0n && !limits.hasLease(op.lease ?? 0n),
  );
  if (unknown) throw new EtcdError("lease-not-found", "etcdserver: requested lease not found");

  const changes: Change[] = [];
  const results = ops.map((op): TxnOpResult => {
    switch (op.kind) {
      case "put":
        changes.push({ kind: "put", key: op.key, value: op.value, lease: op.lease ?? 0n });
        return { kind: "put" };
      case "delete": {
        const gone = liveKeys(op, store).filter((key) => !isDeleted(changes, key));
        changes.push(...gone.map((key): Change => ({ kind: "delete", key })));
        return { kind: "delete", deleted: BigInt(gone.length) };
      }
      case "get": {
        const { kvs, more } = withChanges(store, changes).range(op);
        return { kind: "get", kvs, more };
      }
    }
  });
  return { succeeded, changes, results };
}

/** A read sees what stood before it in its transaction. */
function withChanges(store: EtcdStore, changes: readonly Change[]): EtcdStore {
  if (changes.length === 0) return store;
  const copy = store.copy();
  copy.commit(changes);
  return copy;
}

function liveKeys(op: TxnOp, store: EtcdStore): readonly string[] {
  return store.keysIn(op).filter((key) => store.get(key) !== undefined);
}

function isDeleted(changes: readonly Change[], key: string): boolean {
  return changes.some((change) => change.kind === "delete" && change.key === key);
}

/** Two puts of one key, or a put of a key that the same branch deletes. Two deletions of one key are fine. */
function refuseDuplicates(branch: readonly TxnOp[]): void {
  const puts = branch.flatMap((op) => (op.kind === "put" ? [op.key] : []));
  const deletes = branch.flatMap((op) => (op.kind === "delete" ? [op] : []));
  const overlap = puts.some((key) =>
    deletes.some((op) =>
      op.rangeEnd === undefined ? op.key === key : isIn(key, op.key, op.rangeEnd),
    ),
  );
  if (overlap || new Set(puts).size < puts.length) {
    throw new EtcdError("invalid", "etcdserver: duplicate key given in txn request");
  }
}

/** Near enough to the encoded size: keys, values and a few bytes around each. */
function sizeOf(compare: readonly Compare[], ops: readonly TxnOp[]): number {
  const around = 16;
  const compares = compare.map(({ key }) => key.length + around);
  const operations = ops.map(
    (op) => op.key.length + around + (op.kind === "put" ? op.value.length : 0),
  );
  return [...compares, ...operations].reduce((sum, bytes) => sum + bytes, 0);
}

/** A key or range without any key compares as a key of zeros. Source: etcd server/etcdserver/txn/txn.go, applyCompare. */
function holds(compare: Compare, store: EtcdStore): boolean {
  const keys = store.keysIn(compare).flatMap((key) => store.get(key) ?? []);
  if (compare.target === "value") {
    const { value, is } = compare;
    const order = (kv: KeyValue): bigint => BigInt(kv.value.compare(value));
    return keys.length > 0 && keys.every((kv) => comparesTo(order(kv), { is, value: 0n }));
  }
  return keys.length === 0
    ? comparesTo(0n, compare)
    : keys.every((kv) => comparesTo(compared(kv, compare), compare));
}

type NumberCompare = Extract<Compare, { readonly value: bigint }>;

function compared(kv: KeyValue, { target }: NumberCompare): bigint {
  switch (target) {
    case "create":
      return kv.createRevision;
    case "mod":
      return kv.modRevision;
    case "version":
      return kv.version;
    case "lease":
      return kv.lease;
  }
}

function comparesTo(actual: bigint, { is, value }: Pick<NumberCompare, "is" | "value">): boolean {
  switch (is) {
    case "=":
      return actual === value;
    case "!=":
      return actual !== value;
    case ">":
      return actual > value;
    case "<":
      return actual < value;
  }
}
