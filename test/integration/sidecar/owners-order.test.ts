/** Beside a real destination: in which order owners and dependents arrive, and what a Namespace that ends in the source does there. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { prefixEnd } from "../../../sidecar/etcd/etcd.js";
import { Cluster } from "../../harness/cluster.js";
import type { Stored } from "../../harness/manifest.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-order";
const ENDING = "mirrored-ending";
const OWN = { "order-test": "yes" };
const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { order-test: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }, { group: "", version: v1, kind: Secret }], namespaceSelectors: [{ matchLabels: { order-test: "yes" } }] }
`;
const SIGNAL = new AbortController().signal;
const PAIRS = 15;

const { source: from, destination: to } = inject("controlPlanes");
const source = new Cluster(from);
const destination = new Cluster(to);
const link = new MirrorLink({ link: "order", source: from, destination: to, rules: RULES });

beforeAll(async () => {
  await source.createNamespace(NS, OWN);
  await source.createNamespace(ENDING, OWN);
  await link.start();
  for (const namespace of [NS, ENDING]) {
    await waitFor(async () => destination.get("Namespace", undefined, namespace), {
      what: namespace,
    });
  }
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.close(), destination.close()]);
});

/** In key order the dependents come first: ConfigMaps before the Secrets that own them. */
async function pairs(count: number, prefix: string): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const name = `${prefix}-${at}`;
    const metadata = { name, namespace: NS };
    const owner = await source.create({ apiVersion: "v1", kind: "Secret", metadata });
    const { uid } = owner.metadata;
    const reference = { apiVersion: "v1", kind: "Secret", name, uid, blockOwnerDeletion: true };
    const owned = { ...metadata, ownerReferences: [reference] };
    await source.create({ apiVersion: "v1", kind: "ConfigMap", metadata: owned });
  }
}

const isOwned = (object: Stored | undefined): boolean =>
  JSON.stringify(object?.metadata["ownerReferences"] ?? []) !== "[]";

/** Dependents of the destination → whether their owner was there before them. */
async function expectOwnersFirst(prefix: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  for (const name of names) {
    await waitFor(async () => isOwned(await destination.get("ConfigMap", NS, name)), {
      what: `${name} to refer to its owner`,
    });
  }
  const [owners, dependents] = [await keys("secrets"), await keys("configmaps")];
  for (const name of names) {
    const owner = owners.get(name);
    const dependent = dependents.get(name);
    expect(owner, name).toBeDefined();
    // The write that brought the reference: nothing has been written to it since.
    expect(dependent?.modRevision, name).toBeGreaterThan(owner?.createRevision ?? 0n);
    expect(dependent?.version, name).toBeLessThanOrEqual(2n);
  }
}

async function keys(resource: string) {
  const key = `/registry/${resource}/${NS}/`;
  const { destination: etcd } = link.etcds;
  const { kvs } = await etcd.range({ key, rangeEnd: prefixEnd(key) }, { signal: SIGNAL });
  return new Map(kvs.map((kv) => [kv.key.slice(key.length), kv]));
}

describe("owners and their dependents", () => {
  it("arrive in this order while they are followed: no reference is written before its owner", async () => {
    await pairs(PAIRS, "tail");

    await expectOwnersFirst("tail", PAIRS);
  });

  it("arrive in this order in a pass, where keys say the other", async () => {
    await link.stop();
    await pairs(PAIRS, "pass");

    await link.start();

    await expectOwnersFirst("pass", PAIRS);
  });
});

describe("a Namespace that is being deleted in the source", () => {
  it("is not being deleted in the destination: what is ours in it goes, what is not stays, and so does it", async () => {
    const held = { name: "held", namespace: ENDING, finalizers: ["example.com/wait"] };
    const metadata = { name: "native", namespace: ENDING };
    await source.create({ apiVersion: "v1", kind: "ConfigMap", metadata: held });
    await waitFor(async () => destination.get("ConfigMap", ENDING, "held"), { what: "the copy" });
    const native = await destination.create({ apiVersion: "v1", kind: "ConfigMap", metadata });

    await source.remove("Namespace", undefined, ENDING);

    await waitFor(async () => (await destination.get("ConfigMap", ENDING, "held")) === undefined, {
      what: "what is ours in it to go",
    });
    const ending = await source.get("Namespace", undefined, ENDING);
    expect(ending).toMatchObject({ status: { phase: "Terminating" } });
    await waitFor(async () => (await link.debts())[`namespaces/${ENDING}`] === "needs-api", {
      what: "the Namespace to be owed",
    });
    const there = await destination.get("Namespace", undefined, ENDING);
    expect(there).toMatchObject({ status: { phase: "Active" } });
    expect(there?.metadata["deletionTimestamp"]).toBeUndefined();
    const after = await destination.get("ConfigMap", ENDING, "native");
    expect(after?.metadata.resourceVersion).toBe(native.metadata.resourceVersion);
    await source.patch("ConfigMap", ENDING, "held", { metadata: { finalizers: null } });
  });
});
