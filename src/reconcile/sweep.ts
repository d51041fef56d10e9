/**
 * Compares everything of the link: every name that is wanted and every name
 * that we have. What differs becomes work like any other; deletions are counted
 * first, and the brake decides about all of them together.
 */
import { brake, type BrakeVerdict } from "../domain/brake.js";
import { sourceOf, standing } from "../domain/plan.js";
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
/** A person who lets a blocked deletion pass wants to see it happen. Only what the brake is about is looked at so often. */
const BLOCKED_INTERVAL_MS = 10_000;
/** Of the deletions that the brake holds, so many are checked: a list that came back empty is found out by one of them. */
const SAMPLES = 3;

export class Sweep {
  #requested: (() => void) | undefined;
  #pending = false;
  /** How many deletions the brake holds; undefined: none. */
  #heldBack: number | undefined;

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
    const { view, clock, enqueue, orphans } = this.parts;
    const { wanted, unwanted, verdict } = this.#count();
    this.#heldBack = verdict.kind === "blocked" ? unwanted.length : undefined;
    orphans.swept(
      verdict,
      unwanted.map((target) => ({ target, source: sourceIn(view, target) })),
    );
    const note: WorkNote = { sinceMs: clock.monotonicMs(), cause: "sweep" };
    for (const target of wanted) enqueue(target, note);
    if (verdict.kind === "open") {
      for (const target of unwanted) enqueue(target, { ...note, swept: true });
    } else {
      this.#doubt(unwanted);
    }
    for (const target of view.leftovers()) {
      if (!wanted.has(target) && view.existing(target).kind !== "ours") enqueue(target, note);
    }
  }

  /**
   * What is wanted, which mirrors are not, and what the brake says to their deletion. A name that is merely kept, by a Service
   * that asks for a refused one, is wanted only while the mirror there is its own: as in the pass over one name.
   */
  #count(): {
    readonly wanted: ReadonlySet<ServiceKey>;
    readonly unwanted: readonly ServiceKey[];
    readonly verdict: BrakeVerdict;
  } {
    const { source, view } = this.parts;
    const { destination, massDeleteLimit } = this.settings;
    const wanted = new Set(source.targets(destination));
    const isWanted = (target: ServiceKey): boolean =>
      wanted.has(target) &&
      standing(source.candidates(destination, target), holderOf(view, target)).length > 0;
    const unwanted = [...view.mirrors()].filter((target) => !isWanted(target));
    for (const target of unwanted) wanted.delete(target);
    return {
      wanted,
      unwanted,
      verdict: brake(unwanted.length, view.mirrorCount, massDeleteLimit()),
    };
  }

  #doubt(unwanted: readonly ServiceKey[]): void {
    const { clock, enqueue } = this.parts;
    const step = Math.ceil(unwanted.length / SAMPLES);
    const samples = unwanted.filter((_, number) => number % step === 0);
    const note: WorkNote = { sinceMs: clock.monotonicMs(), cause: "sweep", doubted: true };
    for (const target of samples) enqueue(target, note);
  }

  /** Between two sweeps with the brake on: is it about something else now, or off? Else the samples are checked again. */
  #isOtherwise(): boolean {
    const { unwanted, verdict } = this.#count();
    if (verdict.kind === "open" || unwanted.length !== this.#heldBack) return true;
    this.#doubt(unwanted);
    return false;
  }

  /** Waits for the interval's end or a request, and then for more requests to join. */
  async #due(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const endMs = clock.monotonicMs() + this.settings.intervalMs;
    while (!this.#pending && !signal.aborted) {
      const leftMs = endMs - clock.monotonicMs();
      const isBlocked = this.#heldBack !== undefined;
      await this.#pause(isBlocked ? Math.min(BLOCKED_INTERVAL_MS, leftMs) : leftMs, signal);
      if (clock.monotonicMs() >= endMs || (isBlocked && this.#isOtherwise())) break;
    }
    if (this.#pending) await clock.sleep(COALESCE_MS, signal);
  }

  /** Ends early when a sweep is asked for. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.#requested = () => wake.abort();
    await this.parts.clock.sleep(ms, AbortSignal.any([signal, wake.signal]));
    this.#requested = undefined;
  }
}

/** The source that a mirror names; its own name where that is lost. */
function sourceIn(view: DestinationView, target: ServiceKey): ServiceKey {
  return holderOf(view, target) ?? target;
}

/** undefined: no mirror, or one that names no source. */
function holderOf(view: DestinationView, target: ServiceKey): ServiceKey | undefined {
  const existing = view.existing(target);
  return existing.kind === "ours" ? sourceOf(existing.service) : undefined;
}
