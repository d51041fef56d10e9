/**
 * An etcd in memory, for unit tests and the simulation. It passes the same contract suite as the adapter on a real server
 * (test/contract/etcd-contract.ts), and fails when it is told to.
 */
import {
  type Etcd,
  EtcdError,
  type EtcdCallOptions,
  type EtcdHeader,
  type EtcdWatch,
  type EtcdWatchOptions,
  type GrantedLease,
  type MemberStatus,
  type RangeOptions,
  type RangeResult,
  type Txn,
  type TxnResult,
  WatchCompacted,
} from "../../sidecar/etcd/etcd.js";
import { FakeWatch, type WatchedServer } from "./etcd-fake-watch.js";
import { EtcdFaults } from "./etcd-faults.js";
import { EtcdLeases } from "./etcd-leases.js";
import { EtcdStore } from "./etcd-store.js";
import { checkTxn, runTxn } from "./etcd-txn.js";
import type { ProcessTime } from "./virtual-clock.js";

export interface FakeEtcdOptions {
  /** Default "etcd". */
  readonly name?: string;
  /** Default 1n. Two clusters of one test need two. */
  readonly clusterId?: bigint;
  /** Default "3.6.8". */
  readonly version?: string;
  /** Quiet time until a watch tells progress, ms; default 10,000; undefined: a server whose progress is not trusted. */
  readonly progressMs?: number | undefined;
  /** Default 128. */
  readonly maxTxnOps?: number;
  /** Default 1.5 MiB. */
  readonly maxRequestBytes?: number;
}

/** One transaction that was carried out, as it was sent. */
export interface RecordedTxn extends Txn {
  readonly succeeded: boolean;
  readonly revision: bigint;
}

export class FakeEtcd implements Etcd, WatchedServer {
  readonly name: string;
  readonly faults = new EtcdFaults();
  readonly progressMs: number | undefined;
  /** The alarm: puts and new leases are refused, deletions are not. */
  noSpace = false;
  /** As kine: a transaction of several operations is refused. */
  refusesLargeTxns = false;
  #store = new EtcdStore();
  #clusterId: bigint;
  #txns: RecordedTxn[] = [];
  readonly #leases: EtcdLeases;
  readonly #watches = new Set<FakeWatch>();

  constructor(
    readonly clock: ProcessTime,
    private readonly options: FakeEtcdOptions = {},
  ) {
    this.name = options.name ?? "etcd";
    this.#clusterId = options.clusterId ?? 1n;
    this.progressMs = "progressMs" in options ? options.progressMs : 10_000;
    this.#leases = new EtcdLeases(clock, (lease) => this.#deleteAttached(lease));
  }

  get store(): EtcdStore {
    return this.#store;
  }

  get outage(): boolean {
    return this.faults.outage;
  }

