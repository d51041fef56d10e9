/**
 * One etcd cluster as the mirror needs it: range, txn, lease, watch, status. No word about Kubernetes.
 *
 * Keys are UTF-8 text (those of Kubernetes are); a key that is no UTF-8 never leaves the adapter: it is counted and passed
 * over. Revisions are bigint. Ranges are half-open: `key` ≤ k < `rangeEnd`.
 */

/** What every answer says of who answered. */
export interface EtcdHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** The store's revision when the answer was made. */
  readonly revision: bigint;
}

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  /** Writes since the key was created, from 1. */
  readonly version: bigint;
  /** 0n: attached to none. */
  readonly lease: bigint;
}

export interface RangeOptions {
  readonly key: string;
  /** undefined: this one key. */
  readonly rangeEnd?: string | undefined;
  /** Keys in one answer; undefined: all. */
  readonly limit?: number | undefined;
  /** undefined: the newest state (linearizable). */
  readonly revision?: bigint | undefined;
  readonly keysOnly?: boolean | undefined;
  readonly countOnly?: boolean | undefined;
}

export interface RangeResult {
  readonly header: EtcdHeader;
  /** In key order. */
  readonly kvs: readonly KeyValue[];
  /** More keys in the range than `limit` let through. */
  readonly more: boolean;
  readonly count: bigint;
}

export type Compare = ComparedKey & (ComparedNumber | ComparedValue);

interface ComparedKey {
  readonly key: string;
  /**
   * undefined: this one key. With it every key of the range is compared. A key that is not there, or a range without keys,
   * compares as one key of zeros: `create = 0` over a range holds while the range is empty, and only then.
   */
  readonly rangeEnd?: string | undefined;
  readonly is: "=" | "!=" | ">" | "<";
}

interface ComparedNumber {
  readonly target: "create" | "mod" | "version" | "lease";
  readonly value: bigint;
}

/** A key that is not there has no value: no comparison with one holds. */
interface ComparedValue {
  readonly target: "value";
  readonly value: Buffer;
}

export type TxnOp =
  | {
      readonly kind: "put";
      readonly key: string;
      readonly value: Buffer;
      readonly lease?: bigint | undefined;
    }
  | { readonly kind: "delete"; readonly key: string; readonly rangeEnd?: string | undefined }
  | ({ readonly kind: "get" } & RangeOptions);

export interface Txn {
  readonly compare: readonly Compare[];
  readonly then: readonly TxnOp[];
  readonly otherwise: readonly TxnOp[];
}

/** One for each operation of the branch that ran, in its order. */
export type TxnOpResult =
  | { readonly kind: "put" }
  | { readonly kind: "delete"; readonly deleted: bigint }
  | { readonly kind: "get"; readonly kvs: readonly KeyValue[]; readonly more: boolean };

export interface TxnResult {
  readonly header: EtcdHeader;
  readonly succeeded: boolean;
  readonly results: readonly TxnOpResult[];
}

/** What one endpoint says of itself. */
export interface MemberStatus {
  readonly header: EtcdHeader;
  readonly endpoint: string;
  /** "3.6.8"; other backends say other things, or nothing. */
  readonly version: string;
  readonly dbSizeBytes: bigint;
  readonly dbSizeInUseBytes: bigint;
  /** Backend quota where the server tells it (3.6), else 0n. */
  readonly dbSizeQuotaBytes: bigint;
  readonly isLearner: boolean;
  /** Alarms and other complaints of the member, as it words them. */
  readonly errors: readonly string[];
}

export interface GrantedLease {
  readonly id: bigint;
  /** What was granted, seconds: etcd raises what is below its minimum. */
  readonly ttlSeconds: number;
}

export interface EtcdCallOptions {
  readonly signal: AbortSignal;
}

/** An event: `kv.value` is empty for a deletion, `kv.modRevision` is the deletion's. */
export interface WatchedEvent {
  readonly kind: "put" | "delete";
  readonly kv: KeyValue;
}

