import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { addresses, service, slice } from "../../harness/manifests.js";
import { addressesOf } from "../../harness/namespace-view.js";
import { waitFor } from "../../harness/wait-for.js";

const PER_SLICE = 100;
const SLICES = 15;
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  await bed.source.createNode();
  ferry = await bed.run({
    file: {
      routes: [
        {
          name: "shop",
          namespaces: [bed.src.namespace],
          target: { namespace: bed.dst.namespace },
          addressCIDRs: ["10.0.0.0/8", "fd00::/8"],
        },
      ],
    },
  });
});
afterAll(async () => bed.close());

describe("the endpoints of a mirror", () => {
  it("follow the Pods of the source, unready ones included, with one write an object", async () => {
    const { namespace } = bed.src;
    const spec = { selector: { app: "pods" }, ports: [{ port: 80, targetPort: 8080 }] };
    await bed.src.apply(service(namespace, "pods", { spec }));
    await bed.source.createPod(namespace, "pods-1", { app: "pods" }, "10.1.1.1");
    await bed.source.createPod(namespace, "pods-2", { app: "pods" }, "10.1.1.2");
    await bed.dst.untilEndpoints("pods", ["10.1.1.1", "10.1.1.2"]);
    await bed.settle(ferry);
    await bed.forgetWrites();

    await bed.source.setPodReady(namespace, "pods-2", false);
    await bed.dst.untilEndpoints("pods", ["10.1.1.1"]);
    await bed.settle(ferry);
    const [mirror] = await bed.dst.untilAddresses("pods", ["10.1.1.1", "10.1.1.2"]);

    const unready = mirror?.endpoints?.find((one) => one.addresses.includes("10.1.1.2"));
    expect(unready?.conditions).toMatchObject({ ready: false });
    expect(unready).not.toHaveProperty("nodeName");
    expect(unready).not.toHaveProperty("targetRef");
    expect(mirror?.ports).toEqual([{ name: "", port: 8080, protocol: "TCP" }]);
    // They go together, so either may be stored first.
    expect((await bed.writes(ferry)).toSorted()).toEqual([
      "patch endpoints pods",
      "patch endpointslices pods-*",
    ]);
  });

  it("go from 1 to 1,500 and back, slice for slice", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(slice(namespace, "many", addresses(1), { name: "many-first" }));
    await bed.src.apply(service(namespace, "many"));
    await bed.dst.untilEndpoints("many", addresses(1));
    await bed.settle(ferry);
    await bed.forgetWrites();

    const names = Array.from({ length: SLICES }, (_, index) => `many-${index}`);
    await Promise.all(
      names.map(async (name, index) =>
        bed.src.apply(
          slice(namespace, "many", addresses(PER_SLICE, 1 + index * PER_SLICE), { name }),
        ),
      ),
    );
    await bed.dst.untilAddresses("many", addresses(1 + SLICES * PER_SLICE));
    await bed.settle(ferry);
    const full = await bed.dst.get("Endpoints", "many");
    const up = await bed.writes(ferry, { name: "many" });
    await bed.forgetWrites();
    await Promise.all(names.map(async (name) => bed.src.remove("EndpointSlice", name)));
    await bed.dst.untilAddresses("many", addresses(1));
    const left = await bed.dst.untilEndpoints("many", addresses(1));
    await bed.settle(ferry);
    const down = await bed.writes(ferry, { name: "many" });

    expect(full?.metadata.annotations).toMatchObject({ [OVER_CAPACITY]: "truncated" });
    expect(addressCount(full)).toBe(1_000);
    expect(left.metadata.annotations).not.toHaveProperty([OVER_CAPACITY]);
    expect(count(up, "create endpointslices many-*")).toBe(SLICES);
    expect(count(up, "patch endpoints many") + SLICES).toBe(up.length);
    expect(count(down, "delete endpointslices many-*")).toBe(SLICES);
    expect(count(down, "patch endpoints many") + SLICES).toBe(down.length);
  });

  it("that Endpoints cannot hold are told of by an Event, with the number of the moment", async () => {
    const { namespace } = bed.src;
    for (let index = 0; index < SLICES; index += 1) {
      const more = addresses(PER_SLICE, 1 + index * PER_SLICE);
      await bed.src.apply(slice(namespace, "most", more, { name: `most-${index}` }));
    }
    await bed.src.apply(slice(namespace, "most", addresses(1), { name: "most-first" }));
    // Slices come in the order in which they were stored: when this one is there, so are all before it.
    await bed.src.apply(slice(namespace, "behind", addresses(1)), service(namespace, "behind"));
    await bed.dst.untilEndpoints("behind", addresses(1));

    await bed.src.apply(service(namespace, "most"));

    await bed.src.untilEvent("most", /^EndpointsWarning: Endpoints hold the first 1000 of 1501/);
  });

  it("keep host names, and nothing of nodes, zones and Pods", async () => {
    const { namespace } = bed.src;
    const pod = (index: number): object => ({
      addresses: [`10.1.2.${index}`],
      hostname: `db-${index}`,
      nodeName: "node",
      zone: "eu-1a",
      hints: { forZones: [{ name: "eu-1a" }] },
      conditions: { ready: index === 1, serving: true, terminating: index !== 1 },
      targetRef: { kind: "Pod", namespace, name: `db-${index}` },
    });
    await bed.src.apply(slice(namespace, "db", [pod(1), pod(2)]));
    await bed.src.apply(service(namespace, "db", { spec: { clusterIP: "None" } }));

    const [mirror] = await bed.dst.untilAddresses("db", ["10.1.2.1", "10.1.2.2"]);
    const endpoints = await bed.dst.untilEndpoints("db", ["10.1.2.1"]);

    expect(mirror?.endpoints).toEqual([
      {
        addresses: ["10.1.2.1"],
        hostname: "db-1",
        conditions: { ready: true, serving: true, terminating: false },
      },
      {
        addresses: ["10.1.2.2"],
        hostname: "db-2",
        conditions: { ready: false, serving: true, terminating: true },
      },
    ]);
    expect(mirror?.metadata.labels).toMatchObject({ "service.kubernetes.io/headless": "" });
    expect(endpoints["subsets"]).toEqual([
      {
        addresses: [{ ip: "10.1.2.1", hostname: "db-1" }],
        ports: [{ port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  it("are all there when slices were written by hand before and after the label came", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(service(namespace, "byhand", { labels: {} }));
    await bed.src.apply(slice(namespace, "byhand", ["10.1.3.1"], { name: "byhand-a" }));
    await bed.settle(ferry);
    await bed.src.patch("Service", "byhand", { metadata: { labels: { sync: "true" } } });
    await bed.dst.untilAddresses("byhand", ["10.1.3.1"]);

    const ports = [{ name: "web", port: 81, appProtocol: "http" }];
    await bed.src.apply(slice(namespace, "byhand", ["10.1.3.2"], { name: "byhand-b", ports }));
    await bed.dst.untilAddresses("byhand", ["10.1.3.1", "10.1.3.2"]);
    const endpoints = await bed.dst.untilEndpoints("byhand", ["10.1.3.1", "10.1.3.2"]);

    expect(endpoints["subsets"]).toEqual([
      { addresses: [{ ip: "10.1.3.1" }], ports: [{ port: 8080, protocol: "TCP" }] },
      {
        addresses: [{ ip: "10.1.3.2" }],
        ports: [{ name: "web", port: 81, protocol: "TCP", appProtocol: "http" }],
      },
    ]);
  });

  it("count as ready when the source says nothing about it", async () => {
    await bed.src.apply(slice(bed.src.namespace, "unsaid", [{ addresses: ["10.1.4.1"] }]));
    await bed.src.apply(service(bed.src.namespace, "unsaid"));

    await bed.dst.untilEndpoints("unsaid", ["10.1.4.1"]);
  });

  it("are without addresses that the route does not allow, and an Event says so", async () => {
    const endpoints = ["10.1.5.1", "192.0.2.9"];
    await bed.src.apply(slice(bed.src.namespace, "ranges", endpoints));
    await bed.src.apply(service(bed.src.namespace, "ranges"));

    await bed.dst.untilAddresses("ranges", ["10.1.5.1"]);
    await bed.dst.untilEndpoints("ranges", ["10.1.5.1"]);
    await bed.src.untilEvent("ranges", /^EndpointsWarning: 1 addresses are loopback, link-local/);
    await bed.settle(ferry);
    await bed.forgetWrites();
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("move when a slice is given to another Service", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(service(namespace, "giver"), service(namespace, "taker"));
    await bed.src.apply(slice(namespace, "giver", ["10.1.6.1"], { name: "moving" }));
    await bed.dst.untilAddresses("giver", ["10.1.6.1"]);

    await bed.src.patch("EndpointSlice", "moving", {
      metadata: { labels: { "kubernetes.io/service-name": "taker" } },
    });

    await bed.dst.untilAddresses("taker", ["10.1.6.1"]);
    await bed.dst.untilAddresses("giver", []);
    await bed.dst.untilEndpoints("giver", []);
  });

  it("stay one slice each while every slice changes at once", async () => {
    const { namespace } = bed.src;
    const at = (round: number): string => `10.2.${round}.1`;
    await bed.src.apply(slice(namespace, "busy", [at(0)]), service(namespace, "busy"));
    await bed.dst.untilAddresses("busy", [at(0)]);

    for (let round = 1; round <= 20; round += 1) {
      await bed.src.apply(slice(namespace, "busy", [at(round)]));
    }

    await bed.dst.untilAddresses("busy", [at(20)]);
    await bed.dst.untilEndpoints("busy", [at(20)]);
    expect(await bed.dst.slices("busy")).toHaveLength(1);
  });
});

describe("an address that no mirror may carry", () => {
  it("cannot even be written to the source: the API server refuses loopback", async () => {
    const writing = bed.src.apply(slice(bed.src.namespace, "loop", ["127.0.0.1"]));

    await expect(writing).rejects.toThrow(/loopback/);
  });
});

describe("a slice without addresses", () => {
  it("is mirrored as it is", async () => {
    await bed.src.apply(slice(bed.src.namespace, "empty", []), service(bed.src.namespace, "empty"));

    const slices = await waitFor(
      async () => {
        const found = await bed.dst.slices("empty");
        return found.length === 1 && found;
      },
      { what: "the empty slice" },
    );

    expect(addressesOf(slices)).toEqual([]);
  });
});

function count(writes: readonly string[], wanted: string): number {
  return writes.filter((write) => write === wanted).length;
}

function addressCount(endpoints: object | undefined): number {
  const { subsets = [] } = (endpoints ?? {}) as {
    readonly subsets?: readonly { readonly addresses: readonly unknown[] }[];
  };
  return subsets.reduce((sum, subset) => sum + subset.addresses.length, 0);
}
