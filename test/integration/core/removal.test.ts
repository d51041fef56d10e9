import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import type { NamespaceView } from "../../harness/namespace-view.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: FerryBed;
let from: NamespaceView;
let to: NamespaceView;

beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed.close());
beforeEach(async () => {
  from = await bed.namespace("source");
  to = await bed.namespace("destination");
});
afterEach(async () => bed.stopRuns());

async function start(
  flags: Readonly<Record<string, string | boolean>> = {},
  file?: Readonly<Record<string, unknown>>,
): Promise<FerryRun> {
  const namespaces = file === undefined ? { srcNs: from.namespace, dstNs: to.namespace } : {};
  const common = { leaderElectionNamespace: from.namespace, ...namespaces, ...flags };
  return bed.run({ flags: common, file });
}

const names = Array.from({ length: 12 }, (_, index) => `web-${index}`);

/** 12 mirrors, and then 11 of the sources are deleted while nobody leads. */
async function withoutSources(): Promise<void> {
  const first = await start();
  await from.apply(...names.map((name) => service(from.namespace, name)));
  await waitFor(async () => (await mirrorNames()).length === names.length, { what: "all mirrors" });
  await first.stop();
  await Promise.all(names.slice(1).map(async (name) => from.remove("Service", name)));
  await bed.forgetWrites();
}

async function mirrorNames(): Promise<readonly string[]> {
  const found = await to.cluster.list("Service", to.namespace);
  return found.map(({ metadata }) => metadata.name).toSorted();
}

describe("more than 30 % of all mirrors without a source", () => {
  beforeEach(withoutSources);

  it("are kept, with an Event, a metric and a word in the status", async () => {
    const run = await start();
    await bed.settle(run, from, to);

    expect(await bed.writes(run)).toEqual([]);
    const { destinations } = await run.status();
    expect(destinations).toEqual([expect.objectContaining({ brake: true })]);
    expect(await run.metric("svc_ferry_delete_brake")).toBe(1);
    await from.untilEvent("ferry", /^MassDeleteBlocked: 11 of 12 mirrors in destination/);
    expect(run.logged("mass-delete-blocked")).toHaveLength(1);
  });

  it("go when the operator allows it, each with its slices and Endpoints", async () => {
    const run = await start({ allowMassDelete: true });
    await waitFor(async () => (await mirrorNames()).length === 1, { what: "one mirror" });
    await run.untilIdle();

    expect(await mirrorNames()).toEqual(["web-0"]);
    const deletions = (await bed.writes(run)).filter((write) => write.includes(" services "));
    expect(deletions.toSorted()).toEqual(
      names
        .slice(1)
        .map((name) => `delete services ${name}`)
        .toSorted(),
    );
    const { destinations } = await run.status();
    expect(destinations).toEqual([expect.objectContaining({ brake: false })]);
  });
});

describe("a leader whose mass deletion is blocked", () => {
  it("goes on when the operator tells it the number, on its Lease", async () => {
    await withoutSources();
    const run = await start({ sweepInterval: "100ms" });
    await run.untilLogged("mass-delete-blocked");

    await from.patch("Lease", "ferry", {
      metadata: { annotations: { "svc-ferry.io/allow-mass-delete": "11" } },
    });

    await waitFor(async () => (await mirrorNames()).length === 1, { what: "one mirror" });
  });
});

describe("a mirror whose source went while nobody led", () => {
  it("is removed by the next leader, with all that belongs to it", async () => {
    const first = await start();
    await from.apply(slice(from.namespace, "web", ["10.1.0.1"]), service(from.namespace, "web"));
    await to.untilEndpoints("web", ["10.1.0.1"]);
    await first.stop();
    await from.remove("Service", "web");

    await start();

    await to.untilGone("Service", "web");
    await to.untilGone("Endpoints", "web");
    await to.untilAddresses("web", []);
  });

  it("is removed when its label went, too", async () => {
    const first = await start();
    await from.apply(service(from.namespace, "web"));
    await to.untilService("web");
    await first.stop();
    await from.patch("Service", "web", { metadata: { labels: { sync: null } } });

    await start();

    await to.untilGone("Service", "web");
  });
});

describe("a route that is no longer in the configuration", () => {
  const route = (name: string, selector: string): object => ({
    name,
    namespaces: [from.namespace],
    selector,
    target: { namespace: to.namespace },
  });

  it("leaves its mirrors until the configuration has led for the grace, then they go", async () => {
    const routes = [route("red", "red=true"), route("blue", "blue=true")];
    const before = await start({}, { routes });
    await from.apply(service(from.namespace, "red-web", { labels: { red: "true" } }));
    await from.apply(service(from.namespace, "blue-web", { labels: { blue: "true" } }));
    await to.untilService("red-web");
    await to.untilService("blue-web");
    await before.stop();

    const routesNow = [route("red", "red=true")];
    const waiting = await start({ sweepInterval: "100ms" }, { routes: routesNow });
    await waiting.untilLogged("route-gone");
    await waiting.untilIdle();
    const kept = await mirrorNames();
    const writes = await bed.writes(waiting);
    await waiting.stop();
    await start({ sweepInterval: "100ms", staleRouteGrace: "1s" }, { routes: routesNow });
    await to.untilGone("Service", "blue-web");

    expect(kept).toEqual(["blue-web", "red-web"]);
    expect(writes).toEqual([]);
    expect(await mirrorNames()).toEqual(["red-web"]);
    expect(waiting.logged("route-gone")).toHaveLength(1);
  });
});

describe("a mirror of a former source cluster", () => {
  it("stays, because this cluster cannot prove anything, until a Service here takes its name", async () => {
    const link = `kept-${bed.id}`;
    const ours = {
      labels: {
        "app.kubernetes.io/managed-by": "svc-ferry",
        "svc-ferry.io/link": link,
        sync: "true-external",
      },
      annotations: {
        "svc-ferry.io/link": link,
        "svc-ferry.io/source-cluster": "11111111-2222-3333-4444-555555555555",
        "svc-ferry.io/source": `${from.namespace}/old`,
        "svc-ferry.io/source-uid": "66666666-2222-3333-4444-555555555555",
        "svc-ferry.io/route": "default@00000000",
        "svc-ferry.io/keys": "l:sync",
      },
      spec: { ports: [{ port: 7 }] },
    };
    await to.apply(service(to.namespace, "old", ours), service(to.namespace, "gone", ours));
    const before = await to.service("old");

    const run = await start({ link, sweepInterval: "100ms", staleRouteGrace: "0s" });
    await run.untilLogged("former-cluster", 2);
    const kept = await mirrorNames();
    await from.apply(service(from.namespace, "old"));
    const taken = await to.untilService(
      "old",
      ({ metadata }) => metadata.resourceVersion !== before.metadata.resourceVersion,
    );

    expect(kept).toEqual(["gone", "old"]);
    expect(taken.metadata.uid).toBe(before.metadata.uid);
    expect(await mirrorNames()).toEqual(["gone", "old"]);
  });
});
