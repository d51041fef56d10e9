import { inject, injectable } from "tsyringe";
import { Config } from "./config/config.js";
import type { Core } from "./core.js";
import type { WatchHealth } from "./intake/watch-health.js";
import { AuditLines } from "./ports/audit-lines.js";
import { Clock } from "./ports/clock.js";
import type { Health, Readiness } from "./ports/health.js";
import type { LeaderPage } from "./ports/leader-page.js";
import type { Leadership } from "./ports/leadership.js";
import { METRICS } from "./ports/metric-table.js";
import { Metrics } from "./ports/metrics.js";
import type { StatusReport, StatusSource } from "./ports/status.js";
import type { Term } from "./ports/term.js";
import { clusterStatus, countServices, statusReport } from "./status-report.js";
import { ferryView } from "./telemetry/page/ferry-view.js";
import { parseQuery } from "./telemetry/page/page-query.js";
import type { PageView } from "./telemetry/page/page-view.js";
import { VERSION } from "./version.js";

/** Admission in this process, which is also the way to the leader. */
type AttachedWebhook = LeaderPage & { readiness(): Readiness };

/** What the admin port may see of this process, before and after there is a core. */
@injectable()
export class FerryState implements Health, Leadership, LeaderPage, StatusSource {
  #core: Core | undefined;
  #link: string | undefined;
  #term: Term | undefined;
  #leader: () => string | undefined = () => undefined;
  #webhook: AttachedWebhook | undefined;

  constructor(
    @inject(Config) private readonly config: Config,
    @inject(Clock) private readonly clock: Clock,
    @inject(Metrics) private readonly metrics: Metrics,
    @inject(AuditLines) private readonly audit: AuditLines,
  ) {
    metrics.beforeScrape(() => this.#scrape());
  }

  /** The source has answered: there is a core now. */
  attach(core: Core, link: string, leader: () => string | undefined): void {
    this.#core = core;
    this.#link = link;
    this.#leader = leader;
  }

  /** There is a webhook that can be asked. */
  attachWebhook(webhook: AttachedWebhook): void {
    this.#webhook = webhook;
  }

  webhookReady(): Readiness {
    if (!this.config.webhook.on) return { ok: true, waitingFor: [] };
    const waitingFor = [`source ${this.config.source.name} is not connected`];
    return this.#webhook?.readiness() ?? { ok: false, waitingFor };
  }

  began(term: Term): void {
    this.#term = term;
    this.metrics.count("svc_ferry_lease_transitions_total", { change: "gained" });
  }

  ended(): void {
    this.#term = undefined;
    this.metrics.count("svc_ferry_lease_transitions_total", { change: "lost" });
  }

  isLeader(): boolean {
    return this.#term !== undefined && !this.#term.signal.aborted;
  }

  ready(): Readiness {
    const source = this.config.source.name;
    const core = this.#core;
    if (core === undefined) return { ok: false, waitingFor: [`source ${source} is not connected`] };
    const waitingFor = [
      ...(clusterStatus(source, core.cache.health(), this.clock).connected
        ? []
        : [`source ${source} is not connected`]),
      ...core.links
        .filter((link) => !clusterStatus("", link.watches(), this.clock).connected)
        .map((link) => `destination ${link.settings.name} is not connected`),
    ];
    return { ok: waitingFor.length === 0, waitingFor };
  }

  report(): StatusReport {
    const { podName, source } = this.config;
    return statusReport({
      clock: this.clock,
      podName,
      version: VERSION,
      sourceName: source.name,
      core: this.#core,
      isLeader: this.isLeader(),
      leader: this.isLeader() ? podName : this.#leader(),
      link: this.#link,
    });
  }

  /** What is shown to those who look at another replica; undefined: this one does not lead. */
  page(search: string): PageView | undefined {
    if (!this.isLeader()) return undefined;
    const query = parseQuery(Object.fromEntries(new URLSearchParams(search)));
    return ferryView(this.report(), this.audit.latest(), query);
  }

  async ask(search: string): Promise<unknown> {
    return this.#webhook?.ask(search);
  }

  /** Gauges that are cheaper to look up than to keep. */
  #scrape(): void {
    const { metrics } = this;
    const core = this.#core;
    metrics.set("svc_ferry_leader", {}, this.isLeader() ? 1 : 0);
    for (const link of core?.links ?? []) {
      const destination = link.settings.name;
      const { live, bulk, oldestMs } = link.backlog;
      metrics.set("svc_ferry_queue_depth", { destination, priority: "live" }, live);
      metrics.set("svc_ferry_queue_depth", { destination, priority: "bulk" }, bulk);
      metrics.set("svc_ferry_queue_oldest_seconds", { destination }, oldestMs / 1_000);
      metrics.set("svc_ferry_mirrors", { destination }, link.mirrorCount);
      metrics.set("svc_ferry_paused", { destination }, link.settings.paused ? 1 : 0);
      const elsewhere = link.lease.state.kind === "held-elsewhere" ? 1 : 0;
      metrics.set("svc_ferry_link_held_elsewhere", { destination }, elsewhere);
    }
    if (core !== undefined) {
      this.#tellContacts(this.config.source.name, core.cache.health());
      for (const link of core.links) this.#tellContacts(link.settings.context, link.watches());
    }
    this.#countServices();
  }

  /** Of several watches of one resource the one that has been silent for longest. */
  #tellContacts(cluster: string, watches: readonly WatchHealth[]): void {
    const { clock, metrics } = this;
    const startedMs = clock.now() - clock.monotonicMs();
    for (const resource of new Set(watches.map((watch) => watch.resource))) {
      const same = watches.filter((watch) => watch.resource === resource);
      const oldestMs = Math.min(...same.map(({ lastContactMs }) => lastContactMs ?? Infinity));
      if (oldestMs === Infinity) continue;
      const seconds = (startedMs + oldestMs) / 1_000;
      metrics.set("svc_ferry_last_contact_timestamp_seconds", { cluster, resource }, seconds);
    }
  }

  /** As /status tells them; a follower has none. */
  #countServices(): void {
    const core = this.isLeader() ? this.#core : undefined;
    for (const { name: destination } of this.config.destinations) {
      const counts = core && countServices(core, destination);
      for (const state of METRICS.svc_ferry_services.labels.state) {
        this.metrics.set("svc_ferry_services", { destination, state }, counts?.get(state) ?? 0);
      }
    }
  }
}
