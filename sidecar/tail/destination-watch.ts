/**
 * Watches the destination: what somebody else does to what is ours is seen at once, and what debts wait for too. Our own writes
 * come by here as well; they are known by their revision.
 */
import type { DebtPayer } from "../debts/debt-payer.js";
import {
  WatchCompacted,
  prefixEnd,
  type Etcd,
  type EtcdWatch,
  type RangeOptions,
  type RangeResult,
  type WatchedEvent,
} from "../etcd/etcd.js";
import { KeyCursor } from "../ledger/key-cursor.js";
import { Bell } from "../link/bell.js";
import { CRDS, NAMESPACES } from "../view/source-view.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";

/** Our own write is often seen before its answer is; so suspicion is looked into a moment later. */
const LOOK_MS = 200;

/**
 * Rests between two pages of what is compared after a start, as a multiple of what a page took: a fifth of one core at most, because the
 * tail goes on beside it, and 100,000 keys are 200 pages.
 */
const REST = 4;

export class DestinationWatch {
  /** Path -> newest revision that was seen and is not ours as far as we know. */
  readonly #suspects = new Map<string, bigint>();
  readonly #suspected = new Bell();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly payer: DebtPayer,
    private readonly etcd: Etcd,
  ) {}

  /** Runs until `signal` aborts. What happened while nobody watched is looked for beside the watch, each time. */
  async watch(signal: AbortSignal): Promise<never> {
    const { prefix } = this.parts.destination.prefix;
    const range = { key: prefix, rangeEnd: prefixEnd(prefix) };
    for (;;) {
      signal.throwIfAborted();
      const { header } = await this.parts.transactions.range({ key: prefix });
      const over = new AbortController();
      const both = AbortSignal.any([signal, over.signal]);
      const events = this.etcd.watch({ range, from: header.revision + 1n, signal: both });
      try {
        await Promise.all([this.#catchUp(both), this.#follow(events)]);
      } catch (error) {
        if (!(error instanceof WatchCompacted)) throw error;
      } finally {
        over.abort();
      }
    }
  }

  /** Compares revisions of what is ours with those of the destination's keys; no values are read. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { books, destination } = this.parts;
    const read = this.#unhurried(signal);
    const owned = new KeyCursor(read, books.keys.ownPrefix, { prefix: "" });
    const present = new KeyCursor(read, destination.prefix.prefix, { prefix: "" });
    for await (const path of owned.before(undefined)) {
      signal.throwIfAborted();
      if (present.mayReach(path)) await drain(present.before(path));
      const kv = await present.take(path);
      const known = books.index.get(path);
      const isMoved = known !== undefined && known.destinationRevision !== kv?.modRevision;
      if (isMoved && !this.writer.isBusy(path)) await this.writer.lookAgain(path);
    }
  }

  #unhurried(signal: AbortSignal): (options: RangeOptions) => Promise<RangeResult> {
    const { clock, transactions } = this.parts;
    let restMs = 0;
    return async (options) => {
      if (restMs > 0) await clock.sleep(restMs, signal);
      signal.throwIfAborted();
      const beganMs = clock.monotonicMs();
      const page = await transactions.range(options);
      restMs = REST * (clock.monotonicMs() - beganMs);
      return page;
    };
  }

  async #follow(items: EtcdWatch): Promise<void> {
    for await (const item of items) {
      if (item.kind === "events") item.events.forEach((event) => this.#saw(event));
    }
  }

  /** Runs until `signal` aborts. @throws what ended the term */
  async look(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#suspects.size === 0) await this.#suspected.wait(signal);
      await this.parts.clock.sleep(LOOK_MS, signal);
      for (const [path, revision] of [...this.#suspects]) {
        if (this.writer.isBusy(path)) continue;
        this.#suspects.delete(path);
        if (this.#isMoved(path, revision)) await this.writer.lookAgain(path);
      }
    }
  }

  #saw({ kv }: WatchedEvent): void {
    const { destination, books } = this.parts;
    const path = destination.prefix.path(kv.key);
    const isOurs = !this.#isMoved(path, kv.modRevision);
    if (!isOurs && (path.startsWith(NAMESPACES) || path.startsWith(CRDS))) this.#forget(path);
    if (books.debts.size > 0) this.#trigger(path);
    if (!isOurs && (books.index.has(path) || this.writer.isBusy(path))) {
      this.#suspects.set(path, kv.modRevision);
      this.#suspected.call();
    }
  }

  #isMoved(path: string, revision: bigint): boolean {
    const known = this.parts.books.index.get(path);
    return known === undefined || known.destinationRevision < revision;
  }

  #forget(path: string): void {
    this.parts.destination.forget(path);
  }

  #trigger(path: string): void {
    this.payer.trigger(path);
    if (path.startsWith(NAMESPACES)) {
      this.payer.triggerAll(["no-namespace", "namespace-terminating", "via-api"]);
    } else if (path.startsWith(CRDS)) {
      this.payer.triggerAll(["no-crd", "version-not-served"]);
    } else {
      this.payer.triggerAll(["owner-missing"]);
    }
  }
}

/** Takes what is of no interest. */
async function drain(paths: AsyncIterable<string>): Promise<void> {
  for await (const _ of paths);
}
