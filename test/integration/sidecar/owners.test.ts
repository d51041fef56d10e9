import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Cluster } from "../../harness/cluster.js";
import type { Stored } from "../../harness/manifest.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { widgets } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-owners";
const GROUP = "owners-test.example.com";
const RULES = `
filters:
  sequential:
    - { group: apiextensions.k8s.io, sequence: 1, resources: [{ group: apiextensions.k8s.io, version: v1, kind: CustomResourceDefinition }], labelSelectors: [{ matchLabels: { owners-test: "yes" } }] }
    - { group: "", sequence: 2, resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { owners-test: "yes" } }] }
  secondary:
    - { group: apps, allow: [workloads], resources: [{ group: apps, version: v1, kind: Deployment }], namespace: ${NS}, labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespace: ${NS} }
    - { group: ${GROUP}, namespace: ${NS} }
`;

const { source: from, destination: to } = inject("controlPlanes");
const source = new Cluster(from);
const destination = new Cluster(to);
const link = new MirrorLink({ link: "owners", source: from, destination: to, rules: RULES });

const YES = { mirror: "yes" };
const DEPLOYMENT = {
  replicas: 0,
  selector: { matchLabels: { app: "none" } },
  template: {
    metadata: { labels: { app: "none" } },
    spec: { containers: [{ name: "a", image: "example.invalid/none" }] },
  },
};

const deployment = async (at: Cluster, name: string, labels: object): Promise<Stored> =>
  at.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: NS, labels },
    spec: DEPLOYMENT,
  });

function reference(owner: Stored): object {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

async function child(name: string, owner: Stored): Promise<void> {
  const metadata = { name, namespace: NS, ownerReferences: [reference(owner)] };
  await source.create({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "b" } });
}

const there = async (kind: string, name: string): Promise<Stored | undefined> =>
  destination.get(kind, NS, name);
const ownersOf = (object: Stored | undefined): readonly { readonly uid: string }[] =>
  (object?.metadata["ownerReferences"] ?? []) as readonly { readonly uid: string }[];

/** The garbage collector has looked at what came before: it deletes an object of ours whose owner never was. */
async function garbageCollected(): Promise<void> {
  const uid = crypto.randomUUID();
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "never-was", uid };
  const metadata = { name: `canary-${uid}`, namespace: NS, ownerReferences: [owner] };
  await destination.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
  await waitFor(async () => (await there("ConfigMap", metadata.name)) === undefined, {
    what: "the garbage collector",
  });
}

const widget = async (name: string, owners: readonly object[]): Promise<Stored> =>
  source.create({
    apiVersion: `${GROUP}/v1`,
    kind: "Widget",
    metadata: { name, namespace: NS, ownerReferences: owners },
  });

const CRD = widgets(GROUP, { "owners-test": "yes" });

beforeAll(async () => {
  await source.createNamespace(NS, { "owners-test": "yes" });
  await source.apply(CRD);
  await waitFor(async () => (await source.request("GET", `/apis/${GROUP}/v1`)).status === 200, {
    what: "the source to serve widgets",
  });
  await link.start();
  await waitFor(
    async () => (await destination.request("GET", `/apis/${GROUP}/v1`)).status === 200,
    {
      what: "the destination to serve widgets",
    },
  );
});
afterAll(async () => {
  await link.stop();
  await source.remove("CustomResourceDefinition", undefined, CRD.metadata.name);
  await Promise.all([source.close(), destination.close()]);
});

describe("owners beside a real garbage collector", () => {
  it("are referred to by their uid there, and nothing is collected", async () => {
    const owner = await deployment(source, "owner", YES);
    await child("owned", owner);
    const parent = await widget("parent", []);
    await widget("leaf", [reference(parent)]);

    const [ownerThere, parentThere] = await Promise.all([
      waitFor(async () => there("apps/v1/Deployment", "owner"), { what: "the owner" }),
      waitFor(async () => there(`${GROUP}/v1/Widget`, "parent"), { what: "the parent" }),
    ]);
    const held = async (kind: string, name: string, by: Stored): Promise<Stored> =>
      waitFor(
        async () => {
          const found = await there(kind, name);
          return ownersOf(found)[0]?.uid === by.metadata.uid && found;
        },
        { what: `${name} to refer to its owner` },
      );
    const [owned, leaf] = await Promise.all([
      held("ConfigMap", "owned", ownerThere),
      held(`${GROUP}/v1/Widget`, "leaf", parentThere),
    ]);
    await garbageCollected();

    expect((await there("ConfigMap", "owned"))?.metadata.uid).toBe(owned.metadata.uid);
    expect((await there(`${GROUP}/v1/Widget`, "leaf"))?.metadata.uid).toBe(leaf.metadata.uid);
  });

  it("that leave the rules and come back take nobody with them", async () => {
    const owner = await deployment(source, "moving", YES);
    await child("staying", owner);
    const before = await waitFor(
      async () => {
        const found = await there("ConfigMap", "staying");
        return ownersOf(found).length === 1 && found;
      },
      { what: "the child with its reference" },
    );

    await source.patch("apps/v1/Deployment", NS, "moving", {
      metadata: { labels: { mirror: "no" } },
    });
    await waitFor(async () => (await there("apps/v1/Deployment", "moving")) === undefined, {
      what: "the owner to leave",
    });
    await garbageCollected();
    const alone = await there("ConfigMap", "staying");
    await source.patch("apps/v1/Deployment", NS, "moving", { metadata: { labels: YES } });
    const again = await waitFor(async () => there("apps/v1/Deployment", "moving"), {
      what: "the owner to come back",
    });
    await waitFor(
      async () => ownersOf(await there("ConfigMap", "staying"))[0]?.uid === again.metadata.uid,
      { what: "the child to refer to it again" },
    );
    await garbageCollected();

    expect(alone?.metadata.uid).toBe(before.metadata.uid);
    expect(ownersOf(alone)).toEqual([]);
    expect(again.metadata.uid).not.toBe(ownersOf(before)[0]?.uid);
    expect((await there("ConfigMap", "staying"))?.metadata.uid).toBe(before.metadata.uid);
  });

  it("of the destination that only have the same name are not referred to", async () => {
    const native = await deployment(destination, "native", {});
    const owner = await deployment(source, "native", YES);
    await child("orphan", owner);

    const orphan = await waitFor(async () => there("ConfigMap", "orphan"), { what: "the child" });
    await garbageCollected();

    expect(ownersOf(orphan)).toEqual([]);
    expect((await there("ConfigMap", "orphan"))?.metadata.uid).toBe(orphan.metadata.uid);
    expect((await there("apps/v1/Deployment", "native"))?.metadata.uid).toBe(native.metadata.uid);
  });

  it("and all else that is being deleted in the source goes, and does not come back", async () => {
    const metadata = { name: "going", namespace: NS, finalizers: ["example.com/wait"] };
    await source.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
    await waitFor(async () => there("ConfigMap", "going"), { what: "the object" });

    await source.remove("ConfigMap", NS, "going");
    await waitFor(async () => (await there("ConfigMap", "going")) === undefined, {
      what: "its removal",
    });
    await link.stop();
    await link.start();
    await link.caughtUp();

    expect(await there("ConfigMap", "going")).toBeUndefined();
    await source.patch("ConfigMap", NS, "going", { metadata: { finalizers: null } });
  });
});
