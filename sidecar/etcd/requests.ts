/** etcd's requests as bytes. Field numbers: etcd api/etcdserverpb/rpc.proto, the same in 3.4 to 3.6. */
import type { Compare, RangeOptions, Txn, TxnOp, WatchRange } from "./etcd.js";
import { Writer } from "./protobuf-writer.js";

export function rangeRequest(options: RangeOptions): Writer {
  const request = new Writer();
  range(request, options);
  return request;
}

export function txnRequest(txn: Txn): Writer {
  const { compare, then, otherwise } = txn;
  const request = new Writer(sizeOf(txn));
  for (const one of compare) {
    const size = one.key.length + valueSize(one);
    request.message(1, (message) => compareFields(message, one), size);
  }
  for (const op of then) request.message(2, (message) => requestOp(message, op), opSize(op));
  for (const op of otherwise) request.message(3, (message) => requestOp(message, op), opSize(op));
  return request;
}

/** Progress is asked for too, and responses are cut into fragments instead of growing beyond the server's own limit. */
export function watchCreateRequest({ key, rangeEnd }: WatchRange, from: bigint): Writer {
  return new Writer().message(1, (create) => {
    create.text(1, key).text(2, rangeEnd).int(3, from).bool(4, true).bool(8, true);
  });
}

export function watchProgressRequest(): Writer {
  return new Writer().message(3, () => {});
}

export function leaseGrantRequest(ttlSeconds: number): Writer {
  return new Writer().int(1, BigInt(Math.ceil(ttlSeconds)));
}

/** LeaseRevokeRequest and LeaseKeepAliveRequest have the same shape. */
export function leaseRequest(lease: bigint): Writer {
  return new Writer().int(1, lease);
}

export function statusRequest(): Writer {
  return new Writer();
}

export function compactionRequest(revision: bigint): Writer {
  return new Writer().int(1, revision);
}

export function authenticateRequest(user: string, password: string): Writer {
  return new Writer().text(1, user).text(2, password);
}

const RESULT = { "=": 0n, ">": 1n, "<": 2n, "!=": 3n } as const;
const TARGET = { version: 0n, create: 1n, mod: 2n, value: 3n, lease: 4n } as const;
/** Where the compared number stands, by target; value 0 is written too, since its presence names the branch of the oneof. */
const NUMBER_FIELD = { version: 4, create: 5, mod: 6, lease: 8 } as const;
const VALUE_FIELD = 7;

function compareFields(message: Writer, compare: Compare): void {
  const { key, rangeEnd, is } = compare;
  message.int(1, RESULT[is]).int(2, TARGET[compare.target]).text(3, key);
  if (compare.target === "value") message.presentBytes(VALUE_FIELD, compare.value);
  else message.presentInt(NUMBER_FIELD[compare.target], compare.value);
  message.text(64, rangeEnd ?? "");
}

function range(message: Writer, options: RangeOptions): void {
  message
    .text(1, options.key)
    .text(2, options.rangeEnd ?? "")
    .int(3, BigInt(options.limit ?? 0))
    .int(4, options.revision ?? 0n)
    .bool(8, options.keysOnly)
    .bool(9, options.countOnly);
}

function requestOp(message: Writer, op: TxnOp): void {
  switch (op.kind) {
    case "get":
      message.message(1, (get) => range(get, op), op.key.length);
      return;
    case "put": {
      const put = (into: Writer): void => {
        into
          .text(1, op.key)
          .bytes(2, op.value)
          .int(3, op.lease ?? 0n);
      };
      message.message(2, put, opSize(op));
      return;
    }
    case "delete":
      message.message(3, (into) => into.text(1, op.key).text(2, op.rangeEnd ?? ""), op.key.length);
  }
}

/** Tags, lengths and numbers around the key of one compare or operation. */
const AROUND_KEY = 24;

/** About what the request takes, so that its buffer hardly ever grows. */
function sizeOf({ compare, then, otherwise }: Txn): number {
  let size = 0;
  for (const one of compare) size += one.key.length + valueSize(one) + AROUND_KEY;
  for (const op of then) size += opSize(op) + AROUND_KEY;
  for (const op of otherwise) size += opSize(op) + AROUND_KEY;
  return size;
}

function valueSize(compare: Compare): number {
  return compare.target === "value" ? compare.value.length : 0;
}

function opSize(op: TxnOp): number {
  return op.key.length + (op.kind === "put" ? op.value.length : 0);
}
