/**
 * Tells people what happened to the Services of one destination: a log line for
 * each change, an Event for each transition, numbers, and the state that /status
 * shows. Nothing is decided here, and an unchanged state says nothing.
 */
import type { Reason, ReasonCode } from "../domain/codes.js";
import type { Service } from "../domain/objects.js";
import { sourceOf, type Candidate, type ServicePlan } from "../domain/plan.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { Authors } from "../ports/authors.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError, type ErrorCode } from "../ports/errors.js";
import type { EventReason } from "../ports/event-sink.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { WorkNote } from "../ports/work.js";
import { candidateKey } from "./adoption.js";
import { ChangeReporter } from "./change-reporter.js";
import type { EndpointsResult } from "./endpoints-pass.js";
import { FailureLog } from "./failure-log.js";
import { isNamespaceTrouble, NamespaceTrouble } from "./namespace-trouble.js";
import type { OrphanReporter } from "./orphan-reporter.js";
import type { Pass } from "./pass.js";
import { endpointRemarks, remarkId } from "./remarks.js";
import {
  blankState,
  ServiceStates,
  TOLD,
  type Failure,
  type ServiceState,
  type SyncState,
} from "./service-state.js";
import type { Voice } from "./voice.js";
import type { Proven } from "./wording.js";

export interface ReporterParts {
  readonly voice: Voice;
  readonly orphans: OrphanReporter;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly authors: Authors;
  /** Who wants the name now: states of others are forgotten. */
  readonly wanting: (target: ServiceKey) => readonly Candidate[];
}

type Wanted = Extract<ServicePlan, { kind: "wanted" }>;

/** Ordinary races are over with the next attempt; they are worth a line only when they go on for so many. */
const PATIENCE = 5;

export class Reporter {
  readonly #states = new ServiceStates();
  readonly #failures: FailureLog;
  readonly #changes: ChangeReporter;
  readonly #namespaces = new NamespaceTrouble();
  #sweepWanted: () => void = () => {};

  constructor(
    private readonly destination: string,
    private readonly parts: ReporterParts,
  ) {
    this.#failures = new FailureLog(parts.log, parts.clock);
    this.#changes = new ChangeReporter(destination, parts);
  }

  /** For /status. */
  states(): Iterable<ServiceState> {
    return this.#states.all();
  }

  /** undefined: no pass has told anything of this name yet. */
  stateOf(target: ServiceKey, source: ServiceKey): ServiceState | undefined {
    return this.#states.get(target, source);
  }

  onSweepWanted(request: () => void): void {
    this.#sweepWanted = request;
  }

  sweepWanted(): void {
    this.#sweepWanted();
  }

  /** A term begins: what an earlier one knew may be old. */
  reset(): void {
    this.#states.clear();
    this.#failures.clear();
    this.#changes.clear();
    this.#namespaces.clear();
    this.parts.orphans.clear();
  }

  /** Tells what cannot be told when it happens, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#failures.run(signal);
  }

  /** The mirror itself is in order now; endpoints follow. */
  mirrored(pass: Pass, plan: Wanted): void {
    const before = this.#states.get(pass.target, candidateKey(plan.winner));
    this.#changes.mirrored(pass, plan, before?.state === "synced");
  }

