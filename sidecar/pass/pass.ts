/**
 * One pass over the source: everything that a rule may want, in key order, in pages of the newest state.
 *
 * A pass converges however slow the destination is: pages are not pinned to a revision that would be compacted, what is
 * unchanged costs no write, and an interrupted pass goes on where it was. Whatever changes meanwhile is either seen on a page or
 * by the watch, which begins at the revision of the pass's first answer; the order of revisions decides per key.
 */
import { prefixEnd, type KeyValue } from "../etcd/etcd.js";
import { foldBatches } from "../ledger/fold.js";
import { readGone } from "../ledger/read-gone.js";
import type { StateKeeper } from "../link/state-keeper.js";
import type { PassCause } from "../link/state.js";
import type { PassStatus } from "../status/mirror-status.js";
import { readIndexes, type IndexesRead } from "../view/read-indexes.js";
import { peekPatiently } from "../writer/patient-reading.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import { passOrder } from "./pass-order.js";
import { RangeWalk } from "./range-walk.js";
import { patiently } from "../writer/patiently.js";

/** Between two notes of how far the pass is. */
const NOTE_MS = 10_000;

export interface PassRequest {
  readonly cause: PassCause;
  /** Where an interrupted pass was; its first revision stays. */
  readonly resume?: { readonly startRevision: bigint; readonly lastPath: string } | undefined;
  /** Compare what is in the destination, not only what the ledger says. */
  readonly verifies: boolean;
  /** Ends it before its end. What is written stays; another pass finds it so. */
  readonly signal: AbortSignal;
}

export interface PassResult {
  /** The watch begins here. */
  readonly nextRevision: bigint;
  /** Objects that were written, or whose record was. */
  readonly written: number;
}

export class Pass {
  #walk: RangeWalk | undefined;
  #status: Omit<PassStatus, "read" | "matched" | "written" | "bytes"> | undefined;

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly keeper: StateKeeper,
  ) {}

  get status(): PassStatus | undefined {
    return this.#status && this.#walk && { ...this.#status, ...this.#walk.counts };
  }

  /**
   * Runs to the end and prunes what left.
   * @throws the signal's reason; what ended the term
   */
  async run(request: PassRequest): Promise<PassResult> {
    const { cause, resume, verifies: comparesDestination, signal } = request;
    const { first } = await this.readIndexes(signal);
    this.#warnOfNames();
    const startRevision = resume?.startRevision ?? first;
    const walk = new RangeWalk(this.parts, this.writer, {
      cause: "pass",
      comparesDestination,
      signal,
    });
    this.#walk = walk;
    try {
      await this.#walked(walk, request, startRevision);
    } finally {
      this.#walk = undefined;
      this.#status = undefined;
    }
    const { tally, log } = this.parts;
    log.info({ cause, ...walk.counts }, "pass over the source is complete");
    tally.passes.set(cause, (tally.passes.get(cause) ?? 0) + 1);
    return { nextRevision: startRevision + 1n, written: walk.counts.written };
  }

  async #walked(
    walk: RangeWalk,
    { cause, resume, signal }: PassRequest,
    startRevision: bigint,
  ): Promise<void> {
    const { clock, log, books, transactions } = this.parts;
    const startedAtMs = clock.now();
    const expected = await this.#expected(resume?.lastPath, signal);
    this.#status = { cause, startRevision, expected, startedAtMs };
    await this.#note(cause, startRevision, resume?.lastPath ?? "");
    log.info({ cause, revision: startRevision.toString() }, "pass over the source begins");
    try {
      await this.#walkAll(walk, cause, startRevision, resume?.lastPath);
    } finally {
      // Also of half a pass: the next one looks for single records.
      await walk.landed();
      if (this.writer.bulk.batches > 0) await foldBatches(transactions, books.keys);
    }
    await walk.leavers.remove(cause, signal);
    if (cause === "verify") await readGone(transactions, books, clock.now());
  }

  /**
   * Reads Namespaces and CRDs of the source: what everything else is judged by.
   * @throws the signal's reason; what ended the term
   */
  async readIndexes(signal: AbortSignal): Promise<IndexesRead> {
    const { source: etcd, clock, log, transactions, sourcePrefix, view } = this.parts;
    const either = AbortSignal.any([signal, transactions.signal]);
    const peek = (kv: KeyValue): ReturnType<typeof peekPatiently> => peekPatiently(this.parts, kv);
    return readIndexes({ etcd, clock, log, signal: either, sourcePrefix, view, peek });
  }

  #warnOfNames(): void {
    const { view, log } = this.parts;
    for (const { line, message: text } of view.rules.unresolved(view.catalog)) {
      log.warn({ line, text }, "a rule names what is not there");
    }
  }

  async #walkAll(
    walk: RangeWalk,
    cause: PassCause,
    startRevision: bigint,
    resumeAfter: string | undefined,
  ): Promise<void> {
    const { view } = this.parts;
    let after = resumeAfter === "" ? undefined : resumeAfter;
    let notedMs = this.parts.clock.monotonicMs();
    const prefixes: string[] = [];
    for (const group of passOrder(view.rules, view.catalog)) {
      for (const { path } of group) {
        const prefix = `${path}/`;
        prefixes.push(prefix);
        if (after !== undefined && !after.startsWith(prefix)) continue;
        await walk.walk(prefix, after, async (_page, lastPath) => {
          if (this.parts.clock.monotonicMs() - notedMs < NOTE_MS) return;
          await walk.landed();
          await this.#note(cause, startRevision, lastPath);
          notedMs = this.parts.clock.monotonicMs();
        });
        after = undefined;
      }
      await walk.landed();
    }
    // Nothing is removed on the word of half a pass.
    if (resumeAfter !== undefined && resumeAfter !== "") return;
    await walk.walkLedger("", (path) => prefixes.some((prefix) => path.startsWith(prefix)));
  }

  /** Objects of the source below the prefixes that are read, behind the place where an interrupted pass was. */
  async #expected(lastPath: string | undefined, signal: AbortSignal): Promise<number> {
    const { view, source, sourcePrefix } = this.parts;
    let after = lastPath === "" ? undefined : lastPath;
    let expected = 0;
    for (const { path } of passOrder(view.rules, view.catalog).flat()) {
      const prefix = `${path}/`;
      if (after !== undefined && !after.startsWith(prefix)) continue;
      const key = sourcePrefix.key(after === undefined ? prefix : `${after}\0`);
      const range = { key, rangeEnd: prefixEnd(sourcePrefix.key(prefix)), countOnly: true };
      const { count } = await patiently(this.parts, () => source.range(range, { signal }));
      expected += Number(count);
      after = undefined;
    }
    return expected;
  }

  async #note(cause: PassCause, startRevision: bigint, lastPath: string): Promise<void> {
    await this.keeper.write({ pass: { cause, startRevision, lastPath } });
  }
}
