/**
 * Keeps the books in memory while another process holds the fence, so that whoever takes over need not read them first.
 *
 * 1. State and books are read at one revision, page by page and calmly.
 * 2. A watch of the link's keys follows them from the revision after that.
 * 3. When the fence is ours and batches are folded, the books are handed over, as soon as the watch has brought *our own fence*:
 *    every transaction of an earlier holder compares the fence that was his, which is gone when ours is made, so whatever he has
 *    written has a lower revision than our fence, and a watch delivers in order. A late transaction of his cannot come after it.
 *
 * Invariant: nobody decides by what was read before 3 holds. Where it cannot hold (not read to the end, watch lost, other rules or
 * another history of the source than the records were judged by, too late) everything is read again, as if nobody had stood by.
 *
 * Rejected: to wait until the watch has reached the revision of now. Old servers tell no progress, and where nothing of the link
 * happens there is no other word of it. The fence is an event like any other.
 */
import { OVER } from "../../src/ports/aborted.js";
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EtcdError, WatchCompacted, prefixEnd, type Etcd } from "../etcd/etcd.js";
import type { HeldFence } from "../fence/held-fence.js";
import type { Books } from "../ledger/books.js";
import { BookUnreadable } from "../ledger/record.js";
import { Bell } from "../link/bell.js";
import type { Keyspace } from "../link/keyspace.js";
import { FIRST_HISTORY, decodeState } from "../link/state.js";
import { calmPages } from "./calm-pages.js";
import { FollowedBooks } from "./followed-books.js";
import { WatchedHistory } from "./watched-history.js";

export interface StandbyParts {
  /** The destination. */
  readonly etcd: Etcd;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keyspace;
  /** What would be in force if the fence were ours now, with this history of the source; undefined: there are no rules. */
  readonly epochIn: (history: number) => string | undefined;
}

/** A fifth of the time is spent reading: 100,000 records take some 10 s then. */
const CALM = 4;
/** Before everything is read again, or another look at a link that is sealed. */
const AGAIN_MS = 2_000;
/** A watch is behind by milliseconds. To read 100,000 records takes as long as this. */
const CATCH_UP_MS = 2_000;

export class Standby {
  readonly #end = new AbortController();
  readonly #news = new Bell();
  #running: Promise<void> | undefined;
  /** Read to the end, and followed; undefined: not yet, or not any more. */
  #followed: FollowedBooks | undefined;
  #calm = CALM;

  constructor(private readonly parts: StandbyParts) {}

  /** Somebody else holds the fence. Called again it does nothing. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#run(this.#end.signal);
    // Told by `stop`, which whoever has started it calls in any case.
    this.#running.catch(() => undefined);
  }

  /** @throws what is a defect of ours */
  async stop(): Promise<void> {
    this.#finish();
    await this.#running;
  }

  /**
   * Ends the standby. Called when the fence is ours and no batch is left in etcd.
   * @param epoch in force
   * @returns what openBooks would read; undefined: it has to
   */
  async handOver(
    epoch: string,
    fence: Pick<HeldFence, "createRevision" | "signal">,
  ): Promise<Books | undefined> {
    const { log } = this.parts;
    const followed = this.#followed;
    try {
      if (followed?.judgedBy.epoch !== epoch) return undefined;
      await this.#caughtUp(followed, fence);
      if (this.#followed !== followed || !followed.areWhole(fence.createRevision)) return undefined;
      const { books } = followed;
      log.info({ records: books.index.size }, "books taken over from memory");
      return books;
    } finally {
      // In the same tick: from here on the books are changed by whoever has them, and by nobody else.
      this.#finish();
    }
  }

  #finish(): void {
    this.#end.abort(OVER);
    this.#followed = undefined;
  }

  async #caughtUp(
    followed: FollowedBooks,
    { createRevision, signal }: Pick<HeldFence, "createRevision" | "signal">,
  ): Promise<void> {
    const over = new AbortController();
    const late = new AbortController();
    const timer = this.parts.clock.sleep(CATCH_UP_MS, over.signal).then(() => late.abort(OVER));
    const until = AbortSignal.any([late.signal, signal]);
    const isMissing = (): boolean => !followed.areWhole(createRevision);
    while (this.#followed === followed && isMissing() && !until.aborted) {
      await this.#news.wait(until);
    }
    over.abort(OVER);
    await timer;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(error);
      }
      this.#followed = undefined;
      this.#news.call();
      await this.parts.clock.sleep(AGAIN_MS, signal);
    }
  }

  /** Returns when what was read is of no use any more. @throws EtcdError, WatchCompacted, BookUnreadable */
  async #follow(signal: AbortSignal): Promise<void> {
    const { etcd, keys, log, epochIn } = this.parts;
    const { header, kvs } = await etcd.range({ key: keys.state }, { signal });
    const state = kvs[0] && decodeState(kvs[0].value);
    const history = state?.history ?? FIRST_HISTORY;
    const epoch = epochIn(history);
    // The next one that takes the fence of a sealed link gives it back, and needs no books.
    if (state?.phase === "sealed" || epoch === undefined) return;
    const followed = await this.#read(header.revision, { epoch, history }, signal);
    this.#followed = followed;
    const records = followed.books.index.size;
    log.info({ records, revision: header.revision.toString() }, "standing by, books in memory");
    await this.#watch(followed, header.revision, signal);
  }

  async #watch(followed: FollowedBooks, revision: bigint, signal: AbortSignal): Promise<void> {
    const { etcd, keys, epochIn } = this.parts;
    const range = { key: keys.base, rangeEnd: prefixEnd(keys.base) };
    const history = new WatchedHistory(revision);
    for await (const item of etcd.watch({ range, from: revision + 1n, signal })) {
      if (signal.aborted) return;
      if (item.kind === "reconnected" && !(await history.goesOn(etcd, signal))) return;
      history.saw(item);
      if (item.kind !== "events") continue;
      for (const event of item.events) followed.saw(event);
      if (epochIn(followed.history) !== followed.judgedBy.epoch) return;
      this.#calm = CALM;
      this.#news.call();
    }
  }

  /** @throws EtcdError, BookUnreadable */
  async #read(
    revision: bigint,
    { epoch, history }: { readonly epoch: string; readonly history: number },
    signal: AbortSignal,
  ): Promise<FollowedBooks> {
    const { etcd, keys, clock } = this.parts;
    const followed = new FollowedBooks(keys, { epoch, nowMs: clock.now() }, history);
    const reading = { etcd, clock, revision, calm: this.#calm, signal };
    // What batches say is read when they are folded.
    for await (const kvs of calmPages(reading, keys.batchPrefix, { keysOnly: true })) {
      for (const kv of kvs) followed.put(kv);
    }
    for (const prefix of [keys.ownPrefix, keys.debtPrefix, keys.gonePrefix]) {
      for await (const kvs of calmPages(reading, prefix)) for (const kv of kvs) followed.put(kv);
    }
    return followed;
  }

  #failed(error: unknown): void {
    const isOvertaken =
      error instanceof WatchCompacted || (error instanceof EtcdError && error.kind === "compacted");
    // Whoever was too slow for a compaction reads faster the next time, in the end without a pause.
    if (isOvertaken) this.#calm = Math.floor(this.#calm / 2);
    // What is wrong with the etcd or the books is told by the one who needs them: the fence, and openBooks after it.
    else if (!(error instanceof EtcdError || error instanceof BookUnreadable)) throw error;
  }
}
