/** What histories have found, each in its shortest form, named by what somebody would have seen. */
import { describe, expect, it } from "vitest";
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../../src/ports/kube-resources.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import { SimulatedWorld } from "../fakes/simulated-world.js";
import { SimulatedFleet } from "../harness/simulated-fleet.js";
import { LEASE_NAMESPACE } from "../harness/simulation-installation.js";
import { differences } from "./difference.js";

const WEB = { namespace: "shop", name: "web" };
const APPS = { namespace: "apps", name: "web" };

/** One replica, and shop/web with one slice, mirrored. */
async function mirrored(families: readonly ("IPv4" | "IPv6")[] = ["IPv4"]) {
  const world = new SimulatedWorld(1, { sourceFamilies: families, destinationFamilies: families });
  for (const name of [LEASE_NAMESPACE, "shop", "team"]) {
    world.source.create(NAMESPACES, { metadata: { name } });
  }
  createService(world.source, "shop");
  createSlice(world.source, "10.0.0.1");
  const fleet = new SimulatedFleet(world, undefined);
  const ferry = fleet.start(0);
  await world.run({ until: () => differences(world, families).length === 0, limitMs: 30_000 });
  await world.run({ forMs: 1_000 });
  world.destination.audit.clear();
  const writes = () => world.destination.audit.lines.filter((line) => !line.includes("leases"));
  return { world, fleet, ferry, writes };
}

function createService(server: MemoryApiServer, namespace: string, spec: object = {}): void {
  const metadata = { namespace, name: "web", labels: { sync: "true" } };
  const service = { metadata, spec: { ports: [{ name: "http", port: 80 }], ...spec } };
  server.create(SERVICES, service);
}

