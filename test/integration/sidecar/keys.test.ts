/** The table of built-in resources against a real API server and its etcd. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../../sidecar/keys/builtin-resources.js";
import { Catalog } from "../../../sidecar/keys/catalog.js";
import { readCrd } from "../../../sidecar/keys/crd.js";
import { Cluster } from "../../harness/cluster.js";
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
    const stored = (await discovered(cluster)).filter(
      ({ group, name, verbs }) =>
        !name.includes("/") &&
        verbs.includes("create") &&
        verbs.includes("get") &&
        group !== CUSTOM,
    );

    const wrong = stored.filter(({ group, name, kind, namespaced, version }) => {
      const known = catalog.byResource(group, name);
      return (
        known === undefined ||
        known.kind !== kind ||
        known.namespaced !== namespaced ||
        !known.versions.includes(version)
      );
    });

    expect(stored.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  it.each(MANIFESTS(namespace).map((manifest) => [manifest.kind, manifest] as const))(
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

  it("reads what lies in etcd: every key is an object or is known to be none", async () => {
    const crds = Catalog.builtin();
    const keys = await keysIn(source.etcd, "/registry/");

    const why = keys.map((key) => ({ key, reading: crds.read(key) }));
    const unknown = why.filter(
      ({ key, reading }) =>
        reading.kind === "no-object" &&
        reading.why !== "allocator" &&
        reading.why !== "server-lease" &&
        !key.startsWith(`/registry/${CUSTOM}/`),
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

function gadget(namespace: string) {
  return { apiVersion: `${CUSTOM}/v1`, kind: "Gadget", metadata: { name: "one", namespace } };
}

/** One of each way in which a path can differ from the plural, and some that do not. */
function MANIFESTS(namespace: string) {
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
      const list = (await get(cluster, path)) as { resources: Omit<Discovered, "group">[] };
      return list.resources.map((resource) => ({ ...resource, group, version }));
    }),
  );
  return lists.flat();
}

async function get(cluster: Cluster, path: string): Promise<unknown> {
  return (await cluster.request("GET", path)).body;
}

/** Keys that begin with a text, through etcd's JSON gateway. */
async function keysIn(etcd: string, prefix: string): Promise<readonly string[]> {
  const kvs = await range(etcd, { key: prefix, range_end: after(prefix), keys_only: true });
  return kvs.map(({ key }) => Buffer.from(key, "base64").toString());
}

async function valueOf(etcd: string, key: string): Promise<Buffer> {
  const [found] = await range(etcd, { key });
  return Buffer.from(found?.value ?? "", "base64");
}

interface GatewayKeyValue {
  readonly key: string;
  readonly value?: string;
}

async function range(
  etcd: string,
  options: { key: string; range_end?: string; keys_only?: boolean },
): Promise<readonly GatewayKeyValue[]> {
  const base64 = (text: string | undefined) => text && Buffer.from(text).toString("base64");
  const answer = await fetch(`${etcd}/v3/kv/range`, {
    method: "POST",
    body: JSON.stringify({
      ...options,
      key: base64(options.key),
      range_end: base64(options.range_end),
    }),
  });
  const { kvs } = (await answer.json()) as { kvs?: readonly GatewayKeyValue[] };
  return kvs ?? [];
}

function after(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return `${prefix.slice(0, -1)}${String.fromCharCode(last + 1)}`;
}
