import type { InjectionToken } from "tsyringe";
import type { OpenLabel } from "./metric-spec.js";
import type { METRICS } from "./metric-table.js";

type Table = typeof METRICS;

type NameOf<Kind> = {
  [Name in keyof Table]: Table[Name]["kind"] extends Kind ? Name : never;
}[keyof Table];

/** Metrics that only grow. */
export type CounterName = NameOf<"counter">;
/** Metrics that are set. */
export type GaugeName = NameOf<"gauge">;
/** Metrics that observe seconds. */
export type HistogramName = NameOf<"histogram">;

type ValueOf<Label> = Label extends readonly (infer Value)[]
  ? Value
  : Label extends OpenLabel<infer Value>
    ? Value
    : never;

/** The labels of one metric, all of them, with the values that the table allows. */
export type LabelsOf<Name extends keyof Table> = {
  readonly [Label in keyof Table[Name]["labels"]]: ValueOf<Table[Name]["labels"][Label]>;
};

/** Where numbers go. Quick, never throws; names, labels and their values are those of metric-table.ts. */
export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void;
  /** Calls `update` before each exposition: for gauges that are cheaper to look up than to keep. */
  beforeScrape(update: () => void): void;
}
export const Metrics: InjectionToken<Metrics> = Symbol("Metrics");

/** The exposition of all metrics, in Prometheus' text format. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}
export const MetricsText: InjectionToken<MetricsText> = Symbol("MetricsText");
