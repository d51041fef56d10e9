import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { differingPaths, sameDesired } from "../../../sidecar/wire/desired.js";
import { edit } from "../../../sidecar/wire/edit.js";
import { fieldValue } from "../../../sidecar/wire/field-value.js";
import { localAnnotations } from "../../../sidecar/wire/local-annotations.js";
import type { Edits, StoredObject } from "../../../sidecar/wire/stored-object.js";
import { runCommand } from "../../controlplane/run-command.js";
import { crontabs, kindSamples } from "../../fixtures/wire/kinds.js";
import { object, wireKind } from "../../fixtures/wire/values.js";
import { Cluster } from "../../harness/cluster.js";
import type { Manifest, Stored } from "../../harness/manifest.js";
import { RawEtcd } from "../../harness/raw-etcd.js";
import { waitFor } from "../../harness/wait-for.js";

const connection = inject("controlPlanes").source;
const id = `wire-${process.pid}`;
const group = `${id}.example.com`;
const samples = kindSamples(id, id);
const DEFINITION = crontabs(group);
const CRON_TAB: Manifest = {
  apiVersion: `${group}/v1`,
  kind: "CronTab",
  metadata: { name: id, namespace: id, labels: { app: "w" } },
  spec: { text: "<&>", list: [1, { a: null }], deep: { number: 1.5 } },
};

const cluster = new Cluster(connection);
const etcd = new RawEtcd(connection.etcd);
/** What the API shows of the samples, by kind. */
const created = new Map<string, Stored>();

const kubectl = async (args: readonly string[], input = ""): Promise<string> =>
  runCommand(
    connection.kubectlPath,
    [`--kubeconfig=${connection.kubeconfigPath}`, "--context=source", ...args],
    { input },
  );

beforeAll(async () => {
  await cluster.createNamespace(id);
  await cluster.create(DEFINITION);
  const items = samples.map(({ manifest }) => manifest);
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["create", "-f", "-"], list);
  for (const { manifest } of samples) {
    created.set(manifest.kind, await stored(`${manifest.apiVersion}/${manifest.kind}`));
  }
  await kubectl(["wait", "--for=condition=Established", `crd/crontabs.${group}`]);
  created.set("CronTab", await cluster.create(CRON_TAB));
});
afterAll(async () => {
  const clusterScoped = samples.filter(({ manifest }) => manifest.metadata.namespace === undefined);
  const all = [...clusterScoped.map(({ manifest }) => manifest), DEFINITION];
  await Promise.all(
    all.map(async ({ apiVersion, kind, metadata }) =>
      cluster.remove(`${apiVersion}/${kind}`, undefined, metadata.name),
    ),
  );
  await cluster.remove("Namespace", undefined, id);
  await cluster.close();
});

function sampleOf(kind: string): { readonly key: string; readonly type: string } {
  const sample = samples.find(({ manifest }) => manifest.kind === kind);
  if (sample === undefined) throw new Error(`there is no sample of ${kind}`);
  const { apiVersion, metadata } = sample.manifest;
  const scope = metadata.namespace === undefined ? "" : `${metadata.namespace}/`;
  return {
    key: `/registry/${sample.path}/${scope}${metadata.name}`,
    type: `${apiVersion}/${kind}`,
  };
}

const CRON_TAB_SAMPLE = {
  key: `/registry/${group}/crontabs/${id}/${id}`,
  type: `${group}/v1/CronTab`,
};

const read = async (key: string): Promise<StoredObject> => object(await etcd.get(key));

describe("values of a real API server", () => {
  it("have the metadata that the API shows, and are not changed by an edit of nothing", async () => {
    const keys = [
      ...samples.map(({ manifest }) => sampleOf(manifest.kind).key),
      CRON_TAB_SAMPLE.key,
    ];

    const values = await Promise.all(keys.map(async (key) => etcd.get(key)));

    const parsed = values.map((value) => object(value));
    expect(parsed).toHaveLength(37);
    expect(parsed.map(seen)).toEqual([...created.values()].map(expected));
    expect(parsed.map((one) => edit(one, sameAgain(one), wireKind(one)))).toEqual(values);
    expect(parsed.map(({ encoding }) => encoding).filter((one) => one === "json")).toHaveLength(1);
  });

  it("are CRDs in JSON of a version that nobody asked for", async () => {
    const definition = await read(
      `/registry/apiextensions.k8s.io/customresourcedefinitions/crontabs.${group}`,
    );

    expect(definition).toMatchObject({
      encoding: "json",
      apiVersion: "apiextensions.k8s.io/v1beta1",
    });
    expect(fieldValue(definition, "spec.group")).toBe(group);
  });

  it.each([
    ["Secret", "type", "example.com/kind"],
    ["Pod", "spec.nodeName", "nowhere"],
    ["Pod", "spec.restartPolicy", "Always"],
    ["Pod", "spec.schedulerName", "default-scheduler"],
    ["Pod", "spec.hostNetwork", "false"],
    ["Pod", "status.phase", "Pending"],
    ["Service", "spec.type", "ClusterIP"],
    ["ReplicationController", "status.replicas", "0"],
    ["Job", "status.successful", "0"],
  ])("have fields for selectors: of a %s %s", async (kind, path, value) => {
    expect(fieldValue(await read(sampleOf(kind).key), path)).toBe(value);
  });
});

