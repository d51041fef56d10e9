/** The Metrics port over prom-client: a registry of its own, so that two compositions in one process share nothing. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { injectable } from "tsyringe";
import type { MetricSpec } from "../ports/metric-spec.js";
import { METRICS } from "../ports/metric-table.js";
import type {
  CounterName,
  GaugeName,
  HistogramName,
  LabelsOf,
  Metrics,
  MetricsText,
} from "../ports/metrics.js";

type Labels = Readonly<Record<string, string>>;

@injectable()
export class PrometheusMetrics implements Metrics, MetricsText {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #updates: (() => void)[] = [];

  /**
   * @param belongs which of the table's metrics this process exposes: what it does not do would stand there as 0 otherwise,
   * and lull those who watch. What is set or counted beside that is passed over.
   */
  constructor(belongs: (name: string) => boolean = () => true) {
    for (const [name, spec] of Object.entries(METRICS)) {
      if (belongs(name)) this.#declare(name, spec);
    }
  }

  /** Adds what prom-client knows of process and event loop (`process_…`, `nodejs_…`). Once, at start: it begins to measure. */
  start(version: string): void {
    collectDefaultMetrics({ register: this.#registry });
    this.set("svc_ferry_build_info", { version }, 1);
    this.set("svc_ferry_leader", {}, 0);
  }

  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(plain(labels), by);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.set(plain(labels), value);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void {
    this.#histograms.get(name)?.observe(plain(labels), seconds);
  }

  beforeScrape(update: () => void): void {
    this.#updates.push(update);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition; gauges that are looked up are looked up now. */
  async text(): Promise<string> {
    for (const update of this.#updates) update();
    return this.#registry.metrics();
  }

  #declare(name: string, spec: MetricSpec): void {
    const { help } = spec;
    const options = {
      name,
      help,
      labelNames: Object.keys(spec.labels),
      registers: [this.#registry],
    };
    switch (spec.kind) {
      case "counter":
        this.#counters.set(name, new Counter(options));
        break;
      case "gauge":
        this.#gauges.set(name, new Gauge(options));
        break;
      case "histogram":
        this.#histograms.set(name, new Histogram({ ...options, buckets: [...spec.buckets] }));
        break;
    }
  }
}

/** The table's types are narrower than what prom-client takes. */
function plain(labels: object): Labels {
  return { ...labels };
}
