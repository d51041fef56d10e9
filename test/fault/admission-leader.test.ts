import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HttpFaultProxy } from "../harness/http-fault-proxy.js";
import { service } from "../harness/manifests.js";
import { portsOf } from "../harness/namespace-view.js";
import { waitFor } from "../harness/wait-for.js";
import type { AdmissionLane } from "./admission-lane.js";
import { type Bed, FULL, startBed } from "./bed.js";
import type { Replica } from "./replica.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

const ROUNDS = FULL ? 50 : 6;
/** A lease, the start of a process and what a round waits for beside. */
const ROUND_MS = 30_000;

type Operation = "create" | "update" | "unlabel" | "delete";

/** One change, and through whom it is admitted. */
interface Round {
  readonly name: string;
  readonly user: string;
  readonly operation: Operation;
  readonly through: "leader" | "follower";
  /** The leader lives until it was told of the change by admission, not only by its watch. */
  readonly isHandedOn: boolean;
}

/** Who deletes is known to the replica that was asked and to whom it told that: so the one that was asked lives. */
const CASES: readonly Pick<Round, "operation" | "through" | "isHandedOn">[] = [
  { operation: "create", through: "leader", isHandedOn: false },
  { operation: "delete", through: "follower", isHandedOn: true },
  { operation: "unlabel", through: "leader", isHandedOn: true },
  { operation: "update", through: "follower", isHandedOn: false },
  { operation: "delete", through: "follower", isHandedOn: false },
  { operation: "unlabel", through: "follower", isHandedOn: true },
  { operation: "update", through: "leader", isHandedOn: true },
  { operation: "create", through: "follower", isHandedOn: true },
];

const rounds = Array.from({ length: ROUNDS }, (_, number): Round[] => {
  const one = CASES[number % CASES.length];
  return one === undefined ? [] : [{ name: `web-${number}`, user: `user-${number}`, ...one }];
}).flat();

interface Stage {
  readonly admission: AdmissionLane;
  /** In front of the destination. */
  readonly proxy: HttpFaultProxy;
}

/** Replicas whose way to the destination the test holds. */
async function stage(name: string): Promise<Stage> {
  const proxy = await bed.httpProxy(bed.destination);
  const destinationWay = { server: proxy.url, ca: proxy.ca };
  return { proxy, admission: await bed.admissionLane(name, { destinationWay }) };
}

/** As that user, and a port that nothing else has. */
async function change({ admission }: Stage, { name, user, operation }: Round): Promise<void> {
  const { name: namespace } = admission.lane;
  const cluster = admission.as(user);
  switch (operation) {
    case "create":
      await cluster.create(service(namespace, name));
      return;
    case "update":
      await cluster.patch("Service", namespace, name, { spec: { ports: [{ port: 81 }] } });
      return;
    case "unlabel":
      await cluster.patch("Service", namespace, name, { metadata: { labels: { sync: null } } });
      return;
    case "delete":
      await cluster.remove("Service", namespace, name);
  }
}

/** Writes to mirrors reach the proxy, and go no further; Leases do. */
function hold({ proxy, admission }: Stage): void {
  const prefix = `/api/v1/namespaces/${admission.lane.name}/services`;
  proxy.setRule(({ method, path }) =>
    method !== "GET" && path.startsWith(prefix) ? { kind: "hang" } : undefined,
  );
}

/** Resolves when the destination is as the change wants it. */
async function arrives({ admission }: Stage, { name, operation }: Round): Promise<void> {
  const { to, name: namespace } = admission.lane;
  await waitFor(
    async () => {
      const mirror = await to.get("Service", namespace, name);
      switch (operation) {
        case "create":
          return mirror !== undefined;
        case "update":
          return mirror !== undefined && portsOf(mirror)[0] === 81;
        case "unlabel":
        case "delete":
          return mirror === undefined;
      }
    },
    { what: `${operation} of ${name} to arrive` },
  );
}

describe("a leader that is killed between admission and its write", () => {
  it(
    "leaves it to the next one, whose line has the change and the person",
    async () => {
      const at = await stage("admission");
      const { admission, proxy } = at;
      const { name: namespace } = admission.lane;
      const there = rounds.filter(({ operation }) => operation !== "create");
      let leader = admission.start("first");
      await leader.leads();
      for (const { name } of there) await admission.lane.from.create(service(namespace, name));
      await admission.lane.converged();

      for (const round of rounds) {
        const follower: Replica = admission.start(`after-${round.name}`);
        await follower.standsBy();
        const asked = round.through === "leader" ? leader : follower;
        await admission.route(asked);
        hold(at);
        const before = proxy.requests.length;
        await change(at, round);
        const admitted = await admission.told(asked, "admitted", round.name);
        await waitFor(() => hangs(at, before), { what: `the write for ${round.name}` });
        if (round.isHandedOn) await admission.told(leader, "queued", round.name);
        await leader.kill();
        proxy.setRule();
        await arrives(at, round);

        const outcome = ["unlabel", "delete"].includes(round.operation) ? "removed" : "applied";
        const line = await admission.told(follower, outcome, round.name);
        expect({ ...round, ...line }).toEqual({ ...round, ...admitted });
        expect(line.by).toBe(round.user);
        leader = follower;
      }
    },
    ROUNDS * ROUND_MS,
  );
});

describe("a deletion that a third replica admitted", () => {
  it("is told with its author by a new leader that hears of it only after it has removed the mirror", async () => {
    const at = await stage("third");
    const { admission, proxy } = at;
    const leader = admission.start("first");
    await leader.leads();
    const round: Round = {
      name: "web",
      user: "eve",
      operation: "delete",
      through: "follower",
      isHandedOn: false,
    };
    await admission.lane.from.create(service(admission.lane.name, "web"));
    await admission.lane.converged();
    const next = admission.start("next");
    await next.standsBy();
    const third = admission.start("third");
    await third.standsBy();
    await admission.route(third);
    hold(at);
    const before = proxy.requests.length;
    await change(at, round);
    const admitted = await admission.told(third, "admitted", "web");
    await waitFor(() => hangs(at, before), { what: "the write for web" });

    // Its next look at the Lease comes too late.
    third.process.signal("SIGSTOP");
    await leader.kill();
    proxy.setRule();
    await next.leads();
    await arrives(at, round);
    third.process.signal("SIGCONT");

    expect(await admission.told(next, "removed", "web")).toEqual(admitted);
    expect(admitted.by).toBe("eve");
  });
});

/** A write to a mirror has come so far. */
function hangs({ proxy, admission }: Stage, before: number): boolean {
  const prefix = `/api/v1/namespaces/${admission.lane.name}/services`;
  return proxy.requests
    .slice(before)
    .some(({ method, path }) => method !== "GET" && path.startsWith(prefix));
}