function createSlice(server: MemoryApiServer, address: string): void {
  const labels = { "kubernetes.io/service-name": "web" };
  const slice = {
    metadata: { namespace: "shop", name: "web-1", labels },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
  server.create(ENDPOINT_SLICES, slice);
}

describe("svc-ferry", () => {
  it("keeps the slices of a mirror that lists of both clusters have hidden", async () => {
    const { world, ferry, writes } = await mirrored();

    for (const server of [world.source, world.destination]) {
      const network = ferry.network(server);
      for (let times = 0; times < 6; times += 1) network.next("list", "empty-list", "services");
      server.compact();
      network.disconnect();
    }
    await world.run({ forMs: 5_000 });

    expect(ferry.network(world.source).injected.get("empty-list")).toBeGreaterThan(1);
    expect(ferry.network(world.destination).injected.get("empty-list")).toBeGreaterThan(1);
    expect(writes().filter((line) => line.startsWith("delete"))).toEqual([]);
  });

  it("sees again a mirror that a list has hidden, and does not create it in vain for ever", async () => {
    const { world, ferry, writes } = await mirrored();
    const network = ferry.network(world.destination);

    for (let times = 0; times < 6; times += 1) network.next("list", "empty-list", "services");
    world.destination.compact();
    network.disconnect();
    await world.run({ forMs: 60_000 });
    world.destination.audit.clear();
    world.source.patch(SERVICES, WEB, { spec: { ports: [{ name: "http", port: 81 }] } });
    await world.run({ forMs: 2_000 });

    expect(writes()).toEqual(["patch services apps/web: done"]);
    expect(differences(world, ["IPv4"])).toEqual([]);
  });

  it("writes once, and not in vain for a minute, when somebody took our label off a slice", async () => {
    const { world, writes } = await mirrored();
    const [slice] = world.destination.list(ENDPOINT_SLICES).items;
    const ref = { namespace: "apps", name: slice?.metadata.name ?? "" };

    const labels = { "svc-ferry.io/link": null };
    world.destination.patch(ENDPOINT_SLICES, ref, { metadata: { labels } });
    await world.run({ forMs: 2_000 });
    world.destination.audit.clear();
    await world.run({ forMs: 60_000 });

    expect(writes()).toEqual([]);
    expect(differences(world, ["IPv4"])).toEqual([]);
  });

  it("removes a slice without our label when its source slice is gone", async () => {
    const { world, fleet } = await mirrored();
    const [slice] = world.destination.list(ENDPOINT_SLICES).items;
    const ref = { namespace: "apps", name: slice?.metadata.name ?? "" };

    for (const ferry of fleet.alive) ferry.stop();
    await world.run({ forMs: 1_000 });
    const labels = { "svc-ferry.io/link": null };
    world.destination.patch(ENDPOINT_SLICES, ref, { metadata: { labels } });
    world.source.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
    fleet.start(0);
    await world.run({ forMs: 5_000 });

    expect(world.destination.list(ENDPOINT_SLICES).items).toEqual([]);
  });

  it("does not delete and create the mirror of a dual-stack Service that it has just made", async () => {
    const { world, writes } = await mirrored(["IPv4", "IPv6"]);

    const spec = { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" };
    createService(world.source, "team", spec);
    const renamed = { metadata: { annotations: { "svc-ferry.io/target-name": "six" } } };
    world.source.patch(SERVICES, { namespace: "team", name: "web" }, renamed);
    await world.run({ forMs: 5_000 });

    expect(writes().filter((line) => line.startsWith("delete"))).toEqual([]);
    expect(differences(world, ["IPv4", "IPv6"])).toEqual([]);
  });

  it("deletes a mirror once that somebody put a finalizer on, and makes it anew when it is gone", async () => {
    const { world, writes } = await mirrored();
    world.destination.patch(SERVICES, APPS, { metadata: { finalizers: ["example.com/wait"] } });
    await world.run({ forMs: 1_000 });
    world.destination.audit.clear();

    world.source.delete(SERVICES, WEB);
    await world.run({ forMs: 600_000 });
    const deleted = writes().filter((line) => line.includes(" services "));
    createService(world.source, "shop");
    await world.run({ forMs: 5_000 });
    world.destination.patch(SERVICES, APPS, { metadata: { finalizers: null } });
    await world.run({ forMs: 5_000 });

    expect(deleted).toEqual(["delete services apps/web: done"]);
    expect(differences(world, ["IPv4"])).toEqual([]);
  });

  it("removes what a former configuration left in a namespace that no route leads to", async () => {
    const { world, fleet, writes } = await mirrored();
    for (const ferry of fleet.alive) ferry.stop();
    await world.run({ forMs: 1_000 });
    const { metadata } = world.destination.get(SERVICES, APPS);
    const { labels = {}, annotations = {} } = metadata;
    const place = { namespace: "former", name: "web" };
    const made = { ...annotations, "svc-ferry.io/route": "main@00000000" };
    world.destination.create(NAMESPACES, { metadata: { name: "former" } });
    const mirror = {
      metadata: { ...place, labels, annotations: made },
      spec: { ports: [{ port: 80 }] },
    };
    world.destination.create(SERVICES, mirror);
    world.destination.audit.clear();

    fleet.start(0);
    await world.run({ forMs: 200_000 });
    const during = writes();
    await world.run({ forMs: 200_000 });

    expect(during).toEqual([]);
    expect(writes()).toEqual(["delete services former/web: done"]);
  });

  it("ends, and mirrors nothing of it, when another cluster answers in the source's place", async () => {
    const { world, ferry, writes } = await mirrored();
    const stranger = world.server("stranger");
    for (const name of [LEASE_NAMESPACE, "shop", "team"]) {
      stranger.create(NAMESPACES, { metadata: { name } });
    }
    createService(stranger, "shop", { ports: [{ name: "http", port: 99 }] });

    ferry.network(world.source).reroute(stranger);
    await world.run({ until: () => !ferry.isAlive, limitMs: 5_000 });

    expect(ferry.exitCode).toBe(1);
    expect(writes()).toEqual([]);
  });

  it("ends, to learn anew what it is like, when another cluster answers in a destination's place", async () => {
    const { world, fleet, ferry } = await mirrored();
    const stranger = world.server("stranger");
    stranger.create(NAMESPACES, { metadata: { name: "apps" } });

    ferry.network(world.destination).reroute(stranger);
    await world.run({ until: () => !ferry.isAlive, limitMs: 5_000 });
    const before = stranger.list(SERVICES).items.length;
    fleet.start(0).network(world.destination).reroute(stranger);
    await world.run({
      until: () => stranger.list(SERVICES).items.length > before,
      limitMs: 30_000,
    });

    expect(ferry.exitCode).toBe(1);
    expect(stranger.get(SERVICES, APPS).metadata.annotations).toMatchObject({
      "svc-ferry.io/source": "shop/web",
    });
  });

  it("leaves a name to the Service that has it, although that asks for a refused one and the leader is new", async () => {
    const { world, fleet } = await mirrored();

    const slip = { metadata: { annotations: { "svc-ferry.io/target-name": "NOT_A_NAME" } } };
    world.source.patch(SERVICES, WEB, slip);
    createService(world.source, "team");
    for (const ferry of fleet.alive) ferry.stop();
    await world.run({ forMs: 1_000 });
    fleet.start(0);
    await world.run({ forMs: 5_000 });

    const { annotations } = world.destination.get(SERVICES, APPS).metadata;
    expect(annotations?.["svc-ferry.io/source"]).toBe("shop/web");
    expect(differences(world, ["IPv4"])).toEqual([]);
  });

  it("removes the mirror of a Service that only a list no longer shows, although the loser of its name now asks for a refused one", async () => {
    const { world, ferry, writes } = await mirrored();
    const team = { namespace: "team", name: "web" };
    const annotations = { "svc-ferry.io/target-name": "NOT_A_NAME" };

    createService(world.source, "team");
    await world.run({ forMs: 1_000 });
    world.source.patch(SERVICES, team, { metadata: { annotations } });
    await world.run({ forMs: 1_000 });
    ferry.network(world.source).down();
    world.source.patch(SERVICES, WEB, { metadata: { labels: { sync: null } } });
    world.source.compact();
    ferry.network(world.source).up();
    await world.run({ forMs: 30_000 });

    expect(writes().filter((line) => line.includes(" services "))).toEqual([
      "delete services apps/web: done",
    ]);
    expect(differences(world, ["IPv4"])).toEqual([]);
  });
});