export type WatchItem =
  /** All events of `kvs` between two revisions, whole revisions only, ascending; fragments are put together before. */
  | {
      readonly kind: "events";
      readonly header: EtcdHeader;
      readonly events: readonly WatchedEvent[];
    }
  /** Everything at or below `revision` has been delivered. Only from servers where that is true (see etcd-watch.ts). */
  | { readonly kind: "progress"; readonly header: EtcdHeader; readonly revision: bigint }
  /** The stream was cut and is open again; nothing was lost. For `/status` and metrics. */
  | { readonly kind: "reconnected" };

export interface WatchRange {
  readonly key: string;
  readonly rangeEnd: string;
}

export interface EtcdWatchOptions {
  readonly range: WatchRange;
  /** First revision that is wanted; events below it are never delivered. */
  readonly from: bigint;
  readonly signal: AbortSignal;
}

/**
 * The events of one range, from one revision on, without a gap: a cut stream resumes at the last delivered event's revision + 1
 * (after a progress at its revision + 1). The stream is paused while the consumer does not ask for more, so memory is bounded by
 * 16 responses of the server, of some 2 MiB at most each. Ends (returns) when `signal` aborts.
 * @throws WatchCompacted when the wanted revision is gone: begin with a pass
 * @throws EtcdError otherwise only for what another try cannot mend (permission, a revision of another history)
 */
export type EtcdWatch = AsyncIterable<WatchItem>;

/** The revision that a watch wanted is compacted away. (A range of such a revision is an EtcdError `compacted`.) */
export class WatchCompacted extends Error {
  override readonly name = "WatchCompacted";
  constructor(
    /** The oldest revision that the server still has. */
    readonly compactRevision: bigint,
  ) {
    super("the wanted revision is compacted");
  }
}

/**
 * What went wrong, as far as it decides what comes next.
 * - `unavailable`: not reached, or the connection broke before the request was sent: nothing happened, try again
 * - `unknown-outcome`: the request was sent and no answer came: read before it is sent again
 * - `no-space`, `quota`, `auth`, `permission`: a human is needed; writers pause and try again
 * - `too-many-ops`, `too-large`: this very transaction can never work on this server
 * - `compacted`, `future-revision`: a pinned read of a revision that is gone, or is not there yet
 * - `exhausted`: the answer to a read is larger than the receiver takes
 * - `unsupported`: the backend refuses this kind of request (kine refuses transactions of several operations)
 * - `cluster-changed`: another cluster than before answers
 */
export type EtcdErrorKind =
  | "unavailable"
  | "unknown-outcome"
  | "no-space"
  | "auth"
  | "permission"
  | "too-many-ops"
  | "too-large"
  | "compacted"
  | "future-revision"
  | "exhausted"
  | "lease-not-found"
  | "unsupported"
  | "cluster-changed"
  | "invalid";

/** A call failed. The message never holds a value or a request, only what the server said, made printable. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";
  constructor(
    readonly kind: EtcdErrorKind,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }
}

/**
 * One etcd cluster behind one or several endpoints. Calls fail over between endpoints; learners are left out.
 * Every call throws EtcdError; an aborted `signal` rejects with its reason.
 */
export interface Etcd {
  /** What logs and metrics call it: "source" or "destination". */
  readonly name: string;
  range(options: RangeOptions, call: EtcdCallOptions): Promise<RangeResult>;
  txn(txn: Txn, call: EtcdCallOptions): Promise<TxnResult>;
  watch(options: EtcdWatchOptions): EtcdWatch;
  /** The revision of a linearizable read, for `progress` that must be true, and "how far is the store". */
  revision(call: EtcdCallOptions): Promise<EtcdHeader>;
  grantLease(ttlSeconds: number, call: EtcdCallOptions): Promise<GrantedLease>;
  /** One keep-alive on a connection of its own. Resolves with the TTL that is left, seconds; 0: the lease is gone. */
  keepAlive(lease: bigint, call: EtcdCallOptions): Promise<number>;
  revokeLease(lease: bigint, call: EtcdCallOptions): Promise<void>;
  /** Of every endpoint that answers. @throws EtcdError when none does */
  members(call: EtcdCallOptions): Promise<readonly MemberStatus[]>;
  /** Physical compaction is not waited for. */
  compact(revision: bigint, call: EtcdCallOptions): Promise<void>;
  close(): Promise<void>;
}

/** The end of the range of all keys that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return `${prefix.slice(0, -1)}${String.fromCharCode(last + 1)}`;
}
