import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { METRICS } from "../../../src/ports/metric-table.js";
import { installedObject } from "../../fixtures/installed-objects.js";
import { textOf } from "../../fixtures/source-text.js";

const FOLDER = "manifests/components/monitoring";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const { groups } = installedObject(FOLDER, "PrometheusRule", "svc-ferry")["spec"] as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(textOf(`${FOLDER}/svc-ferry.json`)) as Dashboard;
const queries = [
  ...alerts.map(({ expr }) => expr),
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
];

/** `svc_ferry_x_bucket` counts as `svc_ferry_x`, a histogram. */
const SERIES = /svc_ferry_\w+/g;

function metricOf(series: string): string {
  return series.replace(/_(?:bucket|sum|count)$/, "");
}

describe("alerts and dashboard", () => {
  it("ask for metrics that there are", () => {
    const asked = queries.flatMap((query) => query.match(SERIES) ?? []);

    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((series) => !Object.hasOwn(METRICS, metricOf(series)))).toEqual([]);
  });

  it("select by labels that these have, and by values that these take", () => {
    const wrong = queries
      .flatMap((query) => [...query.matchAll(/(svc_ferry_\w+)\{([^}]*)\}/g)])
      .flatMap(([, series = "", matchers = ""]) =>
        [...matchers.matchAll(/(\w+)(?:=|!=)"([^"]*)"/g)].map(([, label = "", value = ""]) => ({
          series,
          label,
          value,
        })),
      )
      .filter(({ series, label, value }) => !takes(metricOf(series), label, value));

    expect(wrong).toEqual([]);
  });

  it("group by labels that the metric has", () => {
    const grouped = queries.flatMap((query) =>
      [...query.matchAll(/by \(([^)]+)\) \((?:rate\()?(svc_ferry_\w+)/g)].map(
        ([, names = "", series = ""]) => ({ series, names: names.split(", ") }),
      ),
    );

    expect(grouped.length).toBeGreaterThan(10);
    const unknown = grouped.filter(
      ({ series, names }) =>
        !names.every((name) => name === "le" || name in labelsOf(metricOf(series))),
    );
    expect(unknown).toEqual([]);
  });
});

describe("each alert", () => {
  it.each(alerts.map((alert) => [alert.alert, alert] as const))(
    "%s says what it means, how bad it is, and where to read on",
    (name, { labels, annotations }) => {
      expect(name).toMatch(/^SvcFerry[A-Z]/);
      expect(["critical", "warning", "info"]).toContain(labels.severity);
      // The summary is the same for every series, so that alerts can be grouped by it.
      expect(annotations["summary"]).not.toContain("{{");
      expect(annotations["description"]).toMatch(/\.$/);
      expect(annotations["runbook"]).toBe(`docs/runbook.md#${name.toLowerCase()}`);
    },
  );

  it("has an entry in the runbook, and the runbook has no other", () => {
    const entries = [...textOf("docs/runbook.md").matchAll(/^### (SvcFerry\w+)$/gm)];

    expect(entries.map(([, name]) => name)).toEqual(alerts.map(({ alert }) => alert));
  });
});

describe("the chart's copies", () => {
  it("are the same as those of the manifests", () => {
    const chart = "charts/svc-ferry/files";

    expect(parse(textOf(`${chart}/alerts.yaml`))).toEqual({ groups });
    expect(textOf(`${chart}/svc-ferry.json`)).toBe(textOf(`${FOLDER}/svc-ferry.json`));
  });
});

function labelsOf(metric: string): Readonly<Record<string, unknown>> {
  const specs: Readonly<Record<string, { readonly labels: Readonly<Record<string, unknown>> }>> =
    METRICS;
  return specs[metric]?.labels ?? {};
}

function takes(metric: string, label: string, value: string): boolean {
  const values = labelsOf(metric)[label];
  return Array.isArray(values) ? values.includes(value) : values !== undefined;
}
