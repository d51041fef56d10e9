/** Gathers what a running mirror tells of itself. */
import type { DebtCode } from "../debts/debt.js";
import type { Fence } from "../fence/fence.js";
import type { MirrorOptions } from "../link/mirror-options.js";
import type { OpenLink } from "../link/open-link.js";
import type { PassCause } from "../link/state.js";
import { Convergence } from "../pass/convergence.js";
import type { LowWaterMark } from "../writer/low-water-mark.js";
import { DebtBook } from "../debts/debt-book.js";
import { Keyspace } from "../link/keyspace.js";
import type { Activity, LastError, MirrorStatus, RefusedObject } from "./mirror-status.js";
import { Tally } from "./tally.js";

const MOST_REFUSED = 100;
/** What is told while no term runs. */
const NOTHING_OPEN = {
  rules: [],
  owned: 0,
  brake: { engaged: false, causes: [], held: 0 },
  transactions: { succeeded: 0, conflicted: 0, failed: 0, unknown: 0 },
  paused: undefined,
};

export class StatusBoard {
  readonly tally = new Tally();
  activity: Activity = "waiting";
  #link: OpenLink | undefined;
  #mark: LowWaterMark | undefined;
  /** Of the newest term that has followed the source. */
  #lastMark: LowWaterMark | undefined;
  #lastError: LastError | undefined;

  readonly convergence: Convergence;

  constructor(
    private readonly options: MirrorOptions,
    private readonly fence: Fence,
  ) {
    this.convergence = new Convergence(options.clock);
  }

  /** What the term that runs stands on. */
  get link(): OpenLink | undefined {
    return this.#link;
  }

  opened(link: OpenLink): void {
    this.#link = link;
    this.#mark = undefined;
  }

  following(mark: LowWaterMark): void {
    this.#mark = mark;
    this.#lastMark = mark;
    this.activity = "following";
    this.convergence.follows();
  }

  ended(): void {
    this.#link = undefined;
    this.#mark = undefined;
  }

  failed(error: unknown): void {
    const isError = error instanceof Error;
    const code = isError ? ("kind" in error ? String(error.kind) : error.name) : "unknown";
    const message = isError ? error.message : String(error);
    this.#lastError = { code, message, atMs: this.options.clock.now() };
    this.options.log.warn({ err: error }, "the mirror begins anew");
  }

  stopped(error: unknown): void {
    this.activity = "stopped";
    this.options.log.error({ err: error }, "the mirror stops");
  }

  get status(): MirrorStatus {
    const { tally } = this;
    const rates = this.convergence.tooSlow;
    return {
      link: this.options.link,
      activity: this.activity,
      fence: this.fence.status,
      ...this.#progress(),
      ...this.#books(),
      passes: passCounts(tally.passes),
      destinationTooSlow: rates !== undefined,
      rates,
      conflicts: { skipped: tally.conflictsSkipped, adopted: tally.conflictsAdopted },
      drift: {
        repaired: tally.driftRepaired,
        reported: tally.driftReported,
        touched: tally.touched,
      },
      bytesWritten: tally.bytesWritten,
      objects: { put: tally.put, deleted: tally.deleted, ledgerOnly: tally.ledgerOnly },
      mode: this.#link?.writer.bulk.isOn === true ? "cold" : "live",
      lastError: this.#lastError,
    };
  }

  #progress() {
    const mark = this.#mark;
    const state = this.#link?.keeper.state;
    return {
      phase: state?.phase,
      revisionRead: mark?.read,
      revisionApplied: mark?.mark ?? state?.applied,
      lagMs: (mark ?? this.#leftOff())?.lagMs(this.options.clock.monotonicMs()) ?? 0,
      apiLagMs: this.#apiLagMs(),
      rulesHash: state?.rulesHash,
      pass: this.#link?.pass.status,
    };
  }

  /** Where the last term has left off: with a destination that is away the fence is lost, and nobody follows. Else somebody does. */
  #leftOff(): LowWaterMark | undefined {
    const { held, holder } = this.fence.status;
    const isNobodys = held || holder === undefined;
    const isToGoOn = ["waiting", "loading", "copying"].includes(this.activity);
    return isNobodys && isToGoOn ? this.#lastMark : undefined;
  }

  #apiLagMs(): number {
    const sinceMs = this.#link?.books.debts.oldestSinceMs("via-api");
    return sinceMs === undefined ? 0 : Math.max(0, this.options.clock.now() - sinceMs);
  }

  #books() {
    const link = this.#link;
    if (link === undefined) return { ...NOTHING_OPEN, debts: this.#noDebts(), refused: [] };
    const { books, view, brake, transactions } = link;
    return {
      rules: view.rules.rules.map(({ label, index }) => ({
        label,
        owned: books.index.ownedBy(index),
      })),
      owned: books.index.size,
      debts: books.debts.counts,
      refused: this.#refused(),
      brake: brake.status(books.debts.count("braked")),
      transactions: transactions.counts,
      paused: transactions.paused,
    };
  }

  #refused(): readonly RefusedObject[] {
    const all = [...(this.#link?.books.debts.all() ?? [])].slice(-MOST_REFUSED);
    return all.map(([path, { code, detail, sinceMs }]) => ({ path, code, detail, sinceMs }));
  }

  #noDebts(): Readonly<Record<DebtCode, number>> {
    return new DebtBook(new Keyspace(this.options.link)).counts;
  }
}

function passCounts(counts: ReadonlyMap<PassCause, number>): Readonly<Record<PassCause, number>> {
  const all = { ...NO_PASSES };
  for (const [cause, count] of counts) all[cause] = count;
  return all;
}

const NO_PASSES: Record<PassCause, number> = {
  first: 0,
  resumed: 0,
  compacted: 0,
  reload: 0,
  "rules-settled": 0,
  "source-changed": 0,
  "destination-changed": 0,
  verify: 0,
  requested: 0,
};
