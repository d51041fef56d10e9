/** What becomes of hints, for the log and for numbers; `applied` and `removed` are told where things are written. */
import type { Clock } from "../ports/clock.js";
import { ExpiringMap } from "../ports/expiring-map.js";
import type { Hint } from "../ports/hint.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { ExpectationListener, Outcome } from "./expectations.js";

export interface HintReporterParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Of a Service that is changed all the time no more is said than this; each change has its line where it was admitted. */
const MAX_LINES = 5;
/** After so long without a change. */
const QUIET_MS = 10_000;

export class HintReporter implements ExpectationListener {
  readonly #said: ExpiringMap<{ lines: number }>;

  constructor(private readonly parts: HintReporterParts) {
    this.#said = new ExpiringMap({ clock: parts.clock, keepMs: QUIET_MS, maxEntries: 10_000 });
  }

  expected(hint: Hint): void {
    this.#sayRarely("queued", hint);
  }

  ended(hint: Hint, outcome: Outcome, attempts: number): void {
    const { metrics, clock, log } = this.parts;
    metrics.count("svc_ferry_hints_total", { outcome });
    switch (outcome) {
      case "seen":
      case "read": {
        const ms = Math.max(0, clock.now() - hint.admittedAtMs);
        metrics.observe("svc_ferry_admission_to_visible_seconds", { by: outcome }, ms / 1_000);
        return;
      }
      case "replaced":
        return;
      case "superseded":
        return this.#sayRarely("superseded", hint);
      case "abandoned": {
        const text = "abandoned: it was admitted and never stored";
        log.info({ ...fieldsOf(hint, clock), outcome, attempts, text }, "abandoned");
      }
    }
  }

  #sayRarely(outcome: "queued" | "superseded", hint: Hint): void {
    const key = `${outcome} ${hint.service}`;
    const { lines } = this.#said.get(key) ?? { lines: 0 };
    this.#said.set(key, { lines: lines + 1 });
    if (lines >= MAX_LINES) return;
    this.parts.log.info({ ...fieldsOf(hint, this.parts.clock), outcome }, outcome);
  }
}

function fieldsOf(hint: Hint, clock: Clock): object {
  const { service, operation, changeId, by, admittedAtMs } = hint;
  const sinceAdmissionMs = Math.max(0, clock.now() - admittedAtMs);
  return { changeId, by: by === "" ? undefined : by, operation, service, sinceAdmissionMs };
}
