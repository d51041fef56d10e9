/** The table of built-in resources against a real API server and its etcd. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { BUILTIN_GROUPS, BUILTIN_RESOURCES } from "../../../sidecar/keys/builtin-resources.js";
import { Catalog } from "../../../sidecar/keys/catalog.js";
import { readCrd } from "../../../sidecar/keys/crd.js";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { Cluster } from "../../harness/cluster.js";
import { keysIn, valueOf } from "../../harness/etcd-gateway.js";
import { minorRelease } from "../../harness/minor-release.js";
import { waitFor } from "../../harness/wait-for.js";

interface Discovered {
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

describe("the catalog of keys", () => {
  const { source } = inject("controlPlanes");
  const cluster = new Cluster(source);
  const catalog = Catalog.builtin();
  const namespace = "keys-of-etcd";

  beforeAll(async () => cluster.createNamespace(namespace));
  afterAll(async () => cluster.close());

  it("holds every resource that the API server stores, with its kind, scope and versions", async () => {
    const stored = await storedResources(cluster);

    expect(stored.length).toBeGreaterThan(50);
    expect(stored.filter((resource) => !isInTable(resource))).toEqual([]);
  });

  it.each(manifests(namespace).map((manifest) => [manifest.kind, manifest] as const))(
    "says where in etcd a %s lies",
    async (_, manifest) => {
      const group = manifest.apiVersion.includes("/") ? manifest.apiVersion.split("/")[0] : "";
      const resource = catalog.byKind(group ?? "", manifest.kind);
      if (resource === undefined) throw new Error("not in the table");
      await cluster.apply(manifest);

      const inside = resource.namespaced ? namespace : undefined;
      const key = catalog.key(resource, inside, manifest.metadata.name);

      expect(await keysIn(source.etcd, key)).toContain(key);
      if (inside === undefined)
        await cluster.remove(kindOf(manifest), inside, manifest.metadata.name);
    },
  );

  it("says where in etcd the API server registers its own groups", async () => {
    const resource = catalog.byKind("apiregistration.k8s.io", "APIService");
    if (resource === undefined) throw new Error("not in the table");

    const key = catalog.key(resource, undefined, "v1.apps");

    expect(await keysIn(source.etcd, key)).toEqual([key]);
  });

  it("reads what lies in etcd: every key is an object, a custom resource or known to be none", async () => {
    const crds = Catalog.builtin();
    const keys = await keysIn(source.etcd, "/registry/");

    const why = keys.map((key) => ({ key, reading: crds.read(key) }));
    const unknown = why.filter(
      ({ key, reading }) =>
        reading.kind === "no-object" &&
        reading.why !== "allocator" &&
        reading.why !== "server-lease" &&
        !isCustom(key),
    );

    expect(keys.length).toBeGreaterThan(50);
    expect(unknown.map(({ key }) => key)).toEqual([]);
  });

  it("learns a custom resource from its CRD as it is stored", async () => {
    await cluster.apply(CRD);
    await waitFor(async () => (await discovered(cluster)).some(({ group }) => group === CUSTOM), {
      what: "the custom resource in discovery",
      timeoutMs: 30_000,
    });
    await cluster.apply(gadget(namespace));
    const definitions = BUILTIN_RESOURCES.find(({ kind }) => kind === CRD.kind);
    if (definitions === undefined) throw new Error("not in the table");

    const stored = await valueOf(
      source.etcd,
      catalog.key(definitions, undefined, CRD.metadata.name),
    );
    const reading = readCrd({ encoding: "json", bytes: stored });
    if (reading.kind === "invalid") throw new Error(reading.why);
    const resource = catalog.withCrd(reading.crd).byKind(CUSTOM, "Gadget");
    if (resource === undefined) throw new Error("not in the catalog");

    const key = catalog.key(resource, namespace, "one");
    expect(stored.toString()).toContain('"apiVersion":"apiextensions.k8s.io/v1beta1"');
    expect(reading.crd.versions).toEqual([
      { name: "v1", served: true, storage: true, hasStatus: true },
      { name: "v1beta1", served: true, storage: false, hasStatus: false },
    ]);
    expect(await keysIn(source.etcd, key)).toEqual([key]);
    await cluster.remove(CRD.kind, undefined, CRD.metadata.name);
  });
});

describe("the table of built-in resources", { timeout: 120_000 }, () => {
  let everything: ControlPlane;
  let cluster: Cluster;

  beforeAll(async () => {
    everything = await startControlPlane({
      name: "every-api",
      controllerManager: false,
      extraApiServerArgs: [
        "--runtime-config=api/all=true",
        "--feature-gates=AllAlpha=true,AllBeta=true",
      ],
    });
    cluster = new Cluster(everything);
  });
  afterAll(async () => {
    await cluster.close();
    await everything.stop();
  });

  it("holds what an API server with every alpha and beta API stores, one kind of the past, and those that came later", async () => {
    const minor = await minorRelease(cluster);
    const stored = await storedResources(cluster);
    const served = new Set(stored.map(({ group, name }) => `${group}/${name}`));

    const missing = BUILTIN_RESOURCES.filter(
      ({ group, resource }) => !served.has(`${group}/${resource}`),
    );
    const later = NEWCOMERS.filter(([, since]) => since > minor).map(([kind]) => kind);

    expect(stored.filter((resource) => !isInTable(resource))).toEqual([]);
    expect(missing.map(({ kind }) => kind)).toEqual(["PodSecurityPolicy", ...later]);
  });
});

/** Kinds that the oldest release of the test bed has not, with the minor release that brought them; in the table's order. */
const NEWCOMERS: readonly (readonly [kind: string, since: number])[] = [
  ["Workload", 35],
  ["PodGroup", 36],
  ["ResourcePoolStatusRequest", 36],
];

