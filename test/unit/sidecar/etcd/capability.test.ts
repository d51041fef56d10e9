import { describe, expect, it } from "vitest";
import { judgeMembers, probe, whyNotBoth } from "../../../../sidecar/etcd/capability.js";
import type { MemberStatus } from "../../../../sidecar/etcd/etcd.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const { signal } = new AbortController();

describe("probe", () => {
  it("accepts an etcd and changes nothing in it", async () => {
    const etcd = new FakeEtcd(new VirtualClock(), { clusterId: 7n });

    const capability = await probe(etcd, "destination", { signal });

    expect(capability).toEqual({ kind: "ok", clusterId: 7n, version: "3.6.8" });
    expect(etcd.header.revision).toBe(1n);
  });

  it("refuses a destination without transactions of several operations, and says what it may be", async () => {
    const etcd = new FakeEtcd(new VirtualClock(), { name: "destination" });
    etcd.refusesLargeTxns = true;

    const capability = await probe(etcd, "destination", { signal });

    expect(capability).toEqual({
      kind: "refused",
      message:
        "destination takes no transactions of several operations (kine does not): the mirror needs a real etcd",
    });
  });

  it("writes no transaction to a source", async () => {
    const etcd = new FakeEtcd(new VirtualClock());

    expect((await probe(etcd, "source", { signal })).kind).toBe("ok");

    expect(etcd.takeTxns()).toEqual([]);
  });

  it("accepts an etcd whose user may not ask for versions", async () => {
    const etcd = new FakeEtcd(new VirtualClock(), { clusterId: 7n });
    etcd.faults.failNext(1, "permission", "members");

    const capability = await probe(etcd, "destination", { signal });

    expect(capability).toEqual({ kind: "ok", clusterId: 7n, version: "" });
  });

  it("fails when nobody answers, which is no refusal", async () => {
    const etcd = new FakeEtcd(new VirtualClock());
    etcd.setOutage(true);

    await expect(probe(etcd, "destination", { signal })).rejects.toMatchObject({
      kind: "unavailable",
    });
  });
});

describe("judgeMembers", () => {
  it.each([
    [["3.4.0"], "ok"],
    [["3.5.13", "3.4.31"], "ok"],
    [["3.6.8"], "ok"],
    [["3.7.0-alpha.0"], "ok"],
    [["3.6.8", "3.3.27"], "refused"],
    [["2.3.8"], "refused"],
    [[""], "refused"],
    [[], "refused"],
  ] as const)("of %j is %s", (versions, kind) => {
    expect(
      judgeMembers(
        "source",
        versions.map((version) => member(version)),
      ).kind,
    ).toBe(kind);
  });

  it("tells the oldest version", () => {
    const members = [member("3.5.13"), member("3.5.9"), member("3.6.1")];

    expect(judgeMembers("source", members)).toMatchObject({ version: "3.5.9" });
  });

  it("does not count learners", () => {
    const learner = { ...member("3.3.0"), isLearner: true };

    expect(judgeMembers("source", [learner, member("3.6.8")]).kind).toBe("ok");
    expect(judgeMembers("source", [learner])).toMatchObject({
      message: "source has learners only behind these endpoints",
    });
  });
});

describe("whyNotBoth", () => {
  it.each([
    [1n, "/registry/", 2n, "/registry/", false],
    [1n, "/registry/", 1n, "/registry/", true],
    [1n, "/registry/", 1n, "/registry/mirror/", true],
    [1n, "/registry/mirror/", 1n, "/registry/", true],
    [1n, "/registry/", 1n, "/mirror/", false],
  ] as const)("cluster %d %s to cluster %d %s: refused is %s", (from, a, to, b, refused) => {
    const reason = whyNotBoth({ clusterId: from, prefix: a }, { clusterId: to, prefix: b });

    expect(reason !== undefined).toBe(refused);
  });
});

function member(version: string): MemberStatus {
  return {
    header: { clusterId: 1n, memberId: 1n, revision: 1n },
    endpoint: "etcd:2379",
    version,
    dbSizeBytes: 0n,
    dbSizeInUseBytes: 0n,
    dbSizeQuotaBytes: 0n,
    isLearner: false,
    errors: [],
  };
}
