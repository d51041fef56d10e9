/** What an entry of the table of metrics is made of. */

/** Values that the configuration or another type bounds. */
export interface OpenLabel<T extends string> {
  /** What the values are, for the documentation. */
  readonly meaning: string;
  /** Never there; carries the type. */
  readonly type?: T;
}

export type LabelSet = Readonly<Record<string, readonly string[] | OpenLabel<string>>>;

export interface CounterSpec<L extends LabelSet> {
  readonly kind: "counter";
  readonly help: string;
  readonly labels: L;
}

export interface GaugeSpec<L extends LabelSet> {
  readonly kind: "gauge";
  readonly help: string;
  readonly labels: L;
}

/** Observes seconds. */
export interface HistogramSpec<L extends LabelSet> {
  readonly kind: "histogram";
  readonly help: string;
  readonly labels: L;
  readonly buckets: readonly number[];
}

export type MetricSpec = CounterSpec<LabelSet> | GaugeSpec<LabelSet> | HistogramSpec<LabelSet>;

/** 1 ms to 5 min: a change usually arrives within 10 ms, after an outage within minutes. */
const SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300,
] as const;

/** What only grows. */
export function counter<const L extends LabelSet>(help: string, labels: L): CounterSpec<L> {
  return { kind: "counter", help, labels };
}

/** What is set. */
export function gauge<const L extends LabelSet>(help: string, labels: L): GaugeSpec<L> {
  return { kind: "gauge", help, labels };
}

/** What observes seconds. */
export function histogram<const L extends LabelSet>(help: string, labels: L): HistogramSpec<L> {
  return { kind: "histogram", help, labels, buckets: SECONDS };
}

/** A label whose values are bounded by something else than this table. */
export function open(meaning: string): OpenLabel<string> {
  return { meaning };
}
