import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AuditedWrite } from "../harness/audit-trail.js";
import type { HttpFaultProxy } from "../harness/http-fault-proxy.js";
import { waitFor } from "../harness/wait-for.js";
import { processIdOf, stored } from "./audit-log.js";
import { type Bed, startBed } from "./bed.js";
import { skewedClock } from "./clock-offset.js";
import { type Lane, serviceWrites } from "./lane.js";
import type { ReplicaOptions } from "./lane-options.js";
import type { Replica } from "./replica.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

const LEASE_MS = 3_000;
/** More than a lease full: time enough for a follower to take what is not its own. */
const RENEWALS = LEASE_MS / 500 + 2;
const FIVE_MINUTES_MS = 300_000;

/** A leader, and a follower whose caches are filled. */
async function pair(
  lane: Lane,
  [first, second]: readonly [ReplicaOptions, ReplicaOptions] = [{ pod: "a" }, { pod: "b" }],
): Promise<{ readonly leader: Replica; readonly follower: Replica }> {
  const leader = lane.start(first);
  await leader.leads();
  const follower = lane.start(second);
  await follower.standsBy();
  return { leader, follower };
}

/** From `sinceMs` to the first write that the API server received from that replica. */
async function takeOverMs(lane: Lane, replica: Replica, sinceMs: number): Promise<number> {
  const id = await replica.id();
  const first = lane.writes().find((write) => processIdOf(write) === id);
  return (first?.receivedMs ?? Number.POSITIVE_INFINITY) - sinceMs;
}

/**
 * Writes of the old leader's that were stored after the new one's first. A create may come late: it is equal to what is
 * wanted, which the test sees by the convergence without a repair.
 */
async function lateWrites(
  lane: Lane,
  old: Replica,
  successor: Replica,
): Promise<readonly AuditedWrite[]> {
  const [oldId, newId] = [await old.id(), await successor.id()];
  const writes = stored(lane.attempts());
  const first = writes.find((write) => processIdOf(write) === newId);
  expect(first).toBeDefined();
  return writes.filter(
    (write) =>
      processIdOf(write) === oldId &&
      write.verb !== "create" &&
      write.answeredMs > (first?.answeredMs ?? 0),
  );
}

describe("a follower", () => {
  it("takes over from a killed leader within the lease and a second", async () => {
    const lane = await bed.lane("killed");
    const { leader, follower } = await pair(lane);
    await lane.putMany(3);
    await lane.converged();

    await leader.kill();
    const killedMs = Date.now();
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    expect(await takeOverMs(lane, follower, killedMs)).toBeLessThanOrEqual(LEASE_MS + 1_000);
    expect(serviceWrites(lane.writes())).toHaveLength(4);
  });

  it("takes over at once from a leader that is asked to stop", async () => {
    const lane = await bed.lane("stopped");
    const { leader, follower } = await pair(lane);
    await lane.putMany(3);
    await lane.converged();

    const stopped = leader.stop();
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    await expect(stopped).resolves.toEqual({ code: 0, signal: undefined });
    await follower.leads();
    expect(serviceWrites(lane.writes())).toHaveLength(4);
  });

  it.each([
    ["5 min ahead", FIVE_MINUTES_MS, -FIVE_MINUTES_MS],
    ["5 min behind", -FIVE_MINUTES_MS, FIVE_MINUTES_MS],
  ])("whose leader's clock is %s waits while that one lives, and no longer", async (...skew) => {
    const [, leaderMs, followerMs] = skew;
    const lane = await bed.lane(`clocks${leaderMs < 0 ? "-behind" : "-ahead"}`);
    const { leader, follower } = await pair(lane, [
      { pod: "a", nodeArgs: skewedClock(leaderMs) },
      { pod: "b", nodeArgs: skewedClock(followerMs) },
    ]);
    await lane.putMany(3);
    await lane.converged();
    await renewals(lane, RENEWALS);

    await leader.kill();
    const killedMs = Date.now();
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    expect(await takeOverMs(lane, follower, killedMs)).toBeLessThanOrEqual(LEASE_MS + 1_000);
    const writers = lane
      .writes()
      .filter(({ receivedMs }) => receivedMs < killedMs)
      .map(processIdOf);
    expect(new Set(writers)).toEqual(new Set([await leader.id()]));
    expect(serviceWrites(lane.writes())).toHaveLength(4);
  });

  it("of the same pod name is another process: one leads, and the other takes over", async () => {
    const lane = await bed.lane("twins");
    const { leader, follower } = await pair(lane, [{ pod: "twin" }, { pod: "twin" }]);
    await lane.putMany(3);
    await lane.converged();
    await renewals(lane, RENEWALS);
    const roles = [(await leader.status()).role, (await follower.status()).role];

    leader.freeze();
    await lane.put("web-0", "10.1.0.1", { port: 81 });
    await lane.converged();
    leader.thaw();
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.converged();

    expect(roles).toEqual(["leader", "follower"]);
    expect(await lateWrites(lane, leader, follower)).toEqual([]);
    expect(serviceWrites(lane.writes())).toHaveLength(5);
  });
});

