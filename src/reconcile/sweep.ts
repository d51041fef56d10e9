/**
 * Compares everything of the link: every name that is wanted and every name
 * that we have. What differs becomes work like any other; deletions are counted
 * first, and the brake decides about all of them together.
 */
import { brake } from "../domain/brake.js";
import { sourceOf } from "../domain/plan.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { Clock } from "../ports/clock.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { SourceView } from "../ports/source-view.js";
import type { WorkNote } from "../ports/work.js";
import type { OrphanReporter } from "./orphan-reporter.js";

export interface SweepSettings {
  readonly destination: string;
  readonly intervalMs: number;
  /** Read at each sweep: an operator may allow so many deletions while we run. */
  readonly massDeleteLimit: () => number;
}

export interface SweepParts {
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly clock: Clock;
  readonly orphans: OrphanReporter;
  readonly enqueue: (target: ServiceKey, note: WorkNote) => void;
}

/** Requests that come within this time of each other make one sweep. */
const COALESCE_MS = 200;
/** A person who lets a blocked deletion pass wants to see it happen. */
const BLOCKED_INTERVAL_MS = 10_000;
/** Of the deletions that the brake holds, so many are checked: a list that came back empty is found out by one of them. */
const SAMPLES = 3;

export class Sweep {
  #requested: (() => void) | undefined;
  #pending = false;
  #blocked = false;

  constructor(
    private readonly settings: SweepSettings,
    private readonly parts: SweepParts,
  ) {}

  /** A relist, or a mirror that nobody seems to want: compare everything soon. */
  request(): void {
    this.#pending = true;
    this.#requested?.();
  }

  /** Sweeps at once, then periodically and on request, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#pending = false;
      this.sweep();
      await this.#due(signal);
    }
  }

  /** One sweep: enqueues; the writing is done by the workers. */
  sweep(): void {
    const { source, view, clock, enqueue, orphans } = this.parts;
    const { destination } = this.settings;
    const wanted = new Set(source.targets(destination));
    const unwanted = [...view.mirrors()]
      .filter((target) => !wanted.has(target))
      .map((target) => ({ target, source: sourceIn(view, target) }));
    const verdict = brake(unwanted.length, view.mirrorCount, this.settings.massDeleteLimit());
    this.#blocked = verdict.kind === "blocked";
    orphans.swept(verdict, unwanted);
    const note: WorkNote = { sinceMs: clock.monotonicMs(), cause: "sweep" };
    for (const target of wanted) enqueue(target, note);
    if (verdict.kind === "open") {
      for (const { target } of unwanted) enqueue(target, { ...note, swept: true });
    } else {
      const step = Math.ceil(unwanted.length / SAMPLES);
      const samples = unwanted.filter((_, number) => number % step === 0);
      for (const { target } of samples) enqueue(target, { ...note, doubted: true });
    }
    for (const target of view.leftovers()) {
      if (!wanted.has(target) && view.existing(target).kind !== "ours") enqueue(target, note);
    }
  }

  /** Waits for the interval's end or a request, and then for more requests to join. */
  async #due(signal: AbortSignal): Promise<void> {
    if (!this.#pending) {
      const wake = new AbortController();
      this.#requested = () => wake.abort();
      const { intervalMs } = this.settings;
      const pauseMs = this.#blocked ? Math.min(BLOCKED_INTERVAL_MS, intervalMs) : intervalMs;
      await this.parts.clock.sleep(pauseMs, AbortSignal.any([signal, wake.signal]));
      this.#requested = undefined;
    }
    if (this.#pending) await this.parts.clock.sleep(COALESCE_MS, signal);
  }
}

/** The source that a mirror names; its own name where that is lost. */
function sourceIn(view: DestinationView, target: ServiceKey): ServiceKey {
  const existing = view.existing(target);
  return (existing.kind === "ours" ? sourceOf(existing.service) : undefined) ?? target;
}
