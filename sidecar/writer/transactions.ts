/**
 * The only place that writes to the destination's etcd: every transaction carries the fence, asks `permit()` at the last moment,
 * and is paced. What only a person or time can mend pauses the writer here; it never becomes a debt.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import {
  EtcdError,
  type Compare,
  type Etcd,
  type EtcdErrorKind,
  type KeyValue,
  type RangeOptions,
  type RangeResult,
  type TxnOp,
  type TxnResult,
} from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import { FenceLost, type HeldFence } from "../fence/held-fence.js";
import type { TransactionCounts, WriterPause } from "../status/mirror-status.js";
import type { Pace } from "./pace.js";

/** What is to hold, what is then written, and what is read if it does not hold. */
export interface Intent {
  readonly compare: readonly Compare[];
  readonly write: readonly TxnOp[];
  /** Keys to read in the same round trip when a compare failed. */
  readonly look: readonly string[];
}

export type Committed =
  | { readonly kind: "done"; readonly revision: bigint }
  /** A compare failed. What the keys of `look` hold now, in their order. */
  | {
      readonly kind: "conflict";
      readonly revision: bigint;
      readonly found: readonly (KeyValue | undefined)[];
    }
  /** It was sent, and no answer came: read before anything is sent again. */
  | { readonly kind: "unknown" }
  /** This very transaction can never work on this server. */
  | { readonly kind: "impossible"; readonly why: "too-many-ops" | "too-large" };

/** First and longest wait of a paused writer. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Keys of one question: etcd's default for the operations of a transaction. */
const MOST_READ = 128;

/** What time or a person mends. All else is a defect of ours, or a backend that is no etcd. */
const MENDABLE: ReadonlySet<EtcdErrorKind> = new Set([
  "unavailable",
  "no-space",
  "auth",
  "permission",
  "exhausted",
  "cluster-changed",
]);

interface Parts {
  readonly etcd: Etcd;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace: Pace;
  readonly fence: HeldFence;
}

export class Transactions {
  #succeeded = 0;
  #conflicted = 0;
  #failed = 0;
  #unknown = 0;
  #paused: WriterPause | undefined;

  constructor(private readonly parts: Parts) {}

  get counts(): TransactionCounts {
    const [succeeded, conflicted] = [this.#succeeded, this.#conflicted];
    return { succeeded, conflicted, failed: this.#failed, unknown: this.#unknown };
  }

  /** Aborts when the term is over. */
  get signal(): AbortSignal {
    return this.parts.fence.signal;
  }

  /** Whether a write may start now, for those that go past etcd: to an API server. */
  permit(): boolean {
    return this.parts.fence.permit();
  }

  get paused(): WriterPause | undefined {
    return this.#paused;
  }

  /**
   * Writes once, however long the destination has to be waited for.
   * @throws FenceLost when the term is over; EtcdError for what is a defect of ours (`invalid`, `unsupported`)
   */
  async commit(intent: Intent): Promise<Committed> {
    if (this.parts.pace.isLimited) await this.parts.pace.take(this.parts.fence.signal);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      this.#permit();
      try {
        const committed = await this.#send(intent);
        this.#paused = undefined;
        return committed;
      } catch (error) {
        const outcome = this.#outcome(error);
        if (outcome !== undefined) return outcome;
      }
      await this.parts.clock.sleep(pauseMs, this.parts.fence.signal);
    }
  }

  /**
   * Reads, linearizable, in one round trip: what one transaction shows belongs together. More keys than fit take several; whoever
   * asks for so many compares them when it writes.
   * @throws FenceLost when the term is over
   */
  async read(keys: readonly string[]): Promise<readonly (KeyValue | undefined)[]> {
    const gets = keys.slice(0, MOST_READ).map((key) => ({ kind: "get", key }) as const);
    const { signal } = this;
    const some = await this.#asking((etcd) => etcd.txn(transaction([], gets, []), { signal }));
    if (keys.length <= MOST_READ) return values(some);
    return [...values(some), ...(await this.read(keys.slice(MOST_READ)))];
  }

  /** One page. @throws FenceLost when the term is over */
  range(options: RangeOptions): Promise<RangeResult> {
    const { signal } = this;
    return this.#asking((etcd) => etcd.range(options, { signal }));
  }

  /** Asks as often as it takes: whatever became of a question, it can be asked again. */
  async #asking<T>(question: (etcd: Etcd) => Promise<T>): Promise<T> {
    const { etcd, clock } = this.parts;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      this.#permit();
      try {
        return await question(etcd);
      } catch (error) {
        if (this.#outcome(error)?.kind === "impossible") throw error;
      }
      await clock.sleep(pauseMs, this.signal);
    }
  }

  async #send(intent: Intent): Promise<Committed> {
    const { etcd, fence } = this.parts;
    const look = [fence.compare.key, ...intent.look].map((key) => ({ kind: "get", key }) as const);
    const txn = transaction([fence.compare, ...intent.compare], intent.write, look);
    const result = await etcd.txn(txn, { signal: fence.signal });
    const { revision } = result.header;
    if (result.succeeded) {
      this.#succeeded += 1;
      return { kind: "done", revision };
    }
    const [held, ...found] = values(result);
    if (held?.createRevision !== fence.createRevision) {
      fence.lose("taken");
      throw new FenceLost("taken");
    }
    this.#conflicted += 1;
    return { kind: "conflict", revision, found };
  }

  #permit(): void {
    const { fence } = this.parts;
    if (!fence.permit()) throw fence.signal.reason;
  }

  /** @returns undefined: wait, and send it again. @throws what waiting does not mend */
  #outcome(error: unknown): Committed | undefined {
    const { fence } = this.parts;
    if (fence.signal.aborted) throw fence.signal.reason;
    if (!(error instanceof EtcdError)) throw error;
    this.#failed += 1;
    if (error.kind === "unknown-outcome") {
      this.#unknown += 1;
      return { kind: "unknown" };
    }
    if (error.kind === "too-many-ops" || error.kind === "too-large") {
      return { kind: "impossible", why: error.kind };
    }
    if (!MENDABLE.has(error.kind)) throw error;
    this.#pause(error);
    return undefined;
  }

  #pause(error: EtcdError): void {
    const { clock, log } = this.parts;
    if (this.#paused?.why === error.kind) return;
    this.#paused = { why: error.kind, message: error.message, sinceMs: clock.now() };
    log.warn({ code: error.kind, err: error }, "the destination takes no writes, waiting");
  }
}

function values({ results }: TxnResult): (KeyValue | undefined)[] {
  return results.map((one) => (one.kind === "get" ? one.kvs[0] : undefined));
}
