/** The mirror's metrics, looked up at each exposition: the pipeline keeps its own numbers and knows nothing of this. */
import { METRICS } from "../../src/ports/metric-table.js";
import type { CounterName, LabelsOf, Metrics } from "../../src/ports/metrics.js";
import type { MirrorStatus, PassStatus } from "./mirror-status.js";
import { lagRevisions } from "./status-report.js";

/** What is asked before each exposition. */
export interface MirrorNumbers {
  /** undefined: the etcds have not said who they are yet. */
  readonly status: () => MirrorStatus | undefined;
  readonly ready: () => boolean;
  readonly rejectedFiles: () => number;
}

export class MirrorMetrics {
  /** What each counter stood at when it was looked at last: prom-client only adds. */
  readonly #told = new Map<string, number>();

  constructor(
    private readonly metrics: Metrics,
    private readonly numbers: MirrorNumbers,
  ) {}

  /** From now on every exposition is up to date. Once. */
  start(): void {
    this.metrics.beforeScrape(() => this.update());
  }

  update(): void {
    const { metrics, numbers } = this;
    const status = numbers.status();
    metrics.set("svc_ferry_mirror_ready", {}, numbers.ready() ? 1 : 0);
    metrics.set("svc_ferry_mirror_rejected_files", {}, numbers.rejectedFiles());
    const now = status?.activity ?? "starting";
    for (const activity of METRICS.svc_ferry_mirror_activity.labels.activity) {
      metrics.set("svc_ferry_mirror_activity", { activity }, activity === now ? 1 : 0);
    }
    if (status === undefined) return;
    this.#gauges(status);
    this.#pass(status.pass);
    this.#counters(status);
  }

  #gauges(status: MirrorStatus): void {
    const { metrics } = this;
    const { revisionRead, revisionApplied } = status;
    metrics.set("svc_ferry_mirror_fence_held", {}, status.fence.held ? 1 : 0);
    if (revisionRead !== undefined) {
      metrics.set("svc_ferry_mirror_revision_read", {}, Number(revisionRead));
    }
    if (revisionApplied !== undefined) {
      metrics.set("svc_ferry_mirror_revision_applied", {}, Number(revisionApplied));
    }
    metrics.set("svc_ferry_mirror_lag_seconds", {}, status.lagMs / 1_000);
    metrics.set("svc_ferry_mirror_api_lag_seconds", {}, status.apiLagMs / 1_000);
    metrics.set("svc_ferry_mirror_lag_revisions", {}, lagRevisions(status));
    for (const { label, owned } of status.rules) {
      metrics.set("svc_ferry_mirror_objects", { rule: label }, owned);
    }
    for (const [reason, count] of Object.entries(status.debts)) {
      metrics.set("svc_ferry_mirror_debts", { reason }, count);
    }
    const tooSlow = status.destinationTooSlow ? 1 : 0;
    metrics.set("svc_ferry_mirror_destination_too_slow", {}, tooSlow);
    metrics.set("svc_ferry_mirror_brake", {}, status.brake.engaged ? status.brake.held : 0);
    metrics.set("svc_ferry_mirror_writes_paused", {}, status.paused === undefined ? 0 : 1);
  }

  #pass(pass: PassStatus | undefined): void {
    for (const state of METRICS.svc_ferry_mirror_pass_objects.labels.state) {
      this.metrics.set("svc_ferry_mirror_pass_objects", { state }, pass?.[state] ?? 0);
    }
  }

  #counters(status: MirrorStatus): void {
    for (const cause of METRICS.svc_ferry_mirror_passes_total.labels.cause) {
      this.#upTo("svc_ferry_mirror_passes_total", { cause }, status.passes[cause]);
    }
    for (const outcome of METRICS.svc_ferry_mirror_transactions_total.labels.outcome) {
      const count = status.transactions[outcome];
      this.#upTo("svc_ferry_mirror_transactions_total", { outcome }, count);
    }
    for (const action of METRICS.svc_ferry_mirror_conflicts_total.labels.action) {
      this.#upTo("svc_ferry_mirror_conflicts_total", { action }, status.conflicts[action]);
    }
    for (const action of METRICS.svc_ferry_mirror_drift_total.labels.action) {
      this.#upTo("svc_ferry_mirror_drift_total", { action }, status.drift[action]);
    }
    const { put, deleted, ledgerOnly } = status.objects;
    this.#upTo("svc_ferry_mirror_writes_total", { action: "put" }, put);
    this.#upTo("svc_ferry_mirror_writes_total", { action: "deleted" }, deleted);
    this.#upTo("svc_ferry_mirror_writes_total", { action: "ledger-only" }, ledgerOnly);
    this.#upTo("svc_ferry_mirror_written_bytes_total", {}, status.bytesWritten);
  }

  /** A number that is smaller than before is one that began anew: then all of it is new. */
  #upTo<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, count: number): void {
    const series = `${name} ${JSON.stringify(labels)}`;
    const before = this.#told.get(series) ?? 0;
    this.#told.set(series, count);
    this.metrics.count(name, labels, count >= before ? count - before : count);
  }
}
