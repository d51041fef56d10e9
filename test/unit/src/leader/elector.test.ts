import { describe, expect, it } from "vitest";
import { RetryableError } from "../../../../src/ports/errors.js";
import { electionBed } from "./lease-bed.js";

const unreachable = new RetryableError("FERRY-K001", "scripted");
const forbidden = new RetryableError("FERRY-K006", "scripted", { status: 403 });

describe("Elector", () => {
  it("creates the Lease as client-go would, with process id and published annotations", async () => {
    const { world, server, start } = electionBed();

    const pod = start("pod-a");
    await world.advance(0);

    expect(server.lease()).toMatchObject({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        annotations: {
          "svc-ferry.io/process-id": "pod-a-process",
          "svc-ferry.io/hand-off": "pod-a:9444",
        },
      },
      spec: {
        holderIdentity: "pod-a",
        leaseDurationSeconds: 15,
        acquireTime: "2026-01-01T00:00:00.000000Z",
        renewTime: "2026-01-01T00:00:00.000000Z",
        leaseTransitions: 0,
      },
    });
    expect([pod.elector.isLeading, pod.term?.permit()]).toEqual([true, true]);
  });

  it("renews every retry period and keeps acquireTime and leaseTransitions", async () => {
    const { world, server, start } = electionBed();
    const pod = start("pod-a");

    await world.advance(60_000);

    expect(pod.terms).toEqual(["1 began at 0"]);
    expect(server.lease().spec).toMatchObject({
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:01:00.000000Z",
      leaseTransitions: 0,
    });
    expect(pod.api.requests.filter((request) => request === "get")).toHaveLength(1);
  });

  it("keeps what others wrote into the Lease", async () => {
    const { world, server, start } = electionBed();
    start("pod-a");
    await world.advance(0);
    const lease = server.lease();
    server.store({ ...lease, metadata: { ...lease.metadata, labels: { team: "platform" } } });

    await world.advance(4_000);

    expect(server.lease().metadata.labels).toEqual({ team: "platform" });
    expect(server.lease().spec.renewTime).toBe("2026-01-01T00:00:04.000000Z");
  });

  describe("with two replicas", () => {
    it("lets one lead; the other knows who and where", async () => {
      const { world, start, permitted } = electionBed();
      start("pod-a");
      const follower = start("pod-b");

      await world.advance(60_000);

      expect(permitted()).toEqual(["pod-a"]);
      expect(follower.elector.leader).toMatchObject({
        identity: "pod-a",
        annotations: { "svc-ferry.io/hand-off": "pod-a:9444" },
        isUs: false,
        isLive: true,
      });
    });

    it("takes over within half a retry period after a release, and counts a transition", async () => {
      const { world, server, start, permitted } = electionBed();
      const leader = start("pod-a");
      await world.advance(0);
      start("pod-b");
      await world.advance(10_000);

      await leader.stop(world);
      const released = server.lease();
      await world.advance(1_000);

      expect(released.spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
      expect(released.metadata.annotations).toEqual({});
      expect(permitted()).toEqual(["pod-b"]);
      expect(server.lease().spec).toMatchObject({ holderIdentity: "pod-b", leaseTransitions: 1 });
    });

    it("takes over from a leader that was killed, at most a retry period after its Lease has run out", async () => {
      const { world, start } = electionBed();
      const leader = start("pod-a");
      await world.advance(0);
      const follower = start("pod-b");
      await world.advance(9_900);

      leader.clock.kill();
      const killedMs = world.monotonicMs();
      await world.runUntil(() => follower.elector.isLeading);

      expect(world.monotonicMs() - killedMs).toBeGreaterThan(13_000);
      expect(world.monotonicMs() - killedMs).toBeLessThanOrEqual(16_000);
    });

    it("never lets both write while the leader is cut off, and the leader ends its term at the renew deadline", async () => {
      const { world, start, permitted } = electionBed();
      const leader = start("pod-a");
      await world.advance(0);
      start("pod-b");
      await world.advance(10_000);
      const cutOffMs = world.monotonicMs();
      const most = { permitted: 0 };

      leader.api.fault = unreachable;
      await world.runUntil(() => {
        most.permitted = Math.max(most.permitted, permitted().length);
        return permitted().includes("pod-b");
      });

      expect(most.permitted).toBe(1);
      expect(leader.terms).toEqual(["1 began at 0", `1 ended at ${cutOffMs + 10_000}`]);
      expect(world.monotonicMs() - cutOffMs).toBeGreaterThanOrEqual(15_000);
    });

    it("does not care about wall clocks that are five minutes apart, in either direction", async () => {
      const { world, server, start, permitted } = electionBed();
      const leader = start("pod-a", { skewMs: -300_000 });
      await world.advance(0);
      const follower = start("pod-b", { skewMs: 300_000 });

      await world.advance(120_000);
      const before = permitted();
      await leader.stop(world);
      await world.advance(1_000);
      const late = start("pod-c", { skewMs: -300_000 });
      await world.advance(120_000);

      expect(before).toEqual(["pod-a"]);
      expect(permitted()).toEqual(["pod-b"]);
      expect([follower.terms.length, late.terms.length]).toEqual([1, 0]);
      expect(server.lease().spec.leaseTransitions).toBe(1);
    });

    it("keeps a process that was stopped for longer than its Lease from writing, from its first instruction on", async () => {
      const { world, start, permitted } = electionBed();
      const leader = start("pod-a");
      await world.advance(0);
      start("pod-b");
      await world.advance(10_000);

      leader.clock.freeze();
      await world.advance(20_000);
      const whileStopped = permitted();
      leader.clock.thaw();
      const atOnce = leader.term?.permit();
      await world.advance(60_000);

      expect(whileStopped).toEqual(["pod-b"]);
      expect(atOnce).toBe(false);
      expect(leader.terms).toHaveLength(2);
      expect(permitted()).toEqual(["pod-b"]);
      expect(leader.logged).toContain("warn: leadership lost");
    });

    it("stops to permit writes a safe margin before anybody can take over", async () => {
      const { world, start } = electionBed();
      const leader = start("pod-a");
      await world.advance(0);

      leader.clock.freeze();
      await world.advance(13_500);
      const last = leader.term?.permit();
      await world.advance(1);

      expect([last, leader.term?.permit()]).toEqual([true, false]);
    });

    it("is of use with a Lease of three seconds", async () => {
      const times = { durationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 };
      const { world, start, permitted } = electionBed();
      const leader = start("pod-a", { times });
      await world.advance(0);
      const follower = start("pod-b", { times });
      await world.advance(60_000);
      const steady = [permitted(), leader.terms.length];

      leader.clock.kill();
      const killedMs = world.monotonicMs();
      await world.runUntil(() => follower.elector.isLeading);

      expect(steady).toEqual([["pod-a"], 1]);
      expect(world.monotonicMs() - killedMs).toBeLessThanOrEqual(3_250);
    });
  });

  it("treats another process of the same pod name as another holder", async () => {
    const { world, server, start, permitted } = electionBed();
    const first = start("pod-a", { processId: "first" });
    await world.advance(0);
    const second = start("pod-a", { processId: "second" });
    await world.advance(60_000);
    const steady = second.terms.length;

    first.clock.kill();
    await world.advance(14_000);
    const early = second.terms.length;
    await world.advance(3_000);

    expect([steady, early]).toEqual([0, 0]);
    expect(permitted()).toEqual(["pod-a"]);
    expect(second.terms).toHaveLength(1);
    expect(server.lease().spec.leaseTransitions).toBe(1);
  });

  it("respects a Lease that a process without our annotation holds, such as k8s-svc-sync", async () => {
    const { world, server, start } = electionBed();
    server.store({
      metadata: { namespace: "ns", name: "leader" },
      spec: { holderIdentity: "pod-a", leaseDurationSeconds: 30, leaseTransitions: 4 },
    });

    const pod = start("pod-a");
    await world.advance(29_000);
    const early = pod.terms.length;
    await world.advance(2_000);

    expect(early).toBe(0);
    expect(pod.terms).toHaveLength(1);
    expect(server.lease().spec.leaseTransitions).toBe(5);
  });

  describe("losing renewals", () => {
    it("survives some, without a new term", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(2_000);

      pod.api.fault = unreachable;
      await world.advance(7_000);
      pod.api.fault = undefined;
      await world.advance(20_000);

      expect(pod.terms).toEqual(["1 began at 0"]);
      expect(pod.term?.permit()).toBe(true);
    });

    it("goes on when a renewal was stored but its answer got lost", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.api.fault = "lose answers";
      await world.advance(3_000);
      pod.api.fault = undefined;
      await world.advance(20_000);

      expect(pod.terms).toEqual(["1 began at 0"]);
      expect(pod.term?.permit()).toBe(true);
    });

    it("ends the term at the deadline even if requests hang and do not listen to their signal", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.api.fault = "hang";
      await world.advance(10_000);

      expect(pod.terms).toEqual(["1 began at 0", "1 ended at 10000"]);
    });

    it("leads again, in a new term, when the server is back", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);
      const old = pod.term;

      pod.api.fault = unreachable;
      await world.advance(60_000);
      pod.api.fault = undefined;
      await world.advance(5_000);

      expect(pod.term?.number).toBe(2);
      expect([pod.term?.permit(), old?.permit()]).toEqual([true, false]);
    });

    it("ends the term when somebody else has held the Lease meanwhile, even if it is free again", async () => {
      const { world, server, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(1_000);
      const lease = server.lease();
      server.store({
        ...lease,
        metadata: { ...lease.metadata, annotations: {} },
        spec: { ...lease.spec, holderIdentity: "" },
      });

      await world.advance(3_000);

      expect(pod.terms).toEqual(["1 began at 0", "1 ended at 2000", "2 began at 4000"]);
    });

    it("makes the Lease anew when somebody deleted it, without a new term", async () => {
      const { world, server, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      server.objects.clear();
      await world.advance(2_000);

      expect(server.lease().spec.holderIdentity).toBe("pod-a");
      expect([pod.terms.length, pod.term?.permit()]).toEqual([1, true]);
    });
  });

  describe("when it is stopped", () => {
    it("ends the term first, keeps the Lease until lead has ended, then releases it", async () => {
      const { world, server, start } = electionBed();
      const pod = start("pod-a", { finishMs: 20_000 });
      await world.advance(0);

      pod.abort();
      await world.advance(19_000);
      const finishing = [
        pod.term?.signal.aborted,
        pod.term?.permit(),
        server.lease().spec.holderIdentity,
      ];
      await world.advance(1_000);

      expect(finishing).toEqual([true, true, "pod-a"]);
      expect([pod.term?.permit(), server.lease().spec.holderIdentity]).toEqual([false, ""]);
    });

    it("ends in bounded time when the server is gone", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.api.fault = "hang";
      const startedMs = world.monotonicMs();
      await pod.stop(world);

      expect(world.monotonicMs() - startedMs).toBeLessThanOrEqual(5_000);
      expect(pod.logged).toContain("warn: lease not released");
      expect(world.pending).toBe(0);
    });

    it("tries to release once, also when a renewal was under way that may have been stored", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.api.fault = "hang";
      await world.advance(2_500);
      const startedMs = world.monotonicMs();
      await pod.stop(world);

      expect(world.monotonicMs() - startedMs).toBeLessThanOrEqual(1_500);
      expect(pod.logged.filter((line) => line.includes("not released"))).toHaveLength(1);
    });

    it("releases a Lease whose acquisition it never got the answer of", async () => {
      const { world, server, start } = electionBed();
      const pod = start("pod-a");

      pod.api.fault = "lose answers";
      await world.advance(1_000);
      const stored = server.lease().spec.holderIdentity;

      pod.api.fault = undefined;
      await pod.stop(world);

      expect(stored).toBe("pod-a");
      expect(server.lease().spec.holderIdentity).toBe("");
    });

    it("stops at once as a follower, and leaves the leader's Lease alone", async () => {
      const { world, server, start } = electionBed();
      start("pod-a");
      await world.advance(0);
      const follower = start("pod-b");
      await world.advance(5_000);

      await follower.stop(world, 0);

      expect(server.lease().spec.holderIdentity).toBe("pod-a");
    });
  });

  describe("when lead ends by itself", () => {
    it("releases the Lease and stands for election again after returning", async () => {
      const { world, server, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.leave();
      await world.advance(1_000);
      const between = server.lease().spec.holderIdentity;
      await world.advance(5_000);

      expect(between).toBe("");
      expect(pod.term?.number).toBe(2);
    });

    it("does the same after throwing, and logs it", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      await world.advance(0);

      pod.leave(new Error("a bug"));
      await world.advance(5_000);

      expect(pod.logged).toContain("error: leading failed, stepping down");
      expect(pod.term?.number).toBe(2);
    });
  });

  describe("when the Lease cannot be used", () => {
    it("says once that rights are missing and what to grant, and leads when they are there", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      pod.api.fault = forbidden;
      await world.advance(30_000);
      const cause = pod.elector.cause;

      pod.api.fault = undefined;
      await world.advance(5_000);

      expect(cause).toBe("FERRY-K006");
      expect(pod.logged).toEqual([
        "error: lease cannot be used, trying again (allow get, create and update on leases.coordination.k8s.io in namespace ns)",
        "info: lease can be used again",
        "info: new leader",
        "debug: term began",
      ]);
    });

    it("says once for each change of cause", async () => {
      const { world, start } = electionBed();
      const pod = start("pod-a");
      pod.api.fault = unreachable;
      await world.advance(30_000);
      pod.api.fault = forbidden;
      await world.advance(30_000);

      expect(pod.logged.map((line) => line.split(" (")[0])).toEqual([
        "warn: lease cannot be reached, trying again",
        "error: lease cannot be used, trying again",
      ]);
    });

    it("says that the namespace is missing and leads when somebody creates it", async () => {
      const { world, server, start } = electionBed();
      server.namespaces.clear();
      const pod = start("pod-a");
      await world.advance(10_000);
      const logged = [...pod.logged];

      server.namespaces.add("ns");
      await world.advance(5_000);

      expect(logged).toEqual([
        "error: lease cannot be used, trying again (create the namespace ns)",
      ]);
      expect(pod.elector.isLeading).toBe(true);
    });

    it("creates the namespace when it was told to", async () => {
      const { world, server, start } = electionBed();
      server.namespaces.clear();
      const pod = start("pod-a", { createNamespace: true });

      await world.advance(1_000);

      expect(pod.elector.isLeading).toBe(true);
      expect(pod.api.requests.slice(0, 3)).toEqual(["get", "create Lease", "create Namespace"]);
    });
  });
});
