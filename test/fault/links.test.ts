import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ControlPlane } from "../controlplane/control-plane.js";
import { Cluster } from "../harness/cluster.js";
import { waitFor } from "../harness/wait-for.js";
import { processIdOf, summary } from "./audit-log.js";
import { addressOf } from "./bed.js";
import { type Lane, serviceWrites } from "./lane.js";
import type { RoutesFile } from "./lane-options.js";
import { type OwnBed, startOwnBed } from "./own-bed.js";
import { startSource } from "./planes.js";

let bed: OwnBed;
/** A second source cluster: another one, or a copy of the first. */
let other: ControlPlane;
let otherFrom: Cluster;

beforeAll(async () => {
  [bed, other] = await Promise.all([startOwnBed(), startSource("other")]);
  otherFrom = new Cluster(other.connection());
});
afterEach(async () => bed.tidy());
afterAll(async () => {
  await Promise.all([bed.stop(), otherFrom.close(), other.stop()]);
});

/** The same names in the second source. */
async function otherLane(name: string): Promise<Lane> {
  return bed.lane(name, { from: otherFrom, source: other });
}

const deletions = (lane: Lane): readonly string[] =>
  lane
    .attempts()
    .filter(({ verb }) => verb === "delete")
    .map(({ resource, name }) => `${resource}/${name}`);

describe("an old and a new configuration that lead in turn", () => {
  /** Every Service by one route; with `legacy` those of another label too. */
  function routes(lane: Lane, withLegacy: boolean): RoutesFile {
    const target = { namespace: lane.name };
    const namespaces = [lane.name];
    const current = { name: "current", namespaces, target };
    const legacy = { name: "legacy", namespaces, target, selector: "legacy=yes" };
    return {
      destinations: [{ context: "destination" }],
      routes: withLegacy ? [current, legacy] : [current],
    };
  }

  async function legacyService(lane: Lane, name: string): Promise<void> {
    await lane.from.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: lane.name, name, labels: { legacy: "yes" } },
      spec: { ports: [{ name: "main", port: 80 }] },
    });
  }

  it("take nothing away from each other while neither has led for long", async () => {
    const lane = await bed.lane("turns");
    await lane.putMany(2);
    for (const name of ["old-0", "old-1", "old-2"]) await legacyService(lane, name);
    const all = ["old-0", "old-1", "old-2", "web-0", "web-1"];

    const old = lane.start({ pod: "old", config: routes(lane, true) });
    await waitFor(async () => (await lane.mirrors()).join() === all.join(), {
      what: "all mirrors",
    });
    const young = lane.start({
      pod: "young",
      config: routes(lane, false),
      flags: ["--sweep-interval=200ms"],
    });
    await young.standsBy();
    await old.stop();
    await young.leads();
    await lane.put("web-2", "10.1.0.3");
    await waitFor(async () => (await lane.mirrors()).length === 6, { what: "the new one's work" });
    const again = lane.start({
      pod: "again",
      config: routes(lane, true),
      flags: ["--sweep-interval=200ms"],
    });
    await again.standsBy();
    await young.stop();
    await again.leads();
    await lane.put("web-3", "10.1.0.4");
    await waitFor(async () => (await lane.mirrors()).length === 7, { what: "the old one's work" });
    await lane.settled();

    expect(deletions(lane)).toEqual([]);
    expect(serviceWrites(lane.writes()).filter((write) => write.startsWith("patch"))).toEqual([]);
  });

  it("let go of a removed route's mirrors when the new one has led for long enough", async () => {
    const lane = await bed.lane("grace");
    await lane.putMany(2);
    await legacyService(lane, "old-0");
    const old = lane.start({ pod: "old", config: routes(lane, true) });
    await waitFor(async () => (await lane.mirrors()).length === 3, { what: "all mirrors" });
    await old.stop();

    lane.start({
      pod: "young",
      config: routes(lane, false),
      flags: ["--stale-route-grace=2s", "--sweep-interval=200ms"],
    });
    await lane.converged();

    expect(deletions(lane)).toContain("services/old-0");
    expect(await lane.mirrors()).toEqual(["web-0", "web-1"]);
  });

  it("let go of a removed route's mirrors also where no other route leads to", async () => {
    const lane = await bed.lane("stray");
    const elsewhere = `${lane.name}-legacy`;
    const strays = async (): Promise<readonly string[]> => {
      const found = await lane.to.list("Service", elsewhere, "svc-ferry.io/link");
      return found.map(({ metadata }) => metadata.name);
    };
    await lane.putMany(2);
    await legacyService(lane, "old-0");
    const [current, legacy] = routes(lane, true).routes;
    const away = { ...legacy, target: { namespace: elsewhere }, createNamespace: true };
    const both = { ...routes(lane, true), routes: [current, away] } as RoutesFile;
    const old = lane.start({ pod: "old", config: both });
    await waitFor(async () => (await strays()).length === 1, { what: "the mirror elsewhere" });
    await old.stop();

    lane.start({
      pod: "young",
      config: routes(lane, false),
      flags: ["--stale-route-grace=2s", "--sweep-interval=200ms"],
    });
    await lane.converged();

    await waitFor(async () => (await strays()).length === 0, {
      what: "the mirror elsewhere to go",
    });
    expect(await lane.mirrors()).toEqual(["web-0", "web-1"]);
  });
});

