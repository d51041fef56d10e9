import { describe, expect, it } from "vitest";
import type { EtcdError } from "../../../../sidecar/etcd/etcd.js";
import { EtcdUnsuitable, untilIntroduced } from "../../../../sidecar/etcd/introduction.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const NEVER = new AbortController().signal;

function scene() {
  const clock = new VirtualClock();
  const etcd = new FakeEtcd(clock, { name: "destination", clusterId: 7n });
  const troubles: string[] = [];
  const onTrouble = (error: EtcdError): void => void troubles.push(error.kind);
  const introducing = { role: "destination", clock, onTrouble } as const;
  return { clock, etcd, troubles, introducing };
}

describe("untilIntroduced", () => {
  it("learns who it is, and changes nothing", async () => {
    const { etcd, introducing } = scene();

    expect(await untilIntroduced(etcd, introducing, NEVER)).toEqual({
      kind: "ok",
      clusterId: 7n,
      version: "3.6.8",
    });
    expect(etcd.header.revision).toBe(1n);
  });

  it("tries every second for as long as it takes, and tells each trouble once", async () => {
    const { clock, etcd, troubles, introducing } = scene();
    etcd.setOutage(true);
    const introduced = untilIntroduced(etcd, introducing, NEVER);
    await clock.advance(5_000);

    etcd.setOutage(false);
    await clock.advance(1_000);

    expect(await introduced).toMatchObject({ clusterId: 7n });
    expect(troubles).toEqual(["unavailable"]);
  });

  it("gives up when it is told to stop", async () => {
    const { clock, etcd, introducing } = scene();
    const stop = new AbortController();
    etcd.setOutage(true);
    const introduced = untilIntroduced(etcd, introducing, stop.signal);
    await clock.advance(1_500);

    stop.abort();

    expect(await introduced).toBeUndefined();
  });

  it("does not wait for what will never do", async () => {
    const { etcd, introducing } = scene();
    etcd.refusesLargeTxns = true;

    await expect(untilIntroduced(etcd, introducing, NEVER)).rejects.toThrow(EtcdUnsuitable);
  });
});
