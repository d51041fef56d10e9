/**
 * An etcd as one process sees it: every request and every answer takes time on that process's clock. So a process that is killed
 * or stopped has requests that were sent and never answered, or that arrive long after their time.
 */
import type {
  Etcd,
  EtcdCallOptions,
  EtcdHeader,
  EtcdWatch,
  EtcdWatchOptions,
  GrantedLease,
  MemberStatus,
  RangeOptions,
  RangeResult,
  Txn,
  TxnResult,
} from "../../sidecar/etcd/etcd.js";
import type { Clock } from "../../src/ports/clock.js";

export class ProcessEtcd implements Etcd {
  constructor(
    private readonly server: Etcd,
    private readonly clock: Clock,
    /** One way, ms. */
    private readonly hopMs: number,
  ) {}

  get name(): string {
    return this.server.name;
  }

  range(options: RangeOptions, call: EtcdCallOptions): Promise<RangeResult> {
    return this.#trip(call, () => this.server.range(options, call));
  }

  txn(txn: Txn, call: EtcdCallOptions): Promise<TxnResult> {
    return this.#trip(call, () => this.server.txn(txn, call));
  }

  revision(call: EtcdCallOptions): Promise<EtcdHeader> {
    return this.#trip(call, () => this.server.revision(call));
  }

  grantLease(ttlSeconds: number, call: EtcdCallOptions): Promise<GrantedLease> {
    return this.#trip(call, () => this.server.grantLease(ttlSeconds, call));
  }

  keepAlive(lease: bigint, call: EtcdCallOptions): Promise<number> {
    return this.#trip(call, () => this.server.keepAlive(lease, call));
  }

  revokeLease(lease: bigint, call: EtcdCallOptions): Promise<void> {
    return this.#trip(call, () => this.server.revokeLease(lease, call));
  }

  members(call: EtcdCallOptions): Promise<readonly MemberStatus[]> {
    return this.#trip(call, () => this.server.members(call));
  }

  compact(revision: bigint, call: EtcdCallOptions): Promise<void> {
    return this.#trip(call, () => this.server.compact(revision, call));
  }

  close(): Promise<void> {
    return this.server.close();
  }

  async *watch(options: EtcdWatchOptions): EtcdWatch {
    for await (const item of this.server.watch(options)) {
      await this.clock.sleep(this.hopMs, options.signal);
      yield item;
    }
  }

  /** NB: an answer that comes after the caller has given up is lost, whatever was done. */
  async #trip<T>({ signal }: EtcdCallOptions, call: () => Promise<T>): Promise<T> {
    await this.clock.sleep(this.hopMs, signal);
    signal.throwIfAborted();
    const answer = await call();
    await this.clock.sleep(this.hopMs, signal);
    signal.throwIfAborted();
    return answer;
  }
}
