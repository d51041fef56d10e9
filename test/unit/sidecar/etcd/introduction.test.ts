import { describe, expect, it } from "vitest";
import type { EtcdError } from "../../../../sidecar/etcd/etcd.js";
import {
  EtcdUnsuitable,
  introduce,
  untilIntroduced,
} from "../../../../sidecar/etcd/introduction.js";
import { FakeEtcd, type FakeEtcdOptions } from "../../../fakes/fake-etcd.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const NEVER = new AbortController().signal;

function etcd(options: FakeEtcdOptions = {}): FakeEtcd {
  return new FakeEtcd(new VirtualClock(), { name: "source", clusterId: 7n, ...options });
}

describe("introduce", () => {
  it("learns cluster, revision and versions, and writes nothing", async () => {
    const one = etcd();

    expect(await introduce(one, NEVER)).toEqual({
      clusterId: 7n,
      revision: 1n,
      versions: ["3.6.8"],
    });
    expect(one.header.revision).toBe(1n);
  });

  it("refuses what only looks like etcd", async () => {
    const kine = etcd();
    kine.refusesLargeTxns = true;

    await expect(introduce(kine, NEVER)).rejects.toThrow(EtcdUnsuitable);
  });

  it.each([
    ["3.3.27", true],
    ["2.9.0", true],
    ["3.4.0", false],
    ["3.10.1", false],
    ["4.0.0", false],
    ["not etcd's", false],
  ])("of version %s says too old: %s", async (version, isTooOld) => {
    const introduced = introduce(etcd({ version }), NEVER).then(
      () => false,
      (error: unknown) => error instanceof EtcdUnsuitable,
    );

    expect(await introduced).toBe(isTooOld);
  });
});

describe("untilIntroduced", () => {
  function scene() {
    const clock = new VirtualClock();
    const one = new FakeEtcd(clock, { name: "source" });
    const troubles: (string | undefined)[] = [];
    const onTrouble = (error: EtcdError | undefined): void => void troubles.push(error?.kind);
    const stop = new AbortController();
    return { clock, one, troubles, stop, patience: { clock, onTrouble } };
  }

  it("tries every second, tells each trouble once, and that it is over", async () => {
    const { clock, one, troubles, patience } = scene();
    one.setOutage(true);
    const introduced = untilIntroduced(one, patience, NEVER);
    await clock.advance(5_000);
    expect(troubles).toEqual(["unavailable"]);

    one.setOutage(false);
    await clock.advance(1_000);

    expect(await introduced).toMatchObject({ clusterId: 1n });
    expect(troubles).toEqual(["unavailable", undefined]);
  });

  it("gives up when it is told to stop, and at once when waiting is no use", async () => {
    const { clock, one, stop, patience } = scene();
    one.setOutage(true);
    const introduced = untilIntroduced(one, patience, stop.signal);
    await clock.advance(1_500);

    stop.abort();

    expect(await introduced).toBeUndefined();
    one.setOutage(false);
    one.refusesLargeTxns = true;
    await expect(untilIntroduced(one, patience, NEVER)).rejects.toThrow(EtcdUnsuitable);
  });
});
