/**
 * Tells people what happened to the Services of one destination: a log line for
 * each change, an Event for each transition, numbers, and the state that /status
 * shows. Nothing is decided here, and an unchanged state says nothing.
 */
import type { Reason, ReasonCode } from "../domain/codes.js";
import { SOURCE_UID_ANNOTATION } from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { sourceOf, type Candidate, type ServicePlan } from "../domain/plan.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError, type ErrorCode } from "../ports/errors.js";
import type { EventReason } from "../ports/event-sink.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { WorkNote } from "../ports/work.js";
import { candidateKey } from "./adoption.js";
import type { EndpointsResult } from "./endpoints-pass.js";
import { FailureLog } from "./failure-log.js";
import type { OrphanReporter } from "./orphan-reporter.js";
import type { Pass } from "./reconciler.js";
import { endpointRemarks } from "./remarks.js";
import { blankState, ServiceStates, type ServiceState, type SyncState } from "./service-state.js";
import { Tracking } from "./tracking.js";
import type { Voice } from "./voice.js";
import { mirrorText, removalText, type RemovalCause } from "./wording.js";

export interface ReporterParts {
  readonly voice: Voice;
  readonly orphans: OrphanReporter;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Who wants the name now: states of others are forgotten. */
  readonly wanting: (target: ServiceKey) => readonly Candidate[];
}

type Wanted = Extract<ServicePlan, { kind: "wanted" }>;

/** Ordinary races are over with the next attempt; they are worth a line only when they go on for so many. */
const PATIENCE = 5;

export class Reporter {
  readonly #states = new ServiceStates();
  readonly #failures: FailureLog;
  readonly #tracking = new Tracking();
  #sweepWanted: () => void = () => {};

  constructor(
    private readonly destination: string,
    private readonly parts: ReporterParts,
  ) {
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /** For /status. */
  states(): Iterable<ServiceState> {
    return this.#states.all();
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
    this.#tracking.clear();
    this.parts.orphans.clear();
  }

  /** The mirror itself is in order now; endpoints follow. */
  mirrored(pass: Pass, plan: Wanted): void {
    const { change, winner } = plan;
    const { target, note } = pass;
    const source = candidateKey(winner);
    if (!this.#tracking.has(source)) this.#startTracking(source, target, pass, change);
    if (change === "none") return;
    // A name that became free is news from the destination too, but nothing of ours had been touched.
    const wasSynced = this.#states.get(target, source)?.state === "synced";
    const isRepair = note.cause === "destination" && change !== "adopt" && wasSynced;
    const fields = {
      operation: change,
      outcome: "applied",
      fields: change === "create" ? undefined : plan.writes.flatMap((write) => write.why).join(","),
      latencyMs: this.#sinceMs(note),
      uid: winner.service.uid,
      text: mirrorText(change, isRepair),
    };
    this.parts.voice.say(source, target, fields, "applied");
    if (isRepair) this.#driftRepaired("services");
    const to = this.parts.voice.to(target);
    if (change === "adopt") {
      const message = `${to} of k8s-svc-sync is ours now`;
      this.parts.voice.event(winner.service, "Normal", "Adopted", message);
    } else if (change === "create") {
      this.parts.voice.event(winner.service, "Normal", "Synced", `mirrored to ${to}`);
    }
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
    const lagMs = this.#sinceMs(note);
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
    if (wrote) this.#count(note, lagMs, result);
    if (result.writes > 0) this.#endpointsWritten(source, pass, result, lagMs);
    this.#remark(winner.service, target, before?.remarks ?? [], remarks);
  }

  refused(target: ServiceKey, candidate: Candidate, reason: Reason): void {
    const conflict = CONFLICTS.has(reason.code);
    const event = conflict ? "NameConflict" : "Refused";
    this.#transition(target, candidate, conflict ? "conflict" : "refused", reason, event);
  }

  held(target: ServiceKey, candidate: Candidate | undefined, reason: Reason): void {
    if (candidate !== undefined) this.#transition(target, candidate, "paused", reason, "Paused");
  }

  /** Nothing can be written to the destination at all: each Service's state says why, Events only what its owner can mend. */
  blocked(target: ServiceKey, reason: Reason): void {
    for (const candidate of this.parts.wanting(target)) {
      if (reason.code === "namespace-missing") this.refused(target, candidate, reason);
      else this.#states.set({ ...blankState(candidate, target), state: "held", reason });
    }
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
    this.parts.orphans.forget(target);
    this.#forgetOthers(target);
  }

  removed(target: ServiceKey, mirror: Service, because: RemovalCause, note: WorkNote): void {
    const source = sourceOf(mirror) ?? target;
    const latencyMs = this.#sinceMs(note);
    this.#failures.cleared(target);
    const text = `removed the mirror: ${removalText(because)}`;
    const fields = { operation: "delete", outcome: "removed", because, latencyMs, text };
    this.parts.voice.say(source, target, fields, "removed");
    if (because !== "source-deleted") {
      const uid = mirror.annotations[SOURCE_UID_ANNOTATION] ?? "";
      const message = `${this.parts.voice.to(target)} was removed: ${removalText(because)}`;
      this.parts.voice.event({ ...splitKey(source), uid }, "Normal", "Removed", message);
    }
    this.forgotten(target);
  }

  /** A mirror that nobody wants stays for now. */
  orphanHeld(target: ServiceKey, mirror: Service, reason: Reason): void {
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
    const wanting = this.parts.wanting(target);
    const reason = { code, message: error instanceof Error ? error.message : "unknown error" };
    for (const candidate of wanting) {
      const before = this.#states.get(target, candidateKey(candidate));
      this.#states.set({ ...blankState(candidate, target), ...before, state: "retrying", reason });
    }
    const [first] = wanting;
    const source = first === undefined ? target : candidateKey(first);
    const fields = { ...this.parts.voice.route(source, target), err: error, attempt };
    this.#failures.failed(target, code, known ? "warn" : "error", fields);
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
    this.#failures.cleared(target);
    this.#states.set({ ...blankState(candidate, target), ...before, state, reason });
    this.#forgetOthers(target);
    if (before?.state === state && before.reason?.message === reason.message) return;
    const { code, message } = reason;
    this.parts.voice.say(source, target, { outcome: state, code, reason: message }, "not synced");
    const type = state === "paused" ? "Normal" : "Warning";
    const told = state === "paused" ? message : `${code}: ${message}`;
    this.parts.voice.event(candidate.service, type, event, told);
  }

  #recovered(target: ServiceKey, source: ServiceKey, before: ServiceState | undefined): void {
    const failing = this.#failures.cleared(target);
    const told = before !== undefined && TOLD.has(before.state);
    if (failing || told) {
      this.parts.voice.say(source, target, { outcome: "synced" }, "in order again");
    }
  }

  /** What a new leader finds in order is no news. */
  #startTracking(
    source: ServiceKey,
    target: ServiceKey,
    { note }: Pass,
    change: Wanted["change"],
  ): void {
    this.#tracking.add(source);
    if (change === "none" && note.cause === "sweep") return;
    const { name } = splitKey(source);
    const text = `started syncing service ${name}, currently tracking: ${this.#tracking.toString()}`;
    this.parts.log.info({ service: source, target, text }, "started syncing service");
  }

