import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { type NamespaceView, portsOf } from "../../harness/namespace-view.js";
import { SteadyLoad } from "../../harness/steady-load.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: AdmissionBed;
/** Beside `bed.src`. */
let other: NamespaceView;

beforeAll(async () => {
  bed = await openAdmissionBed();
  other = await bed.namespace("source");
  await bed.door(other.namespace);
});
afterAll(async () => bed.close());
afterEach(async () => bed.stopRuns());

type File = Readonly<Record<string, unknown>>;

function routes(...namespaces: readonly NamespaceView[]): File {
  const target = { namespace: bed.dst.namespace };
  return {
    routes: namespaces.map(({ namespace }) => ({
      name: namespace,
      namespaces: [namespace],
      target,
    })),
  };
}

/** With the rights for every route that it may get: Roles come before routes. */
async function run(file: File): Promise<FerryRun> {
  const flags = { staleRouteGrace: "0s" };
  const ferry = await bed.run({ file, flags });
  await bed.grant({ file: routes(bed.src, other), flags });
  return ferry;
}

/** Changes the file; resolves when it is in force. */
async function rewrite(ferry: FerryRun, file: File, times = 1): Promise<void> {
  ferry.rewrite(file);
  await ferry.untilLogged("changed routes are in force", times);
  await ferry.untilIdle();
}

async function pending(ferry: FerryRun, reason: string): Promise<number | undefined> {
  return ferry.metric("svc_ferry_config_pending", { reason });
}

describe("a changed configuration file", () => {
  it("adds and removes routes without a restart, and writes nothing of those that stay", async () => {
    await bed.src.apply(service(bed.src.namespace, "stays"));
    await other.apply(service(other.namespace, "comes"));
    const ferry = await run(routes(bed.src));
    await bed.dst.untilService("stays");
    await bed.forgetWrites();

    await rewrite(ferry, routes(bed.src, other));
    await bed.dst.untilService("comes");
    await rewrite(ferry, routes(bed.src), 2);
    await bed.dst.untilGone("Service", "comes");

    expect(await bed.writes(ferry, { name: "stays" })).toEqual([]);
    expect(await bed.writes(ferry, { name: "comes" })).toEqual([
      "create services comes",
      "delete services comes",
    ]);
    expect(await ferry.metric("svc_ferry_lease_transitions_total", { change: "gained" })).toBe(1);
    expect(await pending(ferry, "filling")).toBe(0);
  });

  it("is what admission judges by from then on", async () => {
    await bed.dst.apply(service(bed.dst.namespace, "taken", { labels: {} }));
    const ferry = await run(routes(bed.src));
    await bed.route(ferry);
    // Without a wait for an answer: before the change nothing there is any of our business.
    await bed.doorOf(other.namespace).turnTo(ferry);
    const label = async (): Promise<number> => {
      const path = `/api/v1/namespaces/${other.namespace}/services?dryRun=All`;
      return (await bed.source.request("POST", path, service(other.namespace, "taken"))).status;
    };
    const before = await label();

    await rewrite(ferry, routes(bed.src, other));

    expect(before).toBe(201);
    expect(await label()).toBe(403);
  });

  it("loses no change that comes while it is taken up", async () => {
    const name = "busy";
    await bed.src.apply(
      slice(bed.src.namespace, name, ["10.1.0.1"]),
      service(bed.src.namespace, name),
    );
    const ferry = await run(routes(bed.src));
    await bed.dst.untilService(name);
    let port = 0;
    const load = new SteadyLoad(
      async (number) => {
        port = 1_000 + number;
        await bed.src.patch("Service", name, { spec: { ports: [{ port }] } });
      },
      { perSecond: 50, atOnce: 1 },
    );
    load.start();

    await rewrite(ferry, routes(bed.src, other));
    await rewrite(ferry, routes(bed.src), 2);
    await load.stop();

    const last = portsOf(await bed.src.service(name))[0];
    expect(load.sent).toBeGreaterThan(20);
    await bed.dst.untilService(name, (mirror) => portsOf(mirror)[0] === last);
  });

  it("stays out of force while it is wrong, or changes more than routes", async () => {
    const ferry = await run(routes(bed.src));

    ferry.rewrite("routes: []\n");
    await waitFor(async () => (await pending(ferry, "invalid")) === 1, { what: "it to be wrong" });
    ferry.rewrite({ ...routes(bed.src), logLevel: "debug" });
    await waitFor(async () => (await pending(ferry, "restart")) === 1, { what: "it to wait" });

    expect(await pending(ferry, "invalid")).toBe(0);
    expect(ferry.logged("changed routes, filling caches")).toEqual([]);
    expect(
      ferry.logged("changed configuration is wrong, the one before stays in force"),
    ).toHaveLength(1);
    await bed.settle(ferry);
  });
});
