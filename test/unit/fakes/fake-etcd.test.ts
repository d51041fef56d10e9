import { describe, expect, it } from "vitest";
import { WatchCompacted } from "../../../sidecar/etcd/etcd.js";
import { etcdContract } from "../../contract/etcd-contract.js";
import { EtcdCase, kindOf } from "../../contract/etcd-case.js";
import { FakeEtcd } from "../../fakes/fake-etcd.js";
import { settle } from "../../fakes/settle.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";

etcdContract("the etcd in memory", async () => {
  const clock = new VirtualClock();
  const etcd = new FakeEtcd(clock);
  return { etcd, pass: (ms) => clock.advance(ms), cleanup: () => etcd.close() };
});

describe("the etcd in memory", () => {
  it("tells progress after ten quiet seconds, with the revision of the whole store", async () => {
    const { clock, etcd, on } = bed();
    const reading = on.watch(2n).next();
    const other = new EtcdCase(() => ({ etcd, pass: async () => {}, cleanup: async () => {} }));
    const revision = await other.put("elsewhere");

    await clock.advance(10_000);

    expect(await reading).toMatchObject({ kind: "progress", revision });
  });

  it("resumes a cut watch after the last event, says so, and loses nothing", async () => {
    const { etcd, on } = bed();
    const watch = on.watch(await on.put("a", "1"));
    await watch.events(1);

    etcd.setOutage(true);
    const reading = watch.next();
    await settle();
    etcd.setOutage(false);

    expect(await reading).toEqual({ kind: "reconnected" });
    await on.put("a", "2");
    expect(await watch.events(1)).toEqual(["put a=2"]);
  });

  it("cannot resume where the history was compacted while the watch was cut", async () => {
    const { etcd, on } = bed();
    const watch = on.watch(await on.put("a", "1"));
    await watch.events(1);
    await on.put("a", "2");
    etcd.cutWatches();
    const last = await on.put("a", "3");
    await etcd.compact(last, on.call);

    expect(await watch.next()).toEqual({ kind: "reconnected" });
    await expect(watch.next()).rejects.toThrow(WatchCompacted);
  });

  it("fails so many calls as it was told to, without having done anything", async () => {
    const { etcd, on } = bed();
    etcd.faults.failNext(1, "unavailable", "txn");

    expect(await kindOf(on.put("a"))).toBe("unavailable");

    expect(await on.get("a")).toBeUndefined();
    await on.put("a");
    expect(await on.get("a")).toBeDefined();
  });

  it("does a transaction whose answer it loses", async () => {
    const { etcd, on } = bed();
    etcd.faults.loseAnswers(1);

    expect(await kindOf(on.put("a", "1"))).toBe("unknown-outcome");

    expect((await on.get("a"))?.value.toString()).toBe("1");
    expect(etcd.takeTxns()).toMatchObject([{ succeeded: true, revision: 2n }]);
  });

  it("holds calls until the test lets them go, or their caller gives up", async () => {
    const { etcd, on } = bed();
    const held = etcd.faults.hold("txn");
    const put = on.put("a");
    const givenUp = new AbortController();
    const aborted = etcd.txn({ compare: [], then: [], otherwise: [] }, givenUp);
    await settle();
    expect(held.waiting).toBe(2);

    givenUp.abort(new Error("enough"));
    held.release();

    await expect(aborted).rejects.toThrow("enough");
    expect(await put).toBe(2n);
  });

  it("refuses puts and leases without space, and takes deletions", async () => {
    const { etcd, on } = bed();
    await on.put("a");
    etcd.noSpace = true;

    expect(await kindOf(on.put("b"))).toBe("no-space");
    expect(await kindOf(etcd.grantLease(60, on.call))).toBe("no-space");
    expect((await etcd.members(on.call))[0]?.errors).toEqual(["memberID:1 alarm:NOSPACE "]);
    await on.run(on.deleteOp("a"));
    expect(await on.get("a")).toBeUndefined();
  });

  it("goes back in time when a backup is restored, as another cluster if wanted", async () => {
    const { etcd, on } = bed();
    await on.put("a", "before");
    const backup = etcd.backup();
    await on.put("a", "after");

    etcd.restore(backup, 7n);

    expect((await on.get("a"))?.value.toString()).toBe("before");
    expect(await etcd.revision(on.call)).toEqual({ clusterId: 7n, memberId: 1n, revision: 2n });
  });
});

function bed(): { readonly clock: VirtualClock; readonly etcd: FakeEtcd; readonly on: EtcdCase } {
  const clock = new VirtualClock();
  const etcd = new FakeEtcd(clock);
  const on = new EtcdCase(() => ({
    etcd,
    pass: (ms) => clock.advance(ms),
    cleanup: async () => {},
  }));
  return { clock, etcd, on };
}
