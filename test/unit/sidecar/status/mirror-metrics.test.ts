import { describe, expect, it } from "vitest";
import { MirrorMetrics } from "../../../../sidecar/status/mirror-metrics.js";
import type { MirrorStatus } from "../../../../sidecar/status/mirror-status.js";
import { isMirrorMetric } from "../../../../src/ports/mirror-metric-table.js";
import { PrometheusMetrics } from "../../../../src/telemetry/metrics.js";
import { mirrorStatus, noDebts, noPasses } from "../../../fixtures/mirror-status.js";

function scene(first: MirrorStatus | undefined) {
  const now: { status: MirrorStatus | undefined } = { status: first };
  const metrics = new PrometheusMetrics(isMirrorMetric);
  new MirrorMetrics(metrics, {
    status: () => now.status,
    ready: () => now.status !== undefined,
    rejectedFiles: () => 1,
  }).start();
  const samples = async (): Promise<readonly string[]> =>
    (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return { now, samples };
}

describe("MirrorMetrics", () => {
  it("tells that the mirror is starting before there is anything to tell", async () => {
    const samples = await scene(undefined).samples();

    expect(samples).toContain('svc_ferry_mirror_activity{activity="starting"} 1');
    expect(samples).toContain("svc_ferry_mirror_ready 0");
    expect(samples).toContain("svc_ferry_mirror_rejected_files 1");
  });

  it("looks everything up at each exposition", async () => {
    const { now, samples } = scene(mirrorStatus());
    await samples();

    now.status = mirrorStatus({
      activity: "copying",
      revisionApplied: 100n,
      lagMs: 1_500,
      apiLagMs: 40_000,
      debts: { ...noDebts(), occupied: 2 },
      brake: { engaged: true, causes: ["reload"], held: 40 },
    });
    const told = await samples();

    for (const line of [
      'svc_ferry_mirror_activity{activity="copying"} 1',
      'svc_ferry_mirror_activity{activity="following"} 0',
      "svc_ferry_mirror_revision_read 120",
      "svc_ferry_mirror_revision_applied 100",
      "svc_ferry_mirror_lag_revisions 20",
      "svc_ferry_mirror_lag_seconds 1.5",
      "svc_ferry_mirror_api_lag_seconds 40",
      'svc_ferry_mirror_debts{reason="occupied"} 2',
      "svc_ferry_mirror_brake 40",
      'svc_ferry_mirror_objects{rule="sequential[0]"} 4',
    ]) {
      expect(told).toContain(line);
    }
  });

  it("counts on from where it was, also when the mirror's own numbers begin anew", async () => {
    const { now, samples } = scene(mirrorStatus({ bytesWritten: 10 }));
    await samples();

    now.status = mirrorStatus({ bytesWritten: 15, passes: { ...noPasses(), first: 1 } });
    const grown = await samples();
    now.status = mirrorStatus({ bytesWritten: 4, passes: { ...noPasses(), first: 1 } });
    const anew = await samples();

    expect(grown).toContain("svc_ferry_mirror_written_bytes_total 15");
    expect(anew).toContain("svc_ferry_mirror_written_bytes_total 19");
    expect(anew).toContain('svc_ferry_mirror_passes_total{cause="first"} 1');
  });
});
