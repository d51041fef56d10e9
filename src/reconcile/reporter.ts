/**
 * Tells people what happened in one destination: a log line for each change, an
 * Event for each transition, numbers, and the state that /status shows. Nothing
 * is decided here, and an unchanged state says nothing.
 */
import type { BrakeVerdict } from "../domain/brake.js";
import type { Reason, ReasonCode } from "../domain/codes.js";
import type { Service } from "../domain/objects.js";
import { sourceOf, type Candidate, type ServicePlan } from "../domain/plan.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { EventReason, EventSink, EventSubject } from "../ports/event-sink.js";
import type { Log, LogFields } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { WorkNote } from "../ports/work.js";
import { candidateKey } from "./adoption.js";
import type { EndpointsResult } from "./endpoints-pass.js";
import type { Pass } from "./reconciler.js";
import { FailureLog } from "./failure-log.js";
import { ServiceStates, type ServiceState, type SyncState } from "./service-state.js";

export interface ReporterSettings {
  readonly sourceContext: string;
  readonly destination: string;
  /** What logs call the destination: its context. */
  readonly destinationContext: string;
  /** Whom the brake's Event is about: the Lease. */
  readonly leaseSubject: EventSubject;
  /** How a person lets so many deletions pass. */
  readonly allowHint: (unwanted: number) => string;
}

export interface ReporterParts {
  readonly log: Log;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Who wants the name now: states of others are forgotten. */
  readonly wanting: (target: ServiceKey) => readonly Candidate[];
}

/** A mirror that nobody wants; `source` is what it names, or its own name where that is lost. */
export interface Unwanted {
  readonly source: ServiceKey;
  readonly target: ServiceKey;
}

interface Orphan extends Unwanted {
  readonly reason: Reason;
}

type Wanted = Extract<ServicePlan, { kind: "wanted" }>;

/** Names in the ancestor's "currently tracking" list; ten thousand would be no line. */
const MAX_LISTED = 20;

export class Reporter {
  readonly #states = new ServiceStates();
  /** Mirrors that nobody wants and that stay for now, by target. */
  readonly #orphans = new Map<ServiceKey, Orphan>();
  readonly #failures: FailureLog;
  readonly #tracking = new Set<string>();
  #brakeBlocked = false;
  #sweepWanted: () => void = () => {};

  constructor(
    private readonly settings: ReporterSettings,
    private readonly parts: ReporterParts,
  ) {
    this.#failures = new FailureLog(parts.log, parts.clock);
  }

  /** For /status. */
  states(): Iterable<ServiceState> {
    return this.#states.all();
  }

  /** Mirrors that nobody wants and that stay for now, with the reason; for /status. */
  orphans(): Iterable<Orphan> {
    return this.#orphans.values();
  }

  get brakeBlocked(): boolean {
    return this.#brakeBlocked;
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
    this.#orphans.clear();
    this.#failures.clear();
    this.#tracking.clear();
  }

  /** The mirror itself is in order now; endpoints follow. */
  mirrored(pass: Pass, plan: Wanted): void {
    const { change, winner } = plan;
    const source = candidateKey(winner);
    // What a new leader finds in order is no news: the first sweep has counted it.
    const isNews = change !== "none" || pass.note.cause !== "sweep";
    if (!this.#tracking.has(source)) this.#startTracking(source, pass.target, isNews);
    if (change === "none") return;
    const latencyMs = this.parts.clock.monotonicMs() - pass.note.sinceMs;
    const fields = plan.writes.flatMap((write) => write.why).join(",");
    const outcome = {
      operation: change,
      outcome: "applied",
      fields,
      latencyMs: Math.round(latencyMs),
    };
    this.#log(source, pass.target, { ...outcome, uid: winner.service.uid }, "applied");
    if (pass.note.cause === "destination" && change !== "adopt") this.#driftRepaired("services");
    if (change === "adopt") {
      this.#event(
        winner.service,
        "Normal",
        "Adopted",
        `${this.#to(pass.target)} of k8s-svc-sync is ours now`,
      );
    } else if (change === "create") {
      this.#event(winner.service, "Normal", "Synced", `mirrored to ${this.#to(pass.target)}`);
    }
  }

