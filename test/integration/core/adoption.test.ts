import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import { service, slice } from "../../harness/manifests.js";
import { portsOf } from "../../harness/namespace-view.js";
import { SliceWatch } from "../../harness/slice-watch.js";
import { waitFor } from "../../harness/wait-for.js";

const ADDRESSES = ["10.1.0.1", "10.1.0.2"];
const MIRRORING = "endpointslicemirroring-controller.k8s.io";

let bed: FerryBed;
let name = "";

beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed.close());

/** What k8s-svc-sync leaves behind: a Service with the mark, and Endpoints, of which the cluster itself makes slices. */
async function predecessor(addresses: readonly string[] = ADDRESSES): Promise<void> {
  const { namespace } = bed.dst;
  await bed.dst.apply(service(namespace, name, { labels: { sync: "true-external" } }), {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace, name },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 8080 }] }],
  });
  await bed.dst.untilAddresses(name, addresses);
}

async function ferried(): Promise<void> {
  const { namespace } = bed.src;
  await bed.src.apply(slice(namespace, name, ADDRESSES), service(namespace, name));
}

beforeEach(async () => {
  name = bed.name("web");
  await predecessor();
  await bed.forgetWrites();
});

afterEach(async () => bed.stopRuns());

describe("a mirror that k8s-svc-sync left", () => {
  it("becomes ours without a moment without its endpoints", async () => {
    await ferried();
    const before = await bed.dst.service(name);
    const watch = await SliceWatch.open(
      inject("controlPlanes").destination,
      bed.dst.namespace,
      name,
    );

    const run = await bed.run();
    await waitFor(async () => (await managers()).join() === "svc-ferry.io", {
      what: "the cluster's own slices to go",
    });
    await bed.settle(run);
    await watch.close();

    const after = await bed.dst.service(name);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(watch.moments.length).toBeGreaterThanOrEqual(3);
    expect(watch.moments.filter((moment) => moment.join() !== ADDRESSES.join())).toEqual([]);
    expect((await bed.dst.get("Endpoints", name))?.metadata.labels).toMatchObject({
      "endpointslice.kubernetes.io/skip-mirror": "true",
    });
    expect((await bed.writes(run, { name })).filter((write) => !write.includes("409"))).toEqual([
      `patch services ${name}`,
      `create endpointslices ${short()}`,
      `patch endpoints ${name}`,
    ]);
    await bed.src.untilEvent(name, /^Adopted: /);
  });

  it("becomes ours also where no Endpoints are written, and nothing of it outlives the addresses", async () => {
    await ferried();

    const run = await bed.run({ flags: { endpoints: "slices" } });
    await waitFor(async () => (await managers()).join() === "svc-ferry.io", {
      what: "the cluster's own slices to go",
    });
    await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.3"]));
    await bed.dst.untilAddresses(name, ["10.1.0.3"]);
    await bed.settle(run);

    expect(await managers()).toEqual(["svc-ferry.io"]);
    expect(await bed.dst.get("Endpoints", name)).toBeUndefined();
  });

  it("becomes ours as well when the source is labelled later, and nobody hears of a conflict", async () => {
    const run = await bed.run();

    await ferried();
    await run.untilState(`${bed.src.namespace}/${name}`, "synced");
    await bed.dst.untilEndpoints(name, ADDRESSES);
    await bed.settle(run);
    await bed.src.untilEvent(name, /^Adopted: /);

    expect((await bed.src.events(name)).filter((event) => event.includes("Conflict"))).toEqual([]);
  });

  it("stays as it is with --adopt=off", async () => {
    await ferried();
    const run = await bed.run({ flags: { adopt: "off" } });
    await run.untilState(`${bed.src.namespace}/${name}`, "conflict", "name-occupied");
    await bed.settle(run);

    expect(await bed.writes(run, { name })).toEqual([]);
    expect(await managers()).toEqual([MIRRORING]);
  });

  it("stays as it is with --adopt=report, and the log says that it could be adopted", async () => {
    await ferried();
    const run = await bed.run({ flags: { adopt: "report" } });
    await run.untilState(`${bed.src.namespace}/${name}`, "conflict", "name-occupied");
    await bed.settle(run);

    expect(await bed.writes(run, { name })).toEqual([]);
    const said = run.records.filter(
      ({ outcome, route }) =>
        outcome === "adoptable" && JSON.stringify(route).includes(`/${name}"`),
    );
    expect(said).toHaveLength(1);
  });
});

describe("a Service that only looks like it", () => {
  it.each([
    ["because its Endpoints hold other addresses", async () => predecessor(["10.66.0.1"])],
    [
      "because it has a selector",
      async () => bed.dst.patch("Service", name, { spec: { selector: { app: "theirs" } } }),
    ],
    [
      "because somebody manages it",
      async () =>
        bed.dst.patch("Service", name, {
          metadata: { labels: { "app.kubernetes.io/managed-by": "Helm" } },
        }),
    ],
    [
      "because it lacks the mark",
      async () => bed.dst.patch("Service", name, { metadata: { labels: { sync: null } } }),
    ],
  ])("is left alone %s", async (_, change) => {
    await change();
    const before = await bed.dst.service(name);
    await ferried();

    const run = await bed.run();
    await run.untilState(`${bed.src.namespace}/${name}`, "conflict", "name-occupied");
    await bed.settle(run);

    expect(await bed.writes(run, { name })).toEqual([]);
    const after = await bed.dst.service(name);
    expect(portsOf(after)).toEqual(portsOf(before));
    expect(after.metadata.labels).toEqual(before.metadata.labels);
  });
});

/** Who manages the slices under the mirror's name, each once. */
async function managers(): Promise<readonly string[]> {
  const slices = await bed.dst.slices(name);
  const found = slices.map(
    ({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "",
  );
  return [...new Set(found)].toSorted();
}

function short(): string {
  return `${name.slice(0, 40).replace(/-+$/, "")}-*`;
}
