/** An etcd whose requests are counted and timed. Adds nothing else: whoever uses it cannot tell it from the one behind it. */
import type { Clock } from "../../src/ports/clock.js";
import type { Metrics } from "../../src/ports/metrics.js";
import {
  EtcdError,
  WatchCompacted,
  type Etcd,
  type EtcdCallOptions,
  type EtcdHeader,
  type EtcdWatchOptions,
  type GrantedLease,
  type MemberStatus,
  type RangeOptions,
  type RangeResult,
  type Txn,
  type TxnResult,
  type WatchItem,
} from "./etcd.js";

type Request = "range" | "txn" | "keep-alive" | "other";

export interface ObservedEtcdParts {
  readonly etcd: Etcd;
  readonly side: "source" | "destination";
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class ObservedEtcd implements Etcd {
  readonly name: string;

  constructor(private readonly parts: ObservedEtcdParts) {
    this.name = parts.etcd.name;
  }

  range(options: RangeOptions, call: EtcdCallOptions): Promise<RangeResult> {
    return this.#timed("range", () => this.parts.etcd.range(options, call));
  }

  txn(txn: Txn, call: EtcdCallOptions): Promise<TxnResult> {
    return this.#timed("txn", () => this.parts.etcd.txn(txn, call));
  }

  async *watch(options: EtcdWatchOptions): AsyncGenerator<WatchItem> {
    const { etcd, side, metrics } = this.parts;
    try {
      for await (const item of etcd.watch(options)) {
        if (item.kind === "reconnected") {
          metrics.count("svc_ferry_mirror_etcd_reconnects_total", { side });
        }
        yield item;
      }
    } catch (error) {
      this.#failed(error, options.signal);
      throw error;
    }
  }

  revision(call: EtcdCallOptions): Promise<EtcdHeader> {
    return this.#timed("other", () => this.parts.etcd.revision(call));
  }

  grantLease(ttlSeconds: number, call: EtcdCallOptions): Promise<GrantedLease> {
    return this.#timed("other", () => this.parts.etcd.grantLease(ttlSeconds, call));
  }

  keepAlive(lease: bigint, call: EtcdCallOptions): Promise<number> {
    return this.#timed("keep-alive", () => this.parts.etcd.keepAlive(lease, call));
  }

  revokeLease(lease: bigint, call: EtcdCallOptions): Promise<void> {
    return this.#timed("other", () => this.parts.etcd.revokeLease(lease, call));
  }

  async members(call: EtcdCallOptions): Promise<readonly MemberStatus[]> {
    const members = await this.#timed("other", () => this.parts.etcd.members(call));
    this.#sizes(members);
    return members;
  }

  compact(revision: bigint, call: EtcdCallOptions): Promise<void> {
    return this.#timed("other", () => this.parts.etcd.compact(revision, call));
  }

  close(): Promise<void> {
    return this.parts.etcd.close();
  }

  async #timed<T>(request: Request, call: () => Promise<T>): Promise<T> {
    const { clock, metrics, side } = this.parts;
    const begin = clock.monotonicMs();
    try {
      return await call();
    } catch (error) {
      this.#failed(error, undefined);
      throw error;
    } finally {
      const seconds = (clock.monotonicMs() - begin) / 1_000;
      metrics.observe("svc_ferry_mirror_etcd_request_seconds", { side, request }, seconds);
    }
  }

  /** A call that was given up on purpose has not failed, and a compacted revision is in the nature of things. */
  #failed(error: unknown, signal: AbortSignal | undefined): void {
    if (signal?.aborted === true || error instanceof WatchCompacted) return;
    if (!(error instanceof EtcdError)) return;
    const { metrics, side } = this.parts;
    metrics.count("svc_ferry_mirror_etcd_errors_total", { side, kind: error.kind });
  }

  #sizes(members: readonly MemberStatus[]): void {
    const { metrics, side } = this.parts;
    const largest = (size: (member: MemberStatus) => bigint): number =>
      Math.max(0, ...members.map((member) => Number(size(member))));
    const set = (state: "allocated" | "in-use" | "quota", bytes: number): void =>
      metrics.set("svc_ferry_mirror_etcd_bytes", { side, state }, bytes);
    set(
      "allocated",
      largest(({ dbSizeBytes }) => dbSizeBytes),
    );
    set(
      "in-use",
      largest(({ dbSizeInUseBytes }) => dbSizeInUseBytes),
    );
    set(
      "quota",
      largest(({ dbSizeQuotaBytes }) => dbSizeQuotaBytes),
    );
  }
}