  /** One pass ended well. */
  synced(pass: Pass, plan: Wanted, endpoints: EndpointsResult): void {
    const { target, note } = pass;
    const { winner } = plan;
    const source = candidateKey(winner);
    const now = this.parts.clock.now();
    const lagMs = Math.round(this.parts.clock.monotonicMs() - note.sinceMs);
    const before = this.#states.get(target, source);
    const wrote = plan.writes.length + endpoints.writes > 0;
    const remarks = [...plan.wanted.remarks, ...endpointRemarks(endpoints)];
    this.#states.set({
      source,
      target,
      route: winner.route.name,
      state: "synced",
      reason: undefined,
      remarks,
      endpoints: endpoints.plan && {
        ready: endpoints.plan.ready,
        total: endpoints.plan.total,
        slices: endpoints.plan.slices.length,
      },
      lastChangeMs: wrote ? now - lagMs : before?.lastChangeMs,
      lastWriteMs: wrote ? now : before?.lastWriteMs,
      lagMs: wrote ? lagMs : before?.lagMs,
    });
    this.#recovered(target, source, before);
    this.#forgetOthers(target);
    if (wrote) {
      const labels = { destination: this.settings.destination, cause: note.cause };
      this.parts.metrics.observe("svc_ferry_change_to_applied_seconds", labels, lagMs / 1_000);
    }
    const dropped = endpoints.plan?.dropped ?? 0;
    if (wrote && dropped > 0) {
      const labels = { destination: this.settings.destination };
      this.parts.metrics.count("svc_ferry_addresses_dropped_total", labels, dropped);
    }
    if (endpoints.writes > 0) this.#endpointsWritten(source, pass, endpoints, lagMs);
    this.#remark(winner.service, source, target, before?.remarks ?? [], remarks);
  }

  refused(target: ServiceKey, candidate: Candidate, reason: Reason): void {
    const state = reason.code === "name-taken" || isConflict(reason.code) ? "conflict" : "refused";
    const event = state === "conflict" ? "NameConflict" : "Refused";
    this.#transition(target, candidate, state, reason, event);
  }

  held(target: ServiceKey, candidate: Candidate | undefined, reason: Reason): void {
    if (candidate !== undefined) this.#transition(target, candidate, "paused", reason, "Paused");
  }

  /** Nothing can be written to the destination at all: each Service's state says why, Events only what its owner can mend. */
  blocked(target: ServiceKey, reason: Reason): void {
    for (const candidate of this.parts.wanting(target)) {
      if (reason.code === "namespace-missing") this.refused(target, candidate, reason);
      else this.#states.set({ ...blank(candidate, target), state: "held", reason });
    }
  }

  /** `--adopt=report`: it could be adopted, and is not. */
  adoptable(target: ServiceKey, candidate: Candidate): void {
    const source = candidateKey(candidate);
    if (this.#states.get(target, source) !== undefined) return;
    this.#log(source, target, { outcome: "adoptable" }, "would adopt the mirror of k8s-svc-sync");
  }

  /** Nobody wants the name and nothing has it. */
  forgotten(target: ServiceKey): void {
    this.#orphans.delete(target);
    this.#forgetOthers(target);
  }

  removed(target: ServiceKey, mirror: Service, because: string, note: WorkNote): void {
    const source = sourceOf(mirror) ?? target;
    const latencyMs = Math.round(this.parts.clock.monotonicMs() - note.sinceMs);
    this.#orphans.delete(target);
    this.#failures.cleared(target);
    this.#log(
      source,
      target,
      { operation: "delete", outcome: "removed", because, latencyMs },
      "removed",
    );
    if (because !== "source-deleted") {
      const { namespace, name } = splitKey(source);
      const uid = mirror.annotations["svc-ferry.io/source-uid"] ?? "";
      const subject = { apiVersion: "v1", kind: "Service", namespace, name, uid };
      const message = `${this.#to(target)} was removed: ${because}`;
      this.parts.events.emit({ subject, type: "Normal", reason: "Removed", message });
    }
    this.#forgetOthers(target);
  }

  /** A mirror that nobody wants stays for now. */
  orphanHeld(target: ServiceKey, mirror: Service, reason: Reason): void {
    const source = sourceOf(mirror) ?? target;
    const before = this.#orphans.get(target)?.reason.code;
    this.#orphans.set(target, { source, target, reason });
    if (before === reason.code) return;
    this.#log(
      source,
      target,
      { outcome: "held", code: reason.code, reason: reason.message },
      "kept the mirror",
    );
  }

  swept(verdict: BrakeVerdict, unwanted: readonly Unwanted[]): void {
    const { destination, allowHint } = this.settings;
    this.#forgetOrphansBut(new Set(unwanted.map(({ target }) => target)));
    this.parts.metrics.count("svc_ferry_sweeps_total", { destination });
    this.parts.metrics.set(
      "svc_ferry_delete_brake",
      { destination },
      verdict.kind === "blocked" ? 1 : 0,
    );
    if (verdict.kind === "blocked") {
      this.parts.metrics.count("svc_ferry_mass_deletes_blocked_total", { destination });
    }
    const wasBlocked = this.#brakeBlocked;
    this.#brakeBlocked = verdict.kind === "blocked";
    if (verdict.kind !== "blocked") return;
    const reason: Reason = {
      code: "mass-delete-blocked",
      message: "nobody wants it, but too many mirrors would go at once; see the Event on the Lease",
    };
    for (const one of unwanted) this.#orphans.set(one.target, { ...one, reason });
    if (wasBlocked) return;
    const text = `${verdict.unwanted} of ${verdict.mirrors} mirrors in ${destination} have no source; none is deleted. ${allowHint(verdict.unwanted)}`;
    const names = unwanted.slice(0, MAX_LISTED).map(({ target }) => target);
    const listed = names.join(", ");
    this.parts.log.error(
      { destination, code: "mass-delete-blocked", reason: text, mirrors: listed },
      "mass deletion blocked",
    );
    this.parts.events.emit({
      subject: this.settings.leaseSubject,
      type: "Warning",
      reason: "MassDeleteBlocked",
      message: text,
    });
  }

  /** An attempt failed; logged when its cause is another than last time, so that a storm is one line per name. */
  failed(target: ServiceKey, error: unknown, attempt: number): void {
    const known = error instanceof RetryableError || error instanceof TerminalError;
    const code = known ? error.code : "unknown";
    this.parts.metrics.count("svc_ferry_retries_total", {
      destination: this.settings.destination,
      code,
    });
    // The ordinary races: read again, once more, and it is over. Worth a line only when it goes on.
    const ordinary = code === "FERRY-R001" || code === "FERRY-L001";
    if (ordinary && attempt < 5) return;
    for (const candidate of this.parts.wanting(target)) {
      const source = candidateKey(candidate);
      const before = this.#states.get(target, source);
      const reason = before?.reason;
      this.#states.set({ ...blank(candidate, target), ...before, state: "retrying", reason });
    }
    const [first] = this.parts.wanting(target);
    const source = first === undefined ? target : candidateKey(first);
    const level = known ? "warn" : "error";
    this.#failures.failed(target, code, level, {
      ...this.#route(source, target),
      err: error,
      attempt,
    });
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
    this.#states.set({ ...blank(candidate, target), ...before, state, reason });
    this.#forgetOthers(target);
    if (before?.state === state && before.reason?.message === reason.message) return;
    this.#log(
      source,
      target,
      { outcome: state, code: reason.code, reason: reason.message },
      "not synced",
    );
    const type = state === "paused" ? "Normal" : "Warning";
    this.#event(candidate.service, type, event, `${reason.code}: ${reason.message}`);
  }

  #recovered(target: ServiceKey, source: ServiceKey, before: ServiceState | undefined): void {
    const failing = this.#failures.cleared(target);
    const notSynced =
      before !== undefined && before.state !== "synced" && before.state !== "retrying";
    if (failing || notSynced) this.#log(source, target, { outcome: "synced" }, "in order again");
  }

  #startTracking(source: ServiceKey, target: ServiceKey, isNews: boolean): void {
    this.#tracking.add(source);
    if (!isNews) return;
    const { name } = splitKey(source);
    const names = [...this.#tracking]
      .slice(-MAX_LISTED)
      .map((key) => splitKey(key as ServiceKey).name);
    const more = this.#tracking.size - names.length;
    const list = more > 0 ? `${names.join(", ")}, … and ${more} more` : names.join(", ");
    const text = `started syncing service ${name}, currently tracking: [${list}]`;
    this.parts.log.info({ service: source, target, text }, "started syncing service");
  }

  #endpointsWritten(
    source: ServiceKey,
    pass: Pass,
    endpoints: EndpointsResult,
    lagMs: number,
  ): void {
    const ready = endpoints.plan?.ready ?? 0;
    if (pass.note.cause === "destination") this.#driftRepaired("endpointslices");
    const fields = { ready, writes: endpoints.writes, latencyMs: lagMs };
    const text = `updated endpoints → ${ready} IPs`;
    this.#log(source, pass.target, { ...fields, outcome: "applied", text }, "updated endpoints");
  }

  /** New remarks become an Event; those that stay say nothing. */
  #remark(
    service: Service,
    source: ServiceKey,
    target: ServiceKey,
    before: readonly Reason[],
    now: readonly Reason[],
  ): void {
    for (const remark of now.filter((one) => !before.some((old) => old.message === one.message))) {
      this.#log(
        source,
        target,
        { code: remark.code, reason: remark.message },
        "synced with a remark",
      );
      const reason = remark.code === "type-reduced" ? "TypeReduced" : "EndpointsWarning";
      this.#event(
        service,
        remark.code === "type-reduced" ? "Normal" : "Warning",
        reason,
        remark.message,
      );
    }
  }

  #forgetOthers(target: ServiceKey): void {
    const wanting = new Set(this.parts.wanting(target).map(candidateKey));
    for (const state of this.#states.keepOnly(target, wanting)) this.#tracking.delete(state.source);
  }

  #forgetOrphansBut(unwanted: ReadonlySet<ServiceKey>): void {
    for (const target of this.#orphans.keys()) {
      if (!unwanted.has(target)) this.#orphans.delete(target);
    }
  }

  #event(service: Service, type: "Normal" | "Warning", reason: EventReason, message: string): void {
    const { namespace, name, uid } = service;
    const subject = { apiVersion: "v1", kind: "Service", namespace, name, uid };
    this.parts.events.emit({ subject, type, reason, message });
  }

  #log(source: ServiceKey, target: ServiceKey, fields: LogFields, message: string): void {
    this.parts.log.info({ ...this.#route(source, target), ...fields }, message);
  }

  #route(source: ServiceKey, target: ServiceKey): LogFields {
    return { route: { from: `${this.settings.sourceContext}/${source}`, to: this.#to(target) } };
  }

  #to(target: ServiceKey): string {
    return `${this.settings.destinationContext}/${target}`;
  }

  #driftRepaired(resource: "services" | "endpointslices"): void {
    const { destination } = this.settings;
    this.parts.metrics.count("svc_ferry_drift_repairs_total", { destination, resource });
  }
}

