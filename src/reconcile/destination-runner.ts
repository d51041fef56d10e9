/**
 * One destination while this process leads: its queue, its workers, its sweep.
 * Each destination has its own of everything, so one that is down neither slows
 * nor stops another.
 */
import { homelessLease } from "../domain/namespaces.js";
import type { ServiceKey } from "../domain/service-key.js";
import { aborted } from "../ports/aborted.js";
import type { Clock } from "../ports/clock.js";
import type { DestinationLease, DestinationLeaseState } from "../ports/destination-lease.js";
import type { DestinationView } from "../ports/destination-view.js";
import { ExpiringMap } from "../ports/expiring-map.js";
import type { Metrics } from "../ports/metrics.js";
import type { Random } from "../ports/random.js";
import type { SourceView } from "../ports/source-view.js";
import type { Term } from "../ports/term.js";
import { mergeNotes, type WorkNote } from "../ports/work.js";
import { WorkQueue } from "../queue/work-queue.js";
import { Breather } from "./breather.js";
import type { Outcome, PassResult } from "./pass.js";
import type { Reconciler } from "./reconciler.js";
import type { OrphanReporter } from "./orphan-reporter.js";
import type { Reporter } from "./reporter.js";
import { Sweep } from "./sweep.js";
import { WorkerPool } from "./worker-pool.js";

/** A write in flight may end after the term: cutting it would leave its outcome unknown. Well below the 5 s of a stop. */
const DRAIN_MS = 2_500;
/** How often Services are told why nothing happens, while the link's Lease cannot be had. */
const LOOK_MS = 2_000;

/** From the death of a leader to the next one's first write it takes a lease and a second. */
const MISSED_FOR_MS = 60_000;
const MAX_MISSED = 1_000;

/** Between two Services of one burst less time passes than this. */
const CALM_MS = 100;

export interface DestinationRunnerSettings {
  readonly destination: string;
  /** Where the link's Lease lies. */
  readonly leaseNamespace: string;
  /** Attempts at once; more than connections only wait for each other. */
  readonly workers: number;
  readonly sweepIntervalMs: number;
  readonly staleRouteGraceMs: number;
  readonly massDeleteLimit: () => number;
}

export interface Backlog {
  readonly live: number;
  readonly bulk: number;
  readonly inFlight: number;
  /** For how long the first one has been waiting. */
  readonly oldestMs: number;
}

export interface DestinationRunnerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly lease: DestinationLease;
  readonly reconciler: Reconciler;
  readonly reporter: Reporter;
  readonly orphans: OrphanReporter;
  readonly metrics: Metrics;
}

export class DestinationRunner {
  #queue: WorkQueue<ServiceKey, WorkNote> | undefined;
  #sweep: Sweep | undefined;
  #lastPassMs = -Infinity;
  /** Names to which something happened while nothing could be done about it. */
  readonly #missed: ExpiringMap<WorkNote>;

  constructor(
    private readonly settings: DestinationRunnerSettings,
    private readonly parts: DestinationRunnerParts,
  ) {
    const { clock } = parts;
    this.#missed = new ExpiringMap({ clock, keepMs: MISSED_FOR_MS, maxEntries: MAX_MISSED });
  }

  /**
   * Something happened to this name. Without a term the last ones are remembered, to be the first of the next term; its sweep
   * finds all others, and alone decides over deletions.
   */
  add(target: ServiceKey, note: WorkNote): void {
    const { sinceMs, cause } = note;
    if (this.#queue !== undefined) {
      this.#queue.add(target, { priority: cause === "sweep" ? "bulk" : "live", note });
    } else if (note.unmapped === true || note.doubted === true) {
      this.#missed.delete(target);
    } else if (cause !== "sweep") {
      this.#missed.set(target, { sinceMs, cause });
    }
  }

  /** A relist: compare everything. */
  requestSweep(): void {
    this.#sweep?.request();
  }

