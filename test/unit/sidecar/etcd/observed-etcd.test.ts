import { describe, expect, it } from "vitest";
import { ObservedEtcd } from "../../../../sidecar/etcd/observed-etcd.js";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import { isMirrorMetric } from "../../../../src/ports/mirror-metric-table.js";
import { PrometheusMetrics } from "../../../../src/telemetry/metrics.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

function scene() {
  const clock = new VirtualClock();
  const etcd = new FakeEtcd(clock, { name: "destination" });
  const metrics = new PrometheusMetrics(isMirrorMetric);
  const observed = new ObservedEtcd({ etcd, side: "destination", clock, metrics });
  const samples = async (name: string): Promise<readonly string[]> =>
    (await metrics.text()).split("\n").filter((line) => line.startsWith(name));
  return { clock, etcd, observed, samples };
}

const NEVER = { signal: new AbortController().signal };

describe("ObservedEtcd", () => {
  it("counts requests by kind and answers as the etcd behind it", async () => {
    const { observed, samples } = scene();
    const put = { kind: "put", key: "/a", value: Buffer.from("b") } as const;

    await observed.txn(transaction([], [put], []), NEVER);
    const { kvs } = await observed.range({ key: "/a" }, NEVER);

    expect(kvs.map(({ value }) => value.toString())).toEqual(["b"]);
    expect(await samples("svc_ferry_mirror_etcd_request_seconds_count")).toEqual([
      'svc_ferry_mirror_etcd_request_seconds_count{side="destination",request="txn"} 1',
      'svc_ferry_mirror_etcd_request_seconds_count{side="destination",request="range"} 1',
    ]);
  });

  it("counts what fails, by kind, and lets it pass", async () => {
    const { etcd, observed, samples } = scene();
    etcd.setOutage(true);

    await expect(observed.range({ key: "/a" }, NEVER)).rejects.toThrow();

    expect(await samples("svc_ferry_mirror_etcd_errors_total")).toEqual([
      'svc_ferry_mirror_etcd_errors_total{side="destination",kind="unavailable"} 1',
    ]);
  });

  it("counts watches that were cut, and passes every item on", async () => {
    const { clock, etcd, observed, samples } = scene();
    const stop = new AbortController();
    const kinds: string[] = [];
    const watching = (async () => {
      const range = { key: "/", rangeEnd: "0" };
      for await (const item of observed.watch({ range, from: 1n, signal: stop.signal })) {
        kinds.push(item.kind);
      }
    })();
    await clock.advance(1_000);

    etcd.cutWatches();
    await clock.advance(5_000);
    stop.abort();
    await watching;

    expect(kinds).toContain("reconnected");
    expect(await samples("svc_ferry_mirror_etcd_reconnects_total")).toEqual([
      'svc_ferry_mirror_etcd_reconnects_total{side="destination"} 1',
    ]);
  });

  it("tells the size of the database with its members", async () => {
    const { observed, samples } = scene();

    await observed.members(NEVER);

    expect(await samples("svc_ferry_mirror_etcd_bytes")).toHaveLength(3);
  });
});