function isConflict(code: ReasonCode): boolean {
  return code === "name-occupied" || code === "held-by-other-link";
}

function blank(candidate: Candidate, target: ServiceKey): ServiceState {
  return {
    source: candidateKey(candidate),
    target,
    route: candidate.route.name,
    state: "pending",
    reason: undefined,
    remarks: [],
    endpoints: undefined,
    lastChangeMs: undefined,
    lastWriteMs: undefined,
    lagMs: undefined,
  };
}

function endpointRemarks(endpoints: EndpointsResult): readonly Reason[] {
  const { plan, strangeEndpoints } = endpoints;
  const remarks: Reason[] = [];
  if (strangeEndpoints) {
    remarks.push({
      code: "foreign-endpoints",
      message: "Endpoints of this name in the destination are somebody else's and stay as they are",
    });
  }
  if (plan === undefined) return remarks;
  if (plan.foreign.length > 0) {
    const names = plan.foreign.map(
      (slice) => `${slice.name} (${slice.managedBy ?? "managed by nobody"})`,
    );
    remarks.push({
      code: "foreign-endpoints",
      message: `slices of others add endpoints to the mirror: ${names.slice(0, 3).join(", ")}`,
    });
  }
  if (plan.dropped > 0) {
    remarks.push({
      code: "address-not-allowed",
      message: `${plan.dropped} addresses are loopback, link-local or outside the route's addressCIDRs and were left out`,
    });
  }
  if (plan.truncated) {
    remarks.push({
      code: "endpoints-truncated",
      message: `Endpoints hold the first 1000 of ${plan.ready} ready addresses; EndpointSlices hold all`,
    });
  }
  return remarks;
}