  get header(): EtcdHeader {
    return { clusterId: this.#clusterId, memberId: 1n, revision: this.#store.revision };
  }

  /** Every transaction since the last look that was carried out (whose answer was lost, too), oldest first. */
  takeTxns(): readonly RecordedTxn[] {
    const txns = this.#txns;
    this.#txns = [];
    return txns;
  }

  /** Breaks all watch streams at once; each begins again by itself. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.cut();
  }

  /** While it is on, calls fail as `unavailable`, and watches are cut and hear nothing. */
  setOutage(outage: boolean): void {
    this.faults.setOutage(outage);
    this.cutWatches();
  }

  /** A backup, for `restore`. */
  backup(): EtcdStore {
    return this.#store.copy();
  }

  /** As a disaster recovery does it: revisions go backwards, streams break; the cluster's id may be a new one. */
  restore(backup: EtcdStore, clusterId: bigint = this.#clusterId): void {
    this.#store = backup.copy();
    this.#clusterId = clusterId;
    this.cutWatches();
  }

  async range(options: RangeOptions, { signal }: EtcdCallOptions): Promise<RangeResult> {
    await this.faults.before("range", signal);
    try {
      return { header: this.header, ...this.#store.range(options) };
    } catch (error) {
      if (!(error instanceof WatchCompacted)) throw error;
      const message = "etcdserver: mvcc: required revision has been compacted";
      throw new EtcdError("compacted", message, { cause: error });
    }
  }

  async txn(txn: Txn, { signal }: EtcdCallOptions): Promise<TxnResult> {
    await this.faults.before("txn", signal);
    const { maxTxnOps = 128, maxRequestBytes = 1.5 * 1024 * 1024 } = this.options;
    const hasLease = (lease: bigint): boolean => this.#leases.has(lease);
    const limits = { maxTxnOps, maxRequestBytes, hasLease };
    if (this.refusesLargeTxns && txn.then.length > 1) {
      throw new EtcdError("unsupported", "unsupported transaction");
    }
    checkTxn(txn, limits);
    if (this.noSpace && [...txn.then, ...txn.otherwise].some(({ kind }) => kind === "put")) {
      throw noSpace();
    }
    const { succeeded, changes, results } = runTxn(txn, this.#store, limits);
    this.#store.commit(changes);
    this.#txns.push({ ...txn, succeeded, revision: this.#store.revision });
    this.#wakeWatches();
    this.faults.afterTxn();
    return { header: this.header, succeeded, results };
  }

  watch(options: EtcdWatchOptions): EtcdWatch {
    return this.#watch(options);
  }

  async revision({ signal }: EtcdCallOptions): Promise<EtcdHeader> {
    await this.faults.before("range", signal);
    return this.header;
  }

  async grantLease(ttlSeconds: number, { signal }: EtcdCallOptions): Promise<GrantedLease> {
    await this.faults.before("lease", signal);
    if (this.noSpace) throw noSpace();
    return this.#leases.grant(ttlSeconds);
  }

  async keepAlive(lease: bigint, { signal }: EtcdCallOptions): Promise<number> {
    await this.faults.before("lease", signal);
    return this.#leases.keepAlive(lease);
  }

  async revokeLease(lease: bigint, { signal }: EtcdCallOptions): Promise<void> {
    await this.faults.before("lease", signal);
    this.#leases.revoke(lease);
  }

  async members({ signal }: EtcdCallOptions): Promise<readonly MemberStatus[]> {
    await this.faults.before("members", signal);
    return [
      {
        header: this.header,
        endpoint: `${this.name}:2379`,
        version: this.options.version ?? "3.6.8",
        dbSizeBytes: 0n,
        dbSizeInUseBytes: 0n,
        dbSizeQuotaBytes: 0n,
        isLearner: false,
        errors: this.noSpace ? ["memberID:1 alarm:NOSPACE "] : [],
      },
    ];
  }

  async compact(revision: bigint, { signal }: EtcdCallOptions): Promise<void> {
    await this.faults.before("compact", signal);
    const applies = revision > this.#store.compacted && revision <= this.#store.revision;
    if (applies) for (const watch of this.#watches) watch.beforeCompaction(revision);
    this.#store.compact(revision);
    this.#wakeWatches();
  }

  async close(): Promise<void> {}

  async *#watch(options: EtcdWatchOptions): EtcdWatch {
    const watch = new FakeWatch(this, options);
    this.#watches.add(watch);
    try {
      yield* watch.items();
    } finally {
      this.#watches.delete(watch);
    }
  }

  #deleteAttached(lease: bigint): void {
    const all = this.#store.range({ key: "\0", rangeEnd: "\0" }).kvs;
    const attached = all.filter((kv) => kv.lease === lease);
    this.#store.commit(attached.map(({ key }) => ({ kind: "delete", key })));
    this.#wakeWatches();
  }

  #wakeWatches(): void {
    for (const watch of this.#watches) watch.wake();
  }
}

function noSpace(): EtcdError {
  return new EtcdError("no-space", "etcdserver: mvcc: database space exceeded");
}
