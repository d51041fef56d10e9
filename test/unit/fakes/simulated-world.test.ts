import { describe, expect, it } from "vitest";
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../../../src/ports/kube-resources.js";
import { CONFIG_MAPS, LEASES } from "../../fakes/resources.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";

const { signal } = new AbortController();
const WEB = { metadata: { namespace: "shop", name: "web" } };
const PORTS = { spec: { ports: [{ port: 80 }] } };

const setUp = (): SimulatedWorld => {
  const world = new SimulatedWorld(1, { destinations: 2 });
  world.source.create(NAMESPACES, { metadata: { name: "shop" } });
  return world;
};

describe("SimulatedWorld", () => {
  it("has clusters that are told apart by kube-system", () => {
    const world = setUp();

    const uids = [world.source, ...world.destinations].map(
      (server) => server.get(NAMESPACES, { name: "kube-system" }).metadata.uid,
    );

    expect(new Set(uids).size).toBe(3);
  });

  it("runs until no cluster changes any more, whatever Leases do", async () => {
    const world = setUp();
    const clock = world.clock;
    const lease = world.source.create(LEASES, { metadata: { namespace: "shop", name: "l" } });
    const renew = async (n: number): Promise<void> => {
      await clock.sleep(1000, signal);
      const spec = { leaseTransitions: n };
      world.source.patch(LEASES, { namespace: "shop", name: lease.metadata.name }, { spec });
      return renew(n + 1);
    };
    void renew(0);
    clock.schedule(3000, () => world.source.create(CONFIG_MAPS, WEB));

    await world.run({ untilQuietMs: 5000 });

    expect(clock.monotonicMs()).toBe(8000);
  });

  it("says when it does not get quiet", async () => {
    const world = setUp();
    const churn = async (n: number): Promise<void> => {
      await world.clock.sleep(100, signal);
      world.source.create(CONFIG_MAPS, { metadata: { namespace: "shop", name: `c-${n}` } });
      return churn(n + 1);
    };
    void churn(0);

    await expect(world.run({ untilQuietMs: 1000, limitMs: 5000 })).rejects.toThrow("not quiet");
  });

  it("collects what a deleted owner owned, and leaves what has another owner", async () => {
    const world = setUp();
    const service = world.source.create(SERVICES, { ...WEB, ...PORTS });
    const owner = {
      apiVersion: "v1",
      kind: "Service",
      name: "web",
      uid: service.metadata.uid ?? "",
    };
    const other = world.source.create(SERVICES, {
      metadata: { namespace: "shop", name: "other" },
      ...PORTS,
    });
    const both = [owner, { ...owner, name: "other", uid: other.metadata.uid ?? "" }];
    const slice = { addressType: "IPv4" };
    world.source.create(ENDPOINT_SLICES, {
      metadata: { namespace: "shop", name: "owned", ownerReferences: [owner] },
      ...slice,
    });
    world.source.create(ENDPOINT_SLICES, {
      metadata: { namespace: "shop", name: "shared", ownerReferences: both },
      ...slice,
    });

    world.source.delete(SERVICES, WEB.metadata);
    await world.run({ untilQuietMs: 2000 });

    const left = world.source.list(ENDPOINT_SLICES).items.map(({ metadata }) => metadata.name);
    expect(left).toEqual(["shared"]);
  });

  it("empties a namespace that is deleted, then removes it", async () => {
    const world = setUp();
    world.source.create(SERVICES, { ...WEB, ...PORTS });

    world.source.delete(NAMESPACES, { name: "shop" });
    const create = (): unknown => world.source.create(CONFIG_MAPS, WEB);
    expect(create).toThrow("being terminated");
    await world.run({ untilQuietMs: 2000 });

    expect(world.source.list(SERVICES, { namespace: "shop" }).items).toEqual([]);
    expect(() => world.source.get(NAMESPACES, { name: "shop" })).toThrow("not found");
  });

  it("goes back to a snapshot: revisions, objects, addresses, and watches that break", async () => {
    const world = setUp();
    world.source.create(SERVICES, { ...WEB, ...PORTS });
    const snapshot = world.source.snapshot();
    const revision = world.source.revision;
    const late = { metadata: { namespace: "shop", name: "late" } };
    const first = world.source.create(SERVICES, { ...late, ...PORTS });
    const api = world.process("replica-0").client(world.source, "source");
    const options = { resourceVersion: world.source.revision, timeoutSeconds: 60, stallMs: 90_000 };
    const watch = Promise.allSettled([api.watch(SERVICES, options, () => undefined, signal)]);
    await world.run({ forMs: 10 });

    world.source.restore(snapshot);
    await world.run({ forMs: 10 });
    const restored = world.source.revision;
    const again = world.source.create(SERVICES, { ...late, ...PORTS });

    expect(restored).toBe(revision);
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(again.metadata.uid).not.toBe(first.metadata.uid);
    expect(await watch).toMatchObject([{ reason: { code: "FERRY-K001" } }]);
  });

  it("records who wrote what, and whether it changed anything", async () => {
    const world = setUp();
    const api = world.process("replica-0").client(world.source, "source");
    const seen = world.source.create(CONFIG_MAPS, WEB);
    world.source.audit.clear();
    const uid = seen.metadata.uid ?? "";
    const noop = api.patch(CONFIG_MAPS, WEB.metadata, {}, { uid }, { signal });
    const wrong = api.delete(CONFIG_MAPS, WEB.metadata, { uid: "x" }, { signal });

    await Promise.all([noop, wrong, world.run({ forMs: 100 })]);

    const entries = world.source.audit.entries;
    expect(world.source.audit.lines.toSorted()).toEqual([
      "delete configmaps shop/web: Conflict",
      "patch configmaps shop/web: unchanged",
    ]);
    expect(entries.map(({ client }) => client)).toEqual(["replica-0", "replica-0"]);
    expect(world.source.audit.changes()).toEqual([]);
  });
});