  /** Names are worked at, or were a moment ago. */
  get isBusy(): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    const quietMs = this.parts.clock.monotonicMs() - this.#lastPassMs;
    return queue.inFlight > 0 || quietMs < CALM_MS;
  }

  /** Names that can be taken, by priority, and those that are worked at. */
  get backlog(): Backlog {
    const queue = this.#queue;
    if (queue === undefined) return { live: 0, bulk: 0, inFlight: 0, oldestMs: 0 };
    return {
      inFlight: queue.inFlight,
      live: queue.depth("live"),
      bulk: queue.depth("bulk"),
      oldestMs: Math.max(queue.oldestMs("live"), queue.oldestMs("bulk")),
    };
  }

  /** Works for one term. The destination's caches are synced. Resolves when the term is over and nothing is in flight. */
  async lead(term: Term): Promise<void> {
    const { clock, random, lease } = this.parts;
    const ledSinceMs = clock.monotonicMs();
    const held = lease.hold(term.signal);
    while (!term.signal.aborted) {
      await this.#untilHeld(term.signal);
      if (term.signal.aborted) break;
      const queue = new WorkQueue<ServiceKey, WorkNote>({ clock, random, mergeNotes });
      await this.#work(term, queue, ledSinceMs, lease.lost());
      await queue.close();
    }
    await held;
  }

  /**
   * Waits for the link's Lease there; while another has it, or it has no place, every Service says so. Not at once: the Lease of a
   * leader that died ends about when its other one does, and ten thousand Services need a second to say something.
   */
  async #untilHeld(signal: AbortSignal): Promise<void> {
    const { clock, lease, source, reporter } = this.parts;
    while (!signal.aborted && !lease.permit()) {
      const waited = new AbortController();
      const over = AbortSignal.any([signal, waited.signal]);
      const look = clock.sleep(LOOK_MS, over);
      // Not `signal`: what waits for that stays until the term is over, and there is a look every two seconds.
      await Promise.race([lease.held(over), look]);
      waited.abort();
      await look;
      if (signal.aborted || lease.permit()) return;
      const { destination, leaseNamespace } = this.settings;
      tellWhyNotHeld(lease.state, [...source.targets(destination)], { leaseNamespace, reporter });
    }
  }

  /** Counts and times one pass, however it ends. */
  async #timed(pass: () => Promise<PassResult>): Promise<PassResult> {
    const { clock, metrics } = this.parts;
    const { destination } = this.settings;
    const startedMs = clock.monotonicMs();
    let outcome: Outcome | "failed" = "failed";
    try {
      const result = await pass();
      outcome = result.outcome;
      return result;
    } finally {
      this.#lastPassMs = clock.monotonicMs();
      const seconds = (this.#lastPassMs - startedMs) / 1_000;
      metrics.count("svc_ferry_reconcile_total", { destination, outcome });
      metrics.observe("svc_ferry_reconcile_seconds", { destination }, seconds);
    }
  }

  /** Works while both Leases are held. */
  async #work(
    term: Term,
    queue: WorkQueue<ServiceKey, WorkNote>,
    ledSinceMs: number,
    lost: AbortSignal,
  ): Promise<void> {
    const { clock, source, view, reporter, orphans, reconciler, lease } = this.parts;
    const { destination, workers, sweepIntervalMs, staleRouteGraceMs, massDeleteLimit } =
      this.settings;
    const signal = AbortSignal.any([term.signal, lost]);
    const permit = (): boolean => !signal.aborted && term.permit() && lease.permit();
    const drain = drainAfter(signal, clock);
    const pool = new WorkerPool(
      queue,
      ({ key, note, priority }) =>
        this.#timed(() =>
          reconciler.reconcile({
            target: key,
            note: note ?? { sinceMs: clock.monotonicMs(), cause: "sweep" },
            permit: { signal: drain.signal, permit, priority },
            graceOver: clock.monotonicMs() - ledSinceMs >= staleRouteGraceMs,
          }),
        ),
      (target, error, attempt) => reporter.failed(target, error, attempt),
      { workers, breather: new Breather(clock) },
    );
    const sweep = new Sweep(
      { destination, intervalMs: sweepIntervalMs, massDeleteLimit },
      { source, view, clock, orphans, enqueue: (target, note) => this.add(target, note) },
    );
    this.#queue = queue;
    this.#sweep = sweep;
    for (const [target, note] of this.#missed.entries()) this.add(target as ServiceKey, note);
    this.#lookAtVanished();
    reporter.onSweepWanted(() => sweep.request());
    const graceMs = ledSinceMs + staleRouteGraceMs - clock.monotonicMs();
    const graceEnds = clock.sleep(Math.max(0, graceMs), signal).then(() => sweep.request());
    await Promise.all([pool.run(signal), sweep.run(signal), graceEnds]);
    await drain.end();
    this.#queue = undefined;
    this.#sweep = undefined;
  }

  /** Names that came and went while nothing was attempted have left their state only, which no sweep sees. */
  #lookAtVanished(): void {
    const { clock, source, view, reporter } = this.parts;
    const wanted = new Set(source.targets(this.settings.destination));
    for (const { target } of reporter.states()) {
      if (wanted.has(target) || view.existing(target).kind === "ours") continue;
      this.add(target, { sinceMs: clock.monotonicMs(), cause: "sweep" });
    }
  }
}

/** Says of each Service why nothing is attempted. */
function tellWhyNotHeld(
  state: DestinationLeaseState,
  targets: readonly ServiceKey[],
  { leaseNamespace, reporter }: { readonly leaseNamespace: string; readonly reporter: Reporter },
): void {
  switch (state.kind) {
    case "held":
      return;
    case "held-elsewhere": {
      const message = `another process (${state.holder}) holds this installation's link in the destination: a clone, or an installation doubled by mistake; nothing is written until it lets go`;
      for (const target of targets)
        reporter.blocked(target, { code: "link-held-elsewhere", message });
      return;
    }
    case "unknown": {
      const { cause } = state;
      if (cause === undefined) return;
      if (cause === "no-namespace") {
        for (const target of targets) reporter.blocked(target, homelessLease(leaseNamespace));
        return;
      }
      const message =
        "the Lease of this installation's link in the destination can be neither read nor renewed; nothing is written until it can";
      reporter.unattempted(targets, { code: cause, message });
    }
  }
}

/** A signal that aborts DRAIN_MS after `signal`, for requests that are under way; `end` when there are none any more. */
function drainAfter(
  signal: AbortSignal,
  clock: Clock,
): { readonly signal: AbortSignal; end(): Promise<void> } {
  const drained = new AbortController();
  const finished = new AbortController();
  const limit = async (): Promise<void> => {
    await aborted(signal);
    await clock.sleep(DRAIN_MS, finished.signal);
    drained.abort();
  };
  const limited = limit();
  return {
    signal: drained.signal,
    end: () => {
      finished.abort();
      return limited;
    },
  };
}
