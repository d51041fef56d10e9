/** Walks one range of paths of the source, and beside it what is ours there, and offers what it sees. */
import type { KeyValue } from "../etcd/etcd.js";
import { KeyCursor } from "../ledger/key-cursor.js";
import type { Observation } from "../writer/observation.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import { Flight } from "./flight.js";
import { Leavers } from "./leavers.js";
import { sourcePages, type SourcePage } from "./source-pages.js";

export interface WalkOptions {
  readonly cause: "pass" | "rescan";
  /** Look at the destination's keys too: what was changed or is gone there is noticed. */
  readonly comparesDestination: boolean;
  /** Ends it: nothing more is offered. */
  readonly signal: AbortSignal;
}

/** What a walk has seen so far. */
export interface WalkCounts {
  read: number;
  matched: number;
  written: number;
  bytes: number;
}

export class RangeWalk {
  readonly leavers: Leavers;
  readonly counts: WalkCounts = { read: 0, matched: 0, written: 0, bytes: 0 };
  readonly #flight: Flight;

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly options: WalkOptions,
  ) {
    this.leavers = new Leavers(parts, writer);
    this.#flight = new Flight((path, outcome) => {
      if (outcome === "leaves") this.leavers.add(path);
      else if (outcome !== "ignored") this.counts.matched += 1;
      if (outcome === "put" || outcome === "ledger") this.counts.written += 1;
    });
  }

  /**
   * @param prefix of paths: "configmaps/", "configmaps/shop/"
   * @param onPage told the last path of each page that was offered
   * @throws the signal's reason; what ended the term
   */
  async walk(
    prefix: string,
    after?: string,
    onPage: (page: SourcePage, lastPath: string) => Promise<void> = async () => {},
  ): Promise<void> {
    const { source, sourcePrefix, books, clock, log, transactions } = this.parts;
    const { signal } = this.options;
    const range = { prefix, after };
    const read = transactions.range.bind(transactions);
    const reader = books.tombstones.reads();
    const owned = new KeyCursor(read, books.keys.ownPrefix, range);
    const present = this.options.comparesDestination
      ? new KeyCursor(read, this.parts.destination.prefix.prefix, range)
      : undefined;
    const pages = sourcePages({
      etcd: source,
      clock,
      log,
      signal: AbortSignal.any([signal, transactions.signal]),
      prefix: sourcePrefix.key(prefix),
      after: after === undefined ? undefined : sourcePrefix.key(after),
    });
    try {
      for await (const page of pages) {
        reader.isAt(page.header.revision);
        await this.#page(page, owned, present);
        const last = page.kvs.at(-1);
        if (last !== undefined) await onPage(page, sourcePrefix.path(last.key));
      }
    } finally {
      reader.end();
    }
  }

  /** Everything below `from` and before `end` that is ours, where no rule looks any more. */
  async walkLedger(prefix: string, isCovered: (path: string) => boolean): Promise<void> {
    const { books, transactions } = this.parts;
    const read = transactions.range.bind(transactions);
    const owned = new KeyCursor(read, books.keys.ownPrefix, { prefix });
    for await (const path of owned.before(undefined)) {
      this.options.signal.throwIfAborted();
      if (!isCovered(path)) this.leavers.add(path);
    }
  }

  /** A barrier. */
  landed(): Promise<void> {
    return this.#flight.landed();
  }

  async #page(page: SourcePage, owned: KeyCursor, present: KeyCursor | undefined): Promise<void> {
    for (const kv of page.kvs) {
      this.options.signal.throwIfAborted();
      await this.#step(page, kv, owned, present);
    }
    if (!page.more) for await (const path of owned.before(undefined)) this.#gone(path, page);
  }

  async #step(
    page: SourcePage,
    kv: KeyValue,
    owned: KeyCursor,
    present: KeyCursor | undefined,
  ): Promise<void> {
    const path = this.parts.sourcePrefix.path(kv.key);
    if (owned.mayReach(path)) {
      for await (const gone of owned.before(path)) this.#gone(gone, page);
      await owned.take(path);
    }
    const check = present?.mayReach(path)
      ? await this.#isMoved(path, present)
      : present !== undefined && this.parts.books.index.has(path);
    const { revision } = page.header;
    this.counts.read += 1;
    this.counts.bytes += kv.value.length;
    const observation: Observation = { path, revision, kv, cause: this.options.cause, check };
    const offered = this.writer.offer(observation, "bulk");
    this.#flight.add(path, offered instanceof Promise ? await offered : offered);
  }

  /** Ours, and not on the page that covers its place. */
  #gone(path: string, page: SourcePage): void {
    const known = this.parts.books.index.get(path);
    if (known === undefined) return;
    if (!known.isComparable || known.sourceRevision <= page.header.revision) this.leavers.add(path);
  }

  /** The destination's key is not as we left it. What is under way at the moment may look so too, and costs one look more. */
  async #isMoved(path: string, present: KeyCursor): Promise<boolean> {
    for await (const _ of present.before(path)); // not in the source: of no interest here
    const kv = await present.take(path);
    const known = this.parts.books.index.get(path);
    return known !== undefined && known.destinationRevision !== kv?.modRevision;
  }
}