  /** One pass ended well. */
  synced(pass: Pass, plan: Wanted, result: EndpointsResult): void {
    const { target, note } = pass;
    const { winner } = plan;
    const source = candidateKey(winner);
    const before = this.#states.get(target, source);
    const wrote = plan.writes.length + result.writes > 0;
    const remarks = [...plan.wanted.remarks, ...endpointRemarks(result)];
    const isExternal = plan.wanted.spec.type === "ExternalName";
    const { clock } = this.parts;
    const lagMs = this.#changes.sinceMs(note);
    const times = wrote
      ? { lastChangeMs: clock.now() - lagMs, lastWriteMs: clock.now(), lagMs }
      : {};
    this.#states.set({
      ...blankState(winner, target),
      ...before,
      ...times,
      state: "synced",
      reason: undefined,
      remarks,
      endpoints: isExternal ? undefined : (endpointsOf(result) ?? before?.endpoints),
    });
    this.#recovered(target, source, before);
    this.#forgetOthers(target);
    if (wrote) this.#changes.wrote(source, pass, result);
    else this.#changes.unchanged(pass, plan);
    // What a new leader finds in order is no news.
    if (before?.remarks === undefined && !wrote) return;
    const known = new Set(before?.remarks?.map(remarkId));
    const fresh = remarks.filter((remark) => !known.has(remarkId(remark)));
    this.#changes.remarked(winner.service, target, fresh);
  }

  refused(target: ServiceKey, candidate: Candidate, reason: Reason): void {
    this.#failures.cleared(target);
    const conflict = CONFLICTS.has(reason.code);
    const event = conflict ? "NameConflict" : "Refused";
    this.#transition(target, candidate, conflict ? "conflict" : "refused", reason, event);
  }

  /** Another Service has the name, and nothing is attempted for this one. How the attempt for that one goes is another matter. */
  lost(target: ServiceKey, candidate: Candidate, reason: Reason): void {
    this.#transition(target, candidate, "conflict", reason, "NameConflict");
  }

  held(target: ServiceKey, candidate: Candidate | undefined, reason: Reason): void {
    this.#failures.cleared(target);
    if (candidate !== undefined) this.#transition(target, candidate, "paused", reason, "Paused");
  }

  /** Nothing can be written to the destination at all: each Service's state says why, Events only what its owner can mend. */
  blocked(target: ServiceKey, reason: Reason): void {
    for (const candidate of this.parts.wanting(target)) {
      if (reason.code === "namespace-missing") this.refused(target, candidate, reason);
      else this.#states.set({ ...blankState(candidate, target), state: "held", reason });
    }
  }

  /** No attempt can begin, because the link's Lease cannot be had: only the states say so, the Lease's own line is in the log. */
  unattempted(targets: Iterable<ServiceKey>, reason: Failure): void {
    for (const target of targets) {
      for (const candidate of this.parts.wanting(target)) {
        const isKnown = this.#states.get(target, candidateKey(candidate)) !== undefined;
        // Who merely keeps a name may never get a pass of its own.
        if (!isKnown && candidate.retained !== true)
          this.#states.set(blankState(candidate, target));
      }
    }
    this.#states.stall(reason);
  }

  /** `--adopt=report`: it could be adopted, and is not. */
  adoptable(target: ServiceKey, candidate: Candidate): void {
    const source = candidateKey(candidate);
    if (this.#states.get(target, source) !== undefined) return;
    const message = "would adopt the mirror of k8s-svc-sync";
    this.parts.voice.say(source, target, { outcome: "adoptable" }, message);
  }

  /** Nobody wants the name and nothing has it. */
  forgotten(target: ServiceKey): void {
    this.#failures.cleared(target);
    this.parts.orphans.forget(target);
    this.#forgetOthers(target);
  }

  removed(target: ServiceKey, mirror: Service, verdict: Proven, note: WorkNote): void {
    this.#changes.removed(target, mirror, verdict, note);
    this.forgotten(target);
  }

  /** A mirror that nobody wants stays for now. */
  orphanHeld(target: ServiceKey, mirror: Service, reason: Reason): void {
    this.#failures.cleared(target);
    this.parts.orphans.held({ source: sourceOf(mirror) ?? target, target }, reason);
    this.#forgetOthers(target);
  }

  /** An attempt failed and is made again. */
  failed(target: ServiceKey, error: unknown, attempt: number): void {
    const known = error instanceof RetryableError || error instanceof TerminalError;
    const code: ErrorCode | "unknown" = known ? error.code : "unknown";
    const { destination } = this;
    this.parts.metrics.count("svc_ferry_retries_total", { destination, code });
    if ((code === "FERRY-R001" || code === "FERRY-L001") && attempt < PATIENCE) return;
    const attempted = this.#attempted(target);
    const reason = { code, message: error instanceof Error ? error.message : "unknown error" };
    for (const candidate of attempted) {
      const before = this.#states.get(target, candidateKey(candidate));
      this.#states.set({ ...blankState(candidate, target), ...before, state: "retrying", reason });
    }
    const [first] = attempted;
    const source = first === undefined ? target : candidateKey(first);
    const fields = { ...this.parts.voice.route(source, target), err: error, attempt };
    this.#failures.failed(target, code, known ? "warn" : "error", fields);
  }

  /** Those whom the attempts at a name may be for: who lost it to another waits. */
  #attempted(target: ServiceKey): readonly Candidate[] {
    const wanting = this.parts.wanting(target);
    const open = wanting.filter(
      (one) => this.#states.get(target, candidateKey(one))?.reason?.code !== "name-taken",
    );
    return open.length > 0 ? open : wanting;
  }

  #transition(
    target: ServiceKey,
    candidate: Candidate,
    state: SyncState,
    reason: Reason,
    event: EventReason,
  ): void {
    const source = candidateKey(candidate);
    const before = this.#states.get(target, source);
    this.#states.set({ ...blankState(candidate, target), ...before, state, reason });
    this.#forgetOthers(target);
    if (before?.state === state && before.reason?.message === reason.message) return;
    const { code, message } = reason;
    if (this.#namespaces.isNews(target, reason)) {
      this.parts.voice.say(source, target, { outcome: state, code, reason: message }, "not synced");
    }
    // A namespace that ends is refused first and missing then: its Services have one trouble, not two.
    if (isNamespaceTrouble(before?.reason) && isNamespaceTrouble(reason)) return;
    const type = state === "paused" ? "Normal" : "Warning";
    const told = state === "paused" ? message : `${code}: ${message}`;
    this.parts.voice.event(candidate.service, type, event, told);
  }

  #recovered(target: ServiceKey, source: ServiceKey, before: ServiceState | undefined): void {
    const failing = this.#failures.cleared(target);
    const told =
      before !== undefined &&
      TOLD.has(before.state) &&
      (!isNamespaceTrouble(before.reason) || this.#namespaces.ended(target));
    if (failing || told) {
      this.parts.voice.say(source, target, { outcome: "synced" }, "in order again");
    }
  }

  #forgetOthers(target: ServiceKey): void {
    const wanting = new Set(this.parts.wanting(target).map(candidateKey));
    if (wanting.size === 0) this.#namespaces.forget(target);
    for (const { source } of this.#states.keepOnly(target, wanting)) {
      // It may have got another name before it lost this one, or go to two.
      if (!this.#states.has(source)) this.#changes.untrack(source);
    }
  }
}

const CONFLICTS: ReadonlySet<ReasonCode> = new Set([
  "name-taken",
  "name-occupied",
  "held-by-other-link",
]);

function endpointsOf({ plan }: EndpointsResult): ServiceState["endpoints"] {
  return plan && { ready: plan.ready, total: plan.total, slices: plan.sliceCount };
}