describe("what is written back to etcd", () => {
  it.each([
    ["ConfigMap", sampleOf("ConfigMap")],
    ["Secret", sampleOf("Secret")],
    ["StorageClass", sampleOf("StorageClass")],
    ["CronTab", CRON_TAB_SAMPLE],
  ])("is understood by the API server: %s", async (_, { key, type }) => {
    const owner = created.get("Role");
    const before = await stored(type);
    const one = await read(key);
    const edits: Edits = {
      uid: "11111111-2222-4333-8444-555555555555",
      generation: 41n,
      labels: { app: undefined, zone: "b", "a.example.com/first": "x" },
      annotations: { html: "<a href='x'>&\u2028</a>" },
      finalizers: ["example.com/one", "example.com/two"],
      ownerReferences: before.metadata.namespace === undefined ? [] : [ownedBy(owner)],
    };

    await etcd.put(key, edit(one, edits, wireKind(one)));

    const after = await stored(type);
    const wanted = changed(before, edits);
    expect(after).toEqual({
      ...wanted,
      metadata: { ...wanted.metadata, resourceVersion: after.metadata.resourceVersion },
    });
    const back: Edits = { finalizers: [], uid: before.metadata.uid };
    const current = await read(key);
    await etcd.put(key, edit(current, back, wireKind(current)));
  });

  it("without its status is an object that has none yet", async () => {
    const { key, type } = sampleOf("Ingress");
    const status = { loadBalancer: { ingress: [{ ip: "10.8.8.8" }] } };
    const path = `/apis/networking.k8s.io/v1/namespaces/${id}/ingresses/${id}/status`;
    await cluster.request("PATCH", path, { status }, "application/merge-patch+json");
    const one = await read(key);
    const { status: had, ...before } = await stored(type);
    expect(had).toEqual({ loadBalancer: { ingress: [{ ip: "10.8.8.8" }] } });

    await etcd.put(key, edit(one, { status: { kind: "drop" } }, wireKind(one)));

    const after = await stored(type);
    const { resourceVersion } = after.metadata;
    const metadata = { ...before.metadata, resourceVersion };
    expect(after).toEqual({ ...before, metadata, status: { loadBalancer: {} } });
  });

  it("keeps the type of a Secret when its status is to be dropped: it has none", async () => {
    const one = await read(sampleOf("Secret").key);

    expect(edit(one, { status: { kind: "drop" } }, wireKind(one))).toBe(one.bytes);
  });

  it("wants the same after the controllers have written a Deployment's status again", async () => {
    const { key, type } = sampleOf("Deployment");
    await waitFor(async () => hasStatus(await stored(type)), { what: "the first status" });
    const one = await read(key);
    const kind = { ...wireKind(one), localAnnotations: localAnnotations("apps", "Deployment") };

    await etcd.put(key, edit(one, { status: { kind: "drop" } }, kind));
    await waitFor(async () => hasStatus(await stored(type)), { what: "a new status" });

    const after = await read(key);
    expect(differingPaths(one, after, kind)).toEqual([]);
    expect(sameDesired(one, after, kind)).toBe(true);
    await kubectl([
      "set",
      "image",
      `deployment/${id}`,
      `--namespace=${id}`,
      "c=example.com/none:2",
    ]);
    expect(differingPaths(one, await read(key), kind)).toEqual(["spec"]);
  });
});

async function stored(type: string): Promise<Stored> {
  const found = await cluster.get(type, isClusterScoped(type) ? undefined : id, id);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found;
}

function isClusterScoped(type: string): boolean {
  return samples.some(
    ({ manifest: { apiVersion, kind, metadata } }) =>
      `${apiVersion}/${kind}` === type && metadata.namespace === undefined,
  );
}

function hasStatus(one: Stored): boolean {
  const status = one["status"] as { readonly observedGeneration?: number } | undefined;
  return status?.observedGeneration === one.metadata["generation"];
}

/** What must not have changed since the object was created. */
function seen({ apiVersion, kind, meta }: StoredObject): object {
  const { name, namespace, uid, labels, annotations } = meta;
  return { apiVersion, kind, name, namespace, uid, labels, note: annotations["note"] };
}

function expected({ apiVersion, kind, metadata }: Stored): object {
  const { name, namespace = "", uid, labels, annotations } = metadata;
  return { apiVersion, kind, name, namespace, uid, labels, note: annotations?.["note"] };
}

/** Everything set to what it is. */
function sameAgain({ meta }: StoredObject): Edits {
  const { uid, generation, ownerReferences, finalizers, labels, annotations } = meta;
  return { uid, generation, ownerReferences, finalizers, labels, annotations };
}

function ownedBy(owner: Stored | undefined) {
  const { apiVersion = "", kind = "", metadata } = owner ?? {};
  const { name = "", uid = "" } = metadata ?? {};
  return { apiVersion, kind, name, uid, controller: undefined, blockOwnerDeletion: true };
}

/** What the API shows after `edits`. */
function changed(before: Stored, edits: Edits): Stored {
  const { app: _, ...labels } = before.metadata.labels ?? {};
  const { zone = "", "a.example.com/first": first = "" } = edits.labels ?? {};
  const owners = (edits.ownerReferences ?? []).map(({ controller: __, ...owner }) => owner);
  const metadata = {
    ...before.metadata,
    uid: edits.uid ?? "",
    generation: Number(edits.generation),
    labels: { ...labels, zone, "a.example.com/first": first },
    annotations: { ...before.metadata.annotations, html: edits.annotations?.["html"] ?? "" },
    finalizers: edits.finalizers,
    ...(owners.length === 0 ? {} : { ownerReferences: owners }),
  };
  return { ...before, metadata };
}
