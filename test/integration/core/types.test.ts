import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { addressesOf, specOf } from "../../harness/namespace-view.js";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

const PORTS = [{ name: "http", port: 80 }];
const SPECS = {
  ClusterIP: { type: "ClusterIP", ports: PORTS },
  headless: { type: "ClusterIP", clusterIP: "None", ports: PORTS },
  NodePort: { type: "NodePort", ports: PORTS },
  ExternalName: { type: "ExternalName", externalName: "example.com", ports: PORTS },
} as const;
type Kind = keyof typeof SPECS;

/** What the mirror of each is. */
const MIRRORS = {
  ClusterIP: {
    type: "ClusterIP",
    headless: false,
    externalName: undefined,
    addresses: 1,
    endpoints: true,
  },
  NodePort: {
    type: "ClusterIP",
    headless: false,
    externalName: undefined,
    addresses: 1,
    endpoints: true,
  },
  headless: {
    type: "ClusterIP",
    headless: true,
    externalName: undefined,
    addresses: 1,
    endpoints: true,
  },
  ExternalName: {
    type: "ExternalName",
    headless: false,
    externalName: "example.com",
    addresses: 0,
    endpoints: false,
  },
} as const;

const COME = (name: string): readonly string[] => [
  `patch services ${name}`,
  `create endpointslices ${name}-*`,
  `create endpoints ${name}`,
];
const GO = (name: string): readonly string[] => [
  `patch services ${name}`,
  `delete endpoints ${name}`,
  `delete endpointslices ${name}-*`,
];
const NONE = (): readonly string[] => [];

async function change(name: string, from: Kind, to: Kind): Promise<void> {
  const { namespace } = bed.src;
  await bed.src.apply(slice(namespace, name, ["10.1.0.1"]));
  await bed.src.apply(service(namespace, name, { spec: SPECS[from] }));
  await untilMirrorIs(name, from);
  await bed.settle(ferry);
  await bed.forgetWrites();
  const { metadata } = service(namespace, name);
  // A merge patch takes away what the other type had; where the API forbids the change, people delete and create.
  const spec = {
    externalName: null,
    ...(to === "headless" ? {} : { clusterIP: null, clusterIPs: null }),
    ...SPECS[to],
  };
  if (IN_PLACE.has(`${from} → ${to}`)) await bed.src.patch("Service", name, { spec });
  else {
    await bed.src.remove("Service", name);
    await bed.source.create({ ...service(namespace, name, { spec: SPECS[to] }), metadata });
  }
  await untilMirrorIs(name, to);
  await bed.settle(ferry);
}

async function untilMirrorIs(name: string, kind: Kind): Promise<void> {
  await bed.dst.untilService(name, (mirror) => {
    const { type, clusterIP } = specOf(mirror);
    const wanted = MIRRORS[kind];
    return type === wanted.type && (clusterIP === "None") === wanted.headless;
  });
  await bed.dst.untilAddresses(name, kind === "ExternalName" ? [] : ["10.1.0.1"]);
  if (kind === "ExternalName") await bed.dst.untilGone("Endpoints", name);
  else await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
}

async function shape(name: string): Promise<object> {
  const { type, clusterIP, externalName } = specOf(await bed.dst.service(name));
  const slices = await bed.dst.slices(name);
  const headless = clusterIP === "None";
  const endpoints = (await bed.dst.get("Endpoints", name)) !== undefined;
  return { type, headless, externalName, addresses: addressesOf(slices).length, endpoints };
}

/** The API server takes these as an update. */
const IN_PLACE = new Set([
  "ClusterIP → ExternalName",
  "ClusterIP → NodePort",
  "NodePort → ClusterIP",
  "NodePort → ExternalName",
  "ExternalName → ClusterIP",
  "ExternalName → NodePort",
  "ExternalName → headless",
  "headless → ExternalName",
]);

describe("a Service whose type changes in place", () => {
  it.each([
    ["ClusterIP", "ExternalName", GO],
    ["NodePort", "ExternalName", GO],
    ["headless", "ExternalName", GO],
    ["ExternalName", "ClusterIP", COME],
    ["ExternalName", "NodePort", COME],
    ["ExternalName", "headless", COME],
    ["ClusterIP", "NodePort", NONE],
    ["NodePort", "ClusterIP", NONE],
  ] as const)("%s → %s takes its mirror along with the needed writes", async (from, to, writes) => {
    const name = `${from}-${to}`.toLowerCase();

    await change(name, from, to);

    expect(await shape(name)).toEqual(MIRRORS[to]);
    expect(await bed.writes(ferry)).toEqual(writes(name));
  });
});

describe("a Service that is re-created with another type", () => {
  it.each([
    ["ClusterIP", "headless"],
    ["NodePort", "headless"],
    ["headless", "ClusterIP"],
    ["headless", "NodePort"],
  ] as const)("%s → %s takes its mirror along and comes to rest", async (from, to) => {
    const name = `${from}-${to}`.toLowerCase();

    await change(name, from, to);
    await bed.forgetWrites();
    await bed.settle(ferry);

    expect(await shape(name)).toEqual(MIRRORS[to]);
    expect(await bed.writes(ferry)).toEqual([]);
  });
});

describe("a Service of a type that stays at home", () => {
  it.each(["NodePort", "LoadBalancer"])("%s becomes a ClusterIP, with an Event", async (type) => {
    const name = type.toLowerCase();

    await bed.src.apply(service(bed.src.namespace, name, { spec: { type } }));
    const mirror = await bed.dst.untilService(name);

    await bed.src.untilEvent(name, new RegExp(`^TypeReduced: type ${type} becomes ClusterIP`));
    expect(specOf(mirror)["type"]).toBe("ClusterIP");
    expect(JSON.stringify(specOf(mirror)["ports"])).not.toContain("nodePort");
    const { services } = await ferry.status();
    expect(services).toContainEqual(
      expect.objectContaining({
        service: `${bed.src.namespace}/${name}`,
        state: "synced",
        reason: "type-reduced",
      }),
    );
  });

  it("an ExternalName that only its own cluster can look up is mirrored with a warning", async () => {
    await bed.src.apply(
      service(bed.src.namespace, "local-name", {
        spec: { type: "ExternalName", externalName: "db.prod.svc.cluster.local" },
      }),
    );
    const mirror = await bed.dst.untilService("local-name");

    await bed.src.untilEvent("local-name", /^EndpointsWarning: externalName db\.prod/);
    expect(specOf(mirror)["externalName"]).toBe("db.prod.svc.cluster.local");
  });
});
