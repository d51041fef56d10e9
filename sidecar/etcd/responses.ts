/**
 * etcd's responses from bytes. Values share the memory of the message they came in: whoever keeps one for long copies it.
 *
 * A key that is no UTF-8 is passed over: as text it could not be told from another, and no key of Kubernetes is one.
 */
import { isUtf8 } from "node:buffer";
import type {
  EtcdHeader,
  GrantedLease,
  KeyValue,
  MemberStatus,
  RangeResult,
  TxnOpResult,
  TxnResult,
  WatchedEvent,
} from "./etcd.js";
import { Reader } from "./protobuf.js";

/** Told of each key that was passed over. */
export type OnOddKey = () => void;

/** One message of a watch stream. */
export interface WatchResponse {
  readonly header: EtcdHeader;
  readonly created: boolean;
  readonly canceled: boolean;
  /** 0n: not compacted. */
  readonly compactRevision: bigint;
  readonly cancelReason: string;
  /** More of the same follows. */
  readonly fragment: boolean;
  /** There were events, though maybe only of odd keys: this is no word of progress. */
  readonly hadEvents: boolean;
  readonly events: readonly WatchedEvent[];
}

export function rangeResponse(buffer: Buffer, onOddKey: OnOddKey): RangeResult {
  return rangeFrom(new Reader(buffer), onOddKey);
}

export function txnResponse(buffer: Buffer, onOddKey: OnOddKey): TxnResult {
  const reader = new Reader(buffer);
  let header = NO_HEADER;
  let succeeded = false;
  const results: TxnOpResult[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) header = headerFrom(reader.message());
    else if (field === 2) succeeded = reader.bool();
    else if (field === 3) results.push(opResult(reader.message(), onOddKey));
    else reader.skip();
  }
  return { header, succeeded, results };
}

export function watchResponse(buffer: Buffer, onOddKey: OnOddKey): WatchResponse {
  const reader = new Reader(buffer);
  const events: WatchedEvent[] = [];
  const response = {
    header: NO_HEADER,
    created: false,
    canceled: false,
    compactRevision: 0n,
    cancelReason: "",
    fragment: false,
    hadEvents: false,
    events,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) response.header = headerFrom(reader.message());
    else if (field === 3) response.created = reader.bool();
    else if (field === 4) response.canceled = reader.bool();
    else if (field === 5) response.compactRevision = reader.int();
    else if (field === 6) response.cancelReason = reader.text();
    else if (field === 7) response.fragment = reader.bool();
    else if (field === 11) {
      response.hadEvents = true;
      const event = eventFrom(reader.message(), onOddKey);
      if (event !== undefined) events.push(event);
    } else reader.skip();
  }
  return response;
}

/** Of LeaseGrant; LeaseKeepAlive answers with the same fields. */
export function leaseResponse(buffer: Buffer): Headed & GrantedLease {
  const reader = new Reader(buffer);
  let header = NO_HEADER;
  let id = 0n;
  let ttlSeconds = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) header = headerFrom(reader.message());
    else if (field === 2) id = reader.int();
    else if (field === 3) ttlSeconds = Number(reader.int());
    else reader.skip();
  }
  return { header, id, ttlSeconds };
}

/** Of answers that have nothing but a header for us: LeaseRevoke, Compact. */
export function headerOnly(buffer: Buffer): Headed {
  const reader = new Reader(buffer);
  let header = NO_HEADER;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) header = headerFrom(reader.message());
    else reader.skip();
  }
  return { header };
}

/** An answer that says who gave it. */
export interface Headed {
  readonly header: EtcdHeader;
}

/** The header has no cluster id here: the answer comes from the auth store. */
export function authenticateResponse(buffer: Buffer): string {
  const reader = new Reader(buffer);
  let token = "";
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) token = reader.text();
    else reader.skip();
  }
  return token;
}

export function statusResponse(buffer: Buffer, endpoint: string): MemberStatus {
  const reader = new Reader(buffer);
  const errors: string[] = [];
  const status = {
    header: NO_HEADER,
    endpoint,
    version: "",
    dbSizeBytes: 0n,
    dbSizeInUseBytes: 0n,
    dbSizeQuotaBytes: 0n,
    isLearner: false,
    errors,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) status.header = headerFrom(reader.message());
    else if (field === 2) status.version = reader.text();
    else if (field === 3) status.dbSizeBytes = reader.int();
    else if (field === 8) errors.push(reader.text());
    else if (field === 9) status.dbSizeInUseBytes = reader.int();
    else if (field === 10) status.isLearner = reader.bool();
    else if (field === 12) status.dbSizeQuotaBytes = reader.int();
    else reader.skip();
  }
  return status;
}

const NO_HEADER: EtcdHeader = { clusterId: 0n, memberId: 0n, revision: 0n };

function headerFrom(reader: Reader): EtcdHeader {
  const header = { clusterId: 0n, memberId: 0n, revision: 0n };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) header.clusterId = reader.uint();
    else if (field === 2) header.memberId = reader.uint();
    else if (field === 3) header.revision = reader.int();
    else reader.skip();
  }
  return header;
}

function rangeFrom(reader: Reader, onOddKey: OnOddKey): RangeResult {
  const kvs: KeyValue[] = [];
  let header = NO_HEADER;
  let more = false;
  let count = 0n;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) header = headerFrom(reader.message());
    else if (field === 2) {
      const kv = keyValueFrom(reader.message());
      if (kv === undefined) onOddKey();
      else kvs.push(kv);
    } else if (field === 3) more = reader.bool();
    else if (field === 4) count = reader.int();
    else reader.skip();
  }
  return { header, kvs, more, count };
}

function opResult(reader: Reader, onOddKey: OnOddKey): TxnOpResult {
  let result: TxnOpResult = { kind: "put" };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) {
      const { kvs, more } = rangeFrom(reader.message(), onOddKey);
      result = { kind: "get", kvs, more };
    } else if (field === 3) {
      result = { kind: "delete", deleted: deletedFrom(reader.message()) };
    } else reader.skip();
  }
  return result;
}

function deletedFrom(reader: Reader): bigint {
  let deleted = 0n;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) deleted = reader.int();
    else reader.skip();
  }
  return deleted;
}

function eventFrom(reader: Reader, onOddKey: OnOddKey): WatchedEvent | undefined {
  let kind: WatchedEvent["kind"] = "put";
  let kv: KeyValue | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) kind = reader.uint() === 1n ? "delete" : "put";
    else if (field === 2) kv = keyValueFrom(reader.message());
    else reader.skip();
  }
  if (kv !== undefined) return { kind, kv };
  onOddKey();
  return undefined;
}

const NOTHING = Buffer.alloc(0);

function keyValueFrom(reader: Reader): KeyValue | undefined {
  let key: Buffer = NOTHING;
  const kv = { createRevision: 0n, modRevision: 0n, version: 0n, lease: 0n };
  let value: Buffer = NOTHING;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) key = reader.bytes();
    else if (field === 2) kv.createRevision = reader.int();
    else if (field === 3) kv.modRevision = reader.int();
    else if (field === 4) kv.version = reader.int();
    else if (field === 5) value = reader.bytes();
    else if (field === 6) kv.lease = reader.int();
    else reader.skip();
  }
  return isUtf8(key) ? { key: key.toString(), value, ...kv } : undefined;
}