describe("a leader that was frozen for longer than its lease", () => {
  it("begins no write when it goes on, however many it had before it", async () => {
    const proxy = await bed.httpProxy(bed.destination);
    const lane = await bed.lane("frozen", {
      destinationWay: { server: proxy.url, ca: proxy.ca },
    });
    const { leader, follower } = await pair(lane);
    const [oldId, newId] = [await leader.id(), await follower.id()];
    await lane.putMany(60);
    await lane.converged();
    proxy.setRule(({ method }) =>
      method === "PATCH" ? { kind: "delay", delayMs: 400 } : undefined,
    );

    await lane.putMany(60, { port: 81 });
    await waitFor(() => writesSent(proxy, oldId, "PATCH") > 3, { what: "the first changes" });
    leader.freeze();
    await waitFor(() => writesSent(proxy, newId, "PATCH") > 3, { what: "the successor's changes" });
    const sent = writesSent(proxy, oldId);
    leader.thaw();
    await waitFor(async () => (await leader.status()).role === "follower", {
      what: "the old one to notice",
    });
    await lane.converged();
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    expect(writesSent(proxy, oldId, "PATCH")).toBeLessThan(60);
    expect(writesSent(proxy, oldId)).toBe(sent);
    expect(await lateWrites(lane, leader, follower)).toEqual([]);
  });

  it("changes nothing with a write that arrives after its successor's", async () => {
    const line = await bed.tcpProxy(bed.destination);
    const { ca } = bed.destination;
    const proxy = await bed.httpProxy({ server: line.url, ca });
    const destinationWay = { server: proxy.url, ca: proxy.ca };
    const oldLane = await bed.lane("late", { destinationWay });
    const lane = await bed.lane("late"); // the follower's way is straight
    const leader = oldLane.start({ pod: "a" });
    await leader.leads();
    const follower = lane.start({ pod: "b" });
    await follower.standsBy();
    await lane.putMany(3);
    await lane.converged();

    line.blackhole("to-server");
    await lane.put("web-0", "10.1.0.1", { port: 81 });
    await lane.remove("web-1");
    await lane.put("web-3", "10.1.0.4");
    await waitFor(() => serviceVerbs(proxy) === "DELETE PATCH POST", {
      what: "three writes under way",
    });
    leader.freeze();
    await follower.leads();
    await lane.converged();
    await lane.put("web-0", "10.1.0.1", { port: 82 });
    await lane.put("web-1", "10.1.0.2");
    await lane.converged();
    const before = lane.writes();
    const answered = (await attemptsOf(lane, leader)).length;
    line.pass(); // now they arrive
    await waitFor(async () => (await attemptsOf(lane, leader)).length >= answered + 3, {
      what: "the late writes",
    });
    leader.thaw();
    await waitFor(async () => (await leader.status()).role === "follower", {
      what: "the old one to notice",
    });

    expect(await lateWrites(lane, leader, follower)).toEqual([]);
    expect(lane.writes()).toEqual(before);
  });
});

/** Resolves after so many renewals of the source's Lease. */
async function renewals(lane: Lane, count: number): Promise<void> {
  const times = new Set<string>();
  await waitFor(
    async () => {
      const lease = await lane.from.get("Lease", "k8s-sync", lane.name);
      const spec = lease?.["spec"] as { readonly renewTime: string } | undefined;
      if (spec !== undefined) times.add(spec.renewTime);
      return times.size > count;
    },
    { what: `${count} renewals` },
  );
}

/** Writes of that process that reached the proxy, renewals of its Lease excepted. */
function writesSent(proxy: HttpFaultProxy, processId: string, verb?: string): number {
  return proxy.count(
    ({ method, path, headers }) =>
      (verb === undefined ? method !== "GET" : method === verb) &&
      !path.includes("/leases") &&
      headers["user-agent"]?.includes(processId) === true,
  );
}

/** Methods of the writes to Services that reached the proxy, the three of the beginning excepted. */
function serviceVerbs(proxy: HttpFaultProxy): string {
  const writes = proxy.requests.filter(
    ({ method, path }) => method !== "GET" && path.split("/").includes("services"),
  );
  return writes
    .slice(3)
    .map(({ method }) => method)
    .sort()
    .join(" ");
}

async function attemptsOf(lane: Lane, replica: Replica): Promise<readonly AuditedWrite[]> {
  const id = await replica.id();
  return lane.attempts().filter((write) => processIdOf(write) === id);
}
