/** What was done in one destination, told: a log line for each change, an Event when a mirror comes or goes, the metrics. */
import type { Reason } from "../domain/codes.js";
import { SOURCE_UID_ANNOTATION } from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { sourceOf, type ServicePlan } from "../domain/plan.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import type { Authors } from "../ports/authors.js";
import type { Clock } from "../ports/clock.js";
import type { Log, LogFields } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { WorkNote } from "../ports/work.js";
import { candidateKey } from "./adoption.js";
import { Authorship } from "./authorship.js";
import type { EndpointsResult } from "./endpoints-pass.js";
import type { Pass } from "./pass.js";
import { Tracking } from "./tracking.js";
import type { Voice } from "./voice.js";
import { mirrorText, removalText, type Proven } from "./wording.js";

export interface ChangeReporterParts {
  readonly voice: Voice;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly authors: Authors;
}

type Wanted = Extract<ServicePlan, { kind: "wanted" }>;

export class ChangeReporter {
  readonly #tracking = new Tracking();
  readonly #authorship: Authorship;

  constructor(
    private readonly destination: string,
    private readonly parts: ChangeReporterParts,
  ) {
    this.#authorship = new Authorship(destination, parts);
  }

  /** A term begins. */
  clear(): void {
    this.#tracking.clear();
    this.#authorship.clear();
  }

  /** This source is of no interest any more. */
  untrack(source: ServiceKey): void {
    this.#tracking.delete(source);
    this.#authorship.forget(source);
  }

  /** @param wasSynced the pass before had found or left everything in order */
  mirrored(pass: Pass, plan: Wanted, wasSynced: boolean): void {
    const { change, winner } = plan;
    const { target, note } = pass;
    const source = candidateKey(winner);
    if (!this.#tracking.has(source)) this.#startTracking(source, pass, change);
    if (change === "none") return;
    // A name that became free is news from the destination too, but nothing of ours had been touched.
    const isRepair = note.cause === "destination" && change !== "adopt" && wasSynced;
    const fields = {
      operation: change,
      outcome: "applied",
      fields: change === "create" ? undefined : plan.writes.flatMap((write) => write.why).join(","),
      latencyMs: this.sinceMs(note),
      // A repair is nobody's change but ours.
      ...(isRepair ? {} : this.#authorship.applied(winner.service)),
      uid: winner.service.uid,
      text: mirrorText(change, isRepair),
    };
    this.parts.voice.say(source, target, fields, "applied");
    if (isRepair) this.#driftRepaired("services");
    this.#mirrorEvent(winner.service, target, change);
  }

  /** One pass found all in order. What an admitted change came to is said, also if it is nothing. */
  unchanged({ target, note }: Pass, { winner }: Wanted): void {
    const admitted = this.#authorship.unchanged(winner.service);
    if (admitted === undefined || note.cause !== "service") return;
    const fields = { operation: "none", outcome: "unchanged", ...admitted };
    this.parts.voice.say(candidateKey(winner), target, fields, "unchanged");
  }

  /** One pass has written, the mirror or endpoints or both; counts what it wrote and tells the endpoints. */
  wrote(source: ServiceKey, { target, note }: Pass, result: EndpointsResult): void {
    const { destination } = this;
    const { metrics, voice } = this.parts;
    const { cause } = note;
    const latencyMs = this.sinceMs(note);
    const labels = { destination, cause };
    metrics.observe("svc_ferry_change_to_applied_seconds", labels, latencyMs / 1_000);
    const dropped = result.plan?.dropped ?? 0;
    if (dropped > 0) metrics.count("svc_ferry_addresses_dropped_total", { destination }, dropped);
    if (result.writes === 0) return;
    if (cause === "destination") this.#driftRepaired("endpointslices");
    const ready = result.plan?.ready ?? 0;
    const text = `updated endpoints → ${ready} IPs`;
    const fields = { ready, writes: result.writes, latencyMs, outcome: "applied", text };
    voice.say(source, target, fields, "updated endpoints");
  }

  /** A Service is synced, and somebody should know more: an Event for each remark that was not told before. */
  remarked(service: Service, target: ServiceKey, fresh: readonly Reason[]): void {
    const { voice } = this.parts;
    const source = serviceKey(service.namespace, service.name);
    for (const { code, message } of fresh) {
      voice.say(source, target, { code, reason: message }, "synced with a remark");
      if (code === "type-reduced") voice.event(service, "Normal", "TypeReduced", message);
      else voice.event(service, "Warning", "EndpointsWarning", message);
    }
  }

  removed(target: ServiceKey, mirror: Service, verdict: Proven, note: WorkNote): void {
    const { voice } = this.parts;
    const { because, service } = verdict;
    const source = sourceOf(mirror) ?? target;
    const fields = {
      operation: "delete",
      outcome: "removed",
      because,
      latencyMs: this.sinceMs(note),
      text: `removed the mirror: ${removalText(because)}`,
    };
    const say = (author: LogFields): void =>
      voice.say(source, target, { ...fields, ...author }, "removed");
    const author = this.#authorship.removed(source, mirror, service);
    if (author instanceof Promise) void author.then(say);
    else say(author);
    if (because === "source-deleted") return;
    const uid = mirror.annotations[SOURCE_UID_ANNOTATION] ?? "";
    const message = `${voice.to(target)} was removed: ${removalText(because)}`;
    voice.event({ ...splitKey(source), uid }, "Normal", "Removed", message);
  }

  /** From the moment when the oldest change behind a pass was seen. */
  sinceMs(note: WorkNote): number {
    return Math.round(this.parts.clock.monotonicMs() - note.sinceMs);
  }

  /** What a new leader finds in order is no news. */
  #startTracking(source: ServiceKey, { target, note }: Pass, change: Wanted["change"]): void {
    this.#tracking.add(source);
    if (change === "none" && note.cause === "sweep") return;
    const { name } = splitKey(source);
    const text = `started syncing service ${name}, currently tracking: ${this.#tracking.toString()}`;
    this.parts.log.info({ service: source, target, text }, "started syncing service");
  }

  #mirrorEvent(service: Service, target: ServiceKey, change: Wanted["change"]): void {
    const { voice } = this.parts;
    const to = voice.to(target);
    if (change === "adopt") {
      voice.event(service, "Normal", "Adopted", `${to} of k8s-svc-sync is ours now`);
    } else if (change === "create") {
      voice.event(service, "Normal", "Synced", `mirrored to ${to}`);
    }
  }

  #driftRepaired(resource: "services" | "endpointslices"): void {
    const { destination } = this;
    this.parts.metrics.count("svc_ferry_drift_repairs_total", { destination, resource });
  }
}
