/** Mirrors that nobody wants: those that stay for now, why, and the brake that keeps many of them. */
import type { BrakeVerdict } from "../domain/brake.js";
import type { Reason } from "../domain/codes.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { EventSink, EventSubject } from "../ports/event-sink.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { Voice } from "./voice.js";

/** `source` is what the mirror names, or its own name where that is lost. */
export interface Unwanted {
  readonly source: ServiceKey;
  readonly target: ServiceKey;
}

interface Orphan extends Unwanted {
  readonly reason: Reason;
}

export interface OrphanReporterSettings {
  readonly destination: string;
  /** Whom the brake's Event is about: the Lease. */
  readonly leaseSubject: EventSubject;
  /** How a person lets so many deletions pass. */
  readonly allowHint: (unwanted: number) => string;
}

export interface OrphanReporterParts {
  readonly log: Log;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly voice: Voice;
}

/** Names in the log line of a blocked sweep. */
const MAX_LISTED = 20;

export class OrphanReporter {
  readonly #orphans = new Map<ServiceKey, Orphan>();
  #blocked = false;

  constructor(
    private readonly settings: OrphanReporterSettings,
    private readonly parts: OrphanReporterParts,
  ) {}

  /** For /status. */
  all(): Iterable<Orphan> {
    return this.#orphans.values();
  }

  get brakeBlocked(): boolean {
    return this.#blocked;
  }

  clear(): void {
    this.#orphans.clear();
  }

  forget(target: ServiceKey): void {
    this.#orphans.delete(target);
  }

  /** This mirror stays for now. Said once for each reason. */
  held(orphan: Unwanted, reason: Reason): void {
    const { source, target } = orphan;
    const before = this.#orphans.get(target)?.reason.code;
    this.#orphans.set(target, { source, target, reason });
    if (before === reason.code) return;
    const { code, message } = reason;
    this.parts.voice.say(
      source,
      target,
      { outcome: "held", code, reason: message },
      "kept the mirror",
    );
  }

  /** A sweep has counted them, and the brake has decided. */
  swept(verdict: BrakeVerdict, unwanted: readonly Unwanted[]): void {
    const { metrics } = this.parts;
    const { destination } = this.settings;
    const still = new Set(unwanted.map(({ target }) => target));
    for (const target of this.#orphans.keys()) if (!still.has(target)) this.forget(target);
    const wasBlocked = this.#blocked;
    this.#blocked = verdict.kind === "blocked";
    metrics.count("svc_ferry_sweeps_total", { destination });
    metrics.set("svc_ferry_delete_brake", { destination }, this.#blocked ? 1 : 0);
    if (verdict.kind === "blocked") this.#blockedNow(verdict, unwanted, wasBlocked);
  }

  #blockedNow(
    verdict: Extract<BrakeVerdict, { kind: "blocked" }>,
    unwanted: readonly Unwanted[],
    wasBlocked: boolean,
  ): void {
    const { log, events, metrics } = this.parts;
    const { destination, leaseSubject, allowHint } = this.settings;
    metrics.count("svc_ferry_mass_deletes_blocked_total", { destination });
    const hint = allowHint(verdict.unwanted);
    const message = `${verdict.unwanted} of ${verdict.mirrors} mirrors in ${destination} have no source; none is deleted. ${hint}`;
    const reason: Reason = { code: "mass-delete-blocked", message };
    for (const one of unwanted) this.#orphans.set(one.target, { ...one, reason });
    if (wasBlocked) return;
    const mirrors = unwanted.slice(0, MAX_LISTED).map(({ target }) => target);
    log.error(
      { destination, code: reason.code, reason: message, mirrors: mirrors.join(", ") },
      "mass deletion blocked",
    );
    events.emit({ subject: leaseSubject, type: "Warning", reason: "MassDeleteBlocked", message });
  }
}