/** A load balancer that ends TLS, with either cluster behind it; both take anybody for an administrator. */
async function balanced(first: ControlPlane) {
  for (const cluster of [new Cluster(first.connection()), otherFrom]) await letAnybodyIn(cluster);
  const line = await bed.tcpProxy(first);
  const balancer = await bed.httpProxy({ server: line.url, ca: first.ca + other.ca });
  const leadTo = (cluster: ControlPlane): void => {
    line.retarget(addressOf(cluster));
    line.cut();
    balancer.cut();
  };
  return { way: { server: balancer.url, ca: balancer.ca, token: "" }, leadTo };
}

describe("another cluster behind the same address", () => {
  it("as source ends the process, has none of its Services mirrored and removes nothing", async () => {
    const { way, leadTo } = await balanced(bed.source);
    const lane = await bed.lane("exchanged", { sourceWay: way });
    const strange = await otherLane("exchanged");
    await lane.putMany(5);
    await strange.put("strange", "10.3.0.1");
    await strange.put("web-0", "10.3.0.2", { port: 99 });
    const replica = lane.start({ flags: ["--sweep-interval=200ms"] });
    await lane.converged();
    const before = lane.attempts().length;

    leadTo(other);
    const line = await replica.process.waitForLine(/FERRY-K012/);
    const { code } = await replica.process.exit;
    await lane.settled();
    const meanwhile = lane.attempts().slice(before);
    leadTo(bed.source);
    lane.start({ flags: ["--sweep-interval=200ms"] });
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    expect(code).toBe(1);
    expect(line).toContain("--link=");
    expect(summary(meanwhile)).toEqual([]);
    expect(deletions(lane).filter((one) => /web|after/.test(one))).toEqual([]);
  });

  it("as destination ends the process, and the next one fills it", async () => {
    const { way, leadTo } = await balanced(bed.destination);
    const lane = await bed.lane("moved", { destinationWay: way });
    await otherFrom.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "moved" } });
    await lane.putMany(3);
    const replica = lane.start();
    await lane.converged();

    leadTo(other);
    await replica.process.waitForLine(/FERRY-K012/);
    const { code } = await replica.process.exit;
    lane.start();
    const mirrors = await waitFor(
      async () => {
        const found = await otherFrom.list("Service", "moved", "svc-ferry.io/link");
        return found.length === 3 ? found : undefined;
      },
      { what: "the mirrors in the other cluster", timeoutMs: 30_000 },
    );

    expect(code).toBe(1);
    expect(mirrors.map(({ metadata }) => metadata.name).sort()).toEqual([
      "web-0",
      "web-1",
      "web-2",
    ]);
    expect(deletions(lane)).toEqual([]);
  });
});

describe("a source cluster", () => {
  it("that is replaced takes over the mirrors with the old --link and removes not one too many", async () => {
    const lane = await bed.lane("replaced");
    await lane.putMany(5);
    const old = lane.start({ flags: ["--link=shop"] });
    await lane.converged();
    await old.kill();
    const successor = await otherLane("replaced");
    for (const number of [0, 1, 2]) await successor.put(`web-${number}`, `10.4.0.${number + 1}`);
    const before = lane.writes().length;

    successor.start({ flags: ["--link=shop", "--sweep-interval=200ms"] });
    const taken = ["web-0", "web-1", "web-2"];
    await waitFor(async () => sourceUids(successor, taken), { what: "the take-over" });
    await successor.put("web-5", "10.4.0.6");
    await waitFor(async () => (await lane.mirrors()).includes("web-5"), { what: "a new one" });
    await lane.settled();

    expect(await lane.mirrors()).toEqual(["web-0", "web-1", "web-2", "web-3", "web-4", "web-5"]);
    expect(serviceWrites(lane.writes(before))).toEqual([
      "create services/web-5",
      "patch services/web-0",
      "patch services/web-1",
      "patch services/web-2",
    ]);
    expect(deletions(lane).filter((one) => one.startsWith("services"))).toEqual([]);
  });

  it("that is a clone does not write where the original does, and says so", async () => {
    const lane = await bed.lane("cloned");
    await lane.putMany(3);
    const original = lane.start({ pod: "original" });
    await lane.converged();
    const snapshot = join(bed.source.dataDir, "clone.db");
    await bed.source.snapshotEtcd(snapshot);
    await other.restoreEtcd(snapshot);
    const clone = await otherLane("cloned");
    await clone.remove("web-0");
    await clone.put("web-1", "10.1.0.2", { port: 99 });
    await clone.put("strange", "10.3.0.1");

    const copy = clone.start({ pod: "copy", flags: ["--sweep-interval=200ms"] });
    await copy.leads();
    const shown = await waitFor(
      async () =>
        (await copy.status()).destinations.find(({ heartbeat }) => heartbeat === "held-elsewhere"),
      { what: "the clone to notice" },
    );
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.put("after", "10.2.0.1");
    await lane.converged();

    expect(shown.heartbeatHolder).toBe("original");
    expect(new Set(lane.attempts().map(processIdOf))).toEqual(new Set([await original.id()]));
    expect((await original.status()).destinations[0]?.heartbeat).toBe("held");
    expect(deletions(lane)).toEqual([]);
  });
});

/** Whether those mirrors are made from the Services of that lane's source. */
async function sourceUids(lane: Lane, names: readonly string[]): Promise<boolean> {
  const pairs = await Promise.all(
    names.map(async (name) => [
      (await lane.from.get("Service", lane.name, name))?.metadata.uid,
      (await lane.to.get("Service", lane.name, name))?.metadata.annotations?.[
        "svc-ferry.io/source-uid"
      ],
    ]),
  );
  return pairs.every(([source, mirror]) => source === mirror);
}

async function letAnybodyIn(cluster: Cluster): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  await cluster.apply({
    apiVersion: `${apiGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "anybody" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup, kind: "User", name: "system:anonymous" }],
  });
}