  #endpointsWritten(
    source: ServiceKey,
    pass: Pass,
    result: EndpointsResult,
    latencyMs: number,
  ): void {
    const ready = result.plan?.ready ?? 0;
    if (pass.note.cause === "destination") this.#driftRepaired("endpointslices");
    const text = `updated endpoints → ${ready} IPs`;
    const fields = { ready, writes: result.writes, latencyMs, outcome: "applied", text };
    this.parts.voice.say(source, pass.target, fields, "updated endpoints");
  }

  /** New remarks become an Event; those that stay say nothing. */
  #remark(
    service: Service,
    target: ServiceKey,
    before: readonly Reason[],
    now: readonly Reason[],
  ): void {
    const source: ServiceKey = `${service.namespace}/${service.name}`;
    for (const { code, message } of now) {
      if (before.some((old) => old.message === message)) continue;
      this.parts.voice.say(source, target, { code, reason: message }, "synced with a remark");
      const reduced = code === "type-reduced";
      const reason = reduced ? "TypeReduced" : "EndpointsWarning";
      this.parts.voice.event(service, reduced ? "Normal" : "Warning", reason, message);
    }
  }

  #forgetOthers(target: ServiceKey): void {
    const wanting = new Set(this.parts.wanting(target).map(candidateKey));
    for (const state of this.#states.keepOnly(target, wanting)) this.#tracking.delete(state.source);
  }

  #count({ cause }: WorkNote, lagMs: number, result: EndpointsResult): void {
    const { destination } = this;
    const { metrics } = this.parts;
    metrics.observe("svc_ferry_change_to_applied_seconds", { destination, cause }, lagMs / 1_000);
    const dropped = result.plan?.dropped ?? 0;
    if (dropped > 0) metrics.count("svc_ferry_addresses_dropped_total", { destination }, dropped);
  }

  #driftRepaired(resource: "services" | "endpointslices"): void {
    const { destination } = this;
    this.parts.metrics.count("svc_ferry_drift_repairs_total", { destination, resource });
  }

  #sinceMs(note: WorkNote): number {
    return Math.round(this.parts.clock.monotonicMs() - note.sinceMs);
  }
}

const CONFLICTS: ReadonlySet<ReasonCode> = new Set([
  "name-taken",
  "name-occupied",
  "held-by-other-link",
]);

/** States whose end deserves a line, because their beginning had one. */
const TOLD: ReadonlySet<SyncState> = new Set(["conflict", "refused", "paused"]);

function endpointsOf({ plan }: EndpointsResult): ServiceState["endpoints"] {
  return plan && { ready: plan.ready, total: plan.total, slices: plan.sliceCount };
}
