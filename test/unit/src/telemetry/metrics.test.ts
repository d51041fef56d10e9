import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MetricSpec } from "../../../../src/ports/metric-spec.js";
import { METRICS } from "../../../../src/ports/metric-table.js";
import { isMirrorMetric } from "../../../../src/ports/mirror-metric-table.js";
import { KubeMetrics } from "../../../../src/telemetry/kube-metrics.js";
import { PrometheusMetrics } from "../../../../src/telemetry/metrics.js";

async function samples(metrics: PrometheusMetrics, name: string): Promise<readonly string[]> {
  const text = await metrics.text();
  return text.split("\n").filter((line) => line.startsWith(name));
}

describe("PrometheusMetrics", () => {
  it("exposes counters, gauges and histograms under the table's names", async () => {
    const metrics = new PrometheusMetrics();

    metrics.count("svc_ferry_events_total", { outcome: "written" });
    metrics.count("svc_ferry_events_total", { outcome: "written" }, 2);
    metrics.set("svc_ferry_leader", {}, 1);
    metrics.observe("svc_ferry_reconcile_seconds", { destination: "b" }, 0.0015);

    expect(await samples(metrics, "svc_ferry_events_total")).toEqual([
      'svc_ferry_events_total{outcome="written"} 3',
    ]);
    expect(await samples(metrics, "svc_ferry_leader")).toEqual(["svc_ferry_leader 1"]);
    expect(await samples(metrics, "svc_ferry_reconcile_seconds_bucket")).toContain(
      'svc_ferry_reconcile_seconds_bucket{le="0.002",destination="b"} 1',
    );
    expect(await samples(metrics, "svc_ferry_reconcile_seconds_bucket")).toContain(
      'svc_ferry_reconcile_seconds_bucket{le="0.001",destination="b"} 0',
    );
  });

  it("declares every metric of the table, with its help and type", async () => {
    const text = await new PrometheusMetrics().text();

    const declared = text.split("\n").filter((line) => line.startsWith("# TYPE"));

    expect(declared).toEqual(
      Object.entries(METRICS).map(([name, { kind }]) => `# TYPE ${name} ${kind}`),
    );
  });

  it("exposes what belongs to the process alone, and takes the rest without a word", async () => {
    const metrics = new PrometheusMetrics((name) => !isMirrorMetric(name));

    metrics.set("svc_ferry_mirror_ready", {}, 1);

    expect(await samples(metrics, "svc_ferry_mirror")).toEqual([]);
    expect(await samples(metrics, "svc_ferry_leader")).toEqual(["svc_ferry_leader 0"]);
  });

  it("looks gauges up before each exposition", async () => {
    const metrics = new PrometheusMetrics();
    let depth = 0;
    metrics.beforeScrape(() => {
      depth += 1;
      metrics.set("svc_ferry_queue_depth", { destination: "b", priority: "live" }, depth);
    });

    await metrics.text();

    expect(await samples(metrics, "svc_ferry_queue_depth")).toEqual([
      'svc_ferry_queue_depth{destination="b",priority="live"} 2',
    ]);
  });

  it("shares nothing with another one in the same process", async () => {
    const [one, other] = [new PrometheusMetrics(), new PrometheusMetrics()];

    one.set("svc_ferry_leader", {}, 1);

    expect(await samples(other, "svc_ferry_leader")).not.toContain("svc_ferry_leader 1");
  });

  it("adds version and process metrics at start", async () => {
    const metrics = new PrometheusMetrics();

    metrics.start("1.2.3");

    expect(await samples(metrics, "svc_ferry_build_info")).toEqual([
      'svc_ferry_build_info{version="1.2.3"} 1',
    ]);
    expect(await samples(metrics, "process_resident_memory_bytes")).toHaveLength(1);
  });

  it("accepts only names, labels and values of the table", () => {
    const metrics = new PrometheusMetrics();
    const compileTimeOnly = (): void => {
      // @ts-expect-error no such metric
      metrics.count("svc_ferry_typo_total", {});
      // @ts-expect-error a gauge is not counted
      metrics.count("svc_ferry_leader", {});
      // @ts-expect-error a label is missing
      metrics.count("svc_ferry_drift_repairs_total", { destination: "b" });
      // @ts-expect-error the value is not in the set
      metrics.count("svc_ferry_events_total", { outcome: "lost" });
    };

    expect(compileTimeOnly).toBeTypeOf("function");
  });
});

describe("the table of metrics", () => {
  const entries: readonly (readonly [string, MetricSpec])[] = Object.entries(METRICS);

  it("keeps to the naming rules", () => {
    const wrong = entries.filter(
      ([name, { kind }]) =>
        !/^svc_ferry_[a-z_]+$/.test(name) ||
        name.endsWith("_total") !== (kind === "counter") ||
        (kind === "histogram" && !name.endsWith("_seconds")),
    );

    expect(wrong).toEqual([]);
  });

  it("is what docs/metrics.md lists, row by row", () => {
    const page = readFileSync(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");

    const listed = page
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim()));

    expect(listed.map((cells) => cells.slice(1, -1))).toEqual(
      entries.map(([name, spec]) => [`\`${name}\``, spec.kind, labelsCell(spec), spec.help]),
    );
  });
});

function labelsCell({ labels }: MetricSpec): string {
  const cells = Object.entries(labels).map(
    ([name, values]) => `\`${name}\`: ${"meaning" in values ? values.meaning : values.join(", ")}`,
  );
  return cells.length === 0 ? "–" : cells.join("; ");
}

describe("KubeMetrics", () => {
  it("counts requests and their time, but not how long a watch lived", async () => {
    const metrics = new PrometheusMetrics();
    const observer = new KubeMetrics(metrics);

    observer.requestDone("eks-a", "patch", "200", 0.004);
    observer.requestDone("eks-a", "watch", "200", 300);
    observer.connectionOpened("eks-a");
    observer.turnGiven("eks-a", "live", 0);

    expect(await samples(metrics, "svc_ferry_api_requests_total")).toEqual([
      'svc_ferry_api_requests_total{cluster="eks-a",verb="patch",code="200"} 1',
      'svc_ferry_api_requests_total{cluster="eks-a",verb="watch",code="200"} 1',
    ]);
    expect(await samples(metrics, "svc_ferry_api_request_seconds_count")).toEqual([
      'svc_ferry_api_request_seconds_count{cluster="eks-a",verb="patch"} 1',
    ]);
    expect(await samples(metrics, "svc_ferry_api_connections_opened_total")).toEqual([
      'svc_ferry_api_connections_opened_total{cluster="eks-a"} 1',
    ]);
    expect(await samples(metrics, "svc_ferry_limiter_wait_seconds_count")).toEqual([
      'svc_ferry_limiter_wait_seconds_count{cluster="eks-a",priority="live"} 1',
    ]);
  });
});