/** What discovery says that can be created and read, of Kubernetes' own groups: all that is stored. */
async function storedResources(cluster: Cluster): Promise<readonly Discovered[]> {
  return (await discovered(cluster)).filter(
    ({ group, name, verbs }) =>
      !name.includes("/") &&
      verbs.includes("create") &&
      verbs.includes("get") &&
      isKubernetesOwn(group),
  );
}

function isInTable({ group, name, kind, namespaced, version }: Discovered): boolean {
  const known = Catalog.builtin().byResource(group, name);
  return (
    known !== undefined &&
    known.kind === kind &&
    known.namespaced === namespaced &&
    known.versions.includes(version)
  );
}

const CUSTOM = "keys.test.svc-ferry.io";

const OPEN = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };

const CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `gadgets.${CUSTOM}` },
  spec: {
    group: CUSTOM,
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
    versions: [
      { name: "v1", served: true, storage: true, schema: OPEN, subresources: { status: {} } },
      { name: "v1beta1", served: true, storage: false, schema: OPEN },
    ],
  },
};

/** As the test's cluster wants it named. */
function kindOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }) {
  return `${apiVersion}/${kind}`;
}

/** Groups of CRDs have a dot, and only Kubernetes' own end like its own. */
function isKubernetesOwn(group: string): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** Below a group that is not the API server's own: other tests of the run have CRDs too. */
function isCustom(key: string): boolean {
  const [, , segment = ""] = key.split("/");
  return segment.includes(".") && !BUILTIN_GROUPS.has(segment);
}

function gadget(namespace: string) {
  return { apiVersion: `${CUSTOM}/v1`, kind: "Gadget", metadata: { name: "one", namespace } };
}

/** One of each way in which a path can differ from the plural, and some that do not. */
function manifests(namespace: string) {
  const port = { port: 80 };
  const named = (name: string) => ({ name });
  const inside = (name: string) => ({ name, namespace });
  return [
    { apiVersion: "v1", kind: "Service", metadata: inside("web"), spec: { ports: [port] } },
    { apiVersion: "v1", kind: "Endpoints", metadata: inside("bare") },
    { apiVersion: "v1", kind: "Node", metadata: named("keys-node") },
    { apiVersion: "v1", kind: "ConfigMap", metadata: inside("settings") },
    {
      apiVersion: "v1",
      kind: "ReplicationController",
      metadata: inside("old"),
      spec: {
        replicas: 0,
        selector: { app: "old" },
        template: {
          metadata: { labels: { app: "old" } },
          spec: { containers: [{ name: "c", image: "none" }] },
        },
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: inside("front"),
      spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
    },
    {
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: inside("scaler"),
      spec: {
        maxReplicas: 1,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "none" },
      },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: inside("a:b.c"),
      rules: [],
    },
    {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: named("keys"),
      value: 1,
    },
  ];
}

/** Every version of every group, as kubectl finds them. */
async function discovered(cluster: Cluster): Promise<readonly Discovered[]> {
  const groups = (await get(cluster, "/apis")) as {
    groups: { name: string; versions: { version: string; groupVersion: string }[] }[];
  };
  const roots = [
    { group: "", version: "v1", path: "/api/v1" },
    ...groups.groups.flatMap(({ name, versions }) =>
      versions.map(({ version, groupVersion }) => ({
        group: name,
        version,
        path: `/apis/${groupVersion}`,
      })),
    ),
  ];
  const lists = await Promise.all(
    roots.map(async ({ group, version, path }) => {
      const list = (await get(cluster, path)) as { resources?: Omit<Discovered, "group">[] };
      // A CRD of another test may have gone since its group was listed.
      return (list.resources ?? []).map((resource) => ({ ...resource, group, version }));
    }),
  );
  return lists.flat();
}

async function get(cluster: Cluster, path: string): Promise<unknown> {
  return (await cluster.request("GET", path)).body;
}
