import { describe, expect, it } from "vitest";
import { crdJson } from "../../../fixtures/crds.js";
import { encryption, encryptionYaml, keys } from "../../../fixtures/encryption.js";
import { MirrorBed, PREFIX } from "../../../fixtures/mirror-bed.js";

const CRDS = { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" };
const CRD = "apiextensions.k8s.io/customresourcedefinitions/widgets.example.com";
const WIDGET = "example.com/widgets/shop/a";
const BY_NAMESPACE = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespaceSelectors: [{ matchLabels: { team: "yes" } }] }
`;
const WIDGETS = `
filters:
  secondary:
    - { group: "example.com", resources: [{ group: "example.com", version: v1, kind: Widget }] }
`;
const TEAM = { labels: { team: "yes" } };

const keyed = (resource: string, name: string) =>
  encryption(encryptionYaml([resource, keys("aescbc", name), "{identity: {}}"]));

/**
 * A value of the source is stored with a key that the mirror does not have.
 * @returns stores it in plain text again
 */
async function withOtherKey(
  bed: MirrorBed,
  path: string,
  resource: typeof CRDS,
): Promise<() => Promise<bigint>> {
  const kv = bed.source.store.get(PREFIX + path);
  if (kv === undefined) throw new Error("it is not there");
  const by = keyed(`"*.*"`, "key-b").transformer(resource);
  const value = await by.encrypt(kv.value, kv.key);
  await bed.write(bed.source, { kind: "put", key: kv.key, value });
  return () => bed.write(bed.source, { kind: "put", key: kv.key, value: kv.value });
}

describe("a Namespace that the source stores with a key that nobody has told the mirror", () => {
  async function scene() {
    const sourceEncryption = keyed("namespaces", "key-a");
    const bed = new MirrorBed({ rules: BY_NAMESPACE, sourceEncryption });
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("namespaces/shop", TEAM);
    for (const name of ["a", "b", "c"]) await bed.put(`configmaps/shop/${name}`);
    const process = await bed.follow();
    const resource = { group: "", resource: "namespaces" };
    const undo = await withOtherKey(bed, "namespaces/shop", resource);
    await bed.settle(10_000);
    return { bed, process, undo };
  }

  it("removes nothing of what is in it", async () => {
    const { bed } = await scene();

    await bed.put("configmaps/shop/a", { data: "2" });
    await bed.settle(10_000);

    expect(bed.owned()).toHaveLength(3);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "2" });
  });

  it("removes nothing after a restart either, and owes what is in it until it can be read", async () => {
    const { bed, process, undo } = await scene();
    await process.stop();

    const { mirror } = await bed.follow({ policy: { verifyEveryMs: 20_000 } });
    await bed.settle(60_000);
    const owned = bed.owned();
    const debts = bed.debts();
    await undo();
    await bed.settle(60_000);

    expect(mirror.status.objects.deleted).toBe(0);
    expect(owned).toHaveLength(3);
    expect(Object.values(debts)).toEqual(Array(3).fill("source-undecryptable"));
    expect(bed.debts()).toEqual({});
  });
});

describe("a CRD that the source stores with a key that nobody has told the mirror", () => {
  async function scene() {
    const sourceEncryption = keyed(`"*.*"`, "key-a");
    const bed = new MirrorBed({
      rules: WIDGETS,
      sourceEncryption,
      policy: { allowPlaintext: true },
    });
    const crd = crdJson("example.com", "widgets", "Widget");
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.putInto(bed.destination, CRD, crd);
    await bed.put(CRD, crd);
    await bed.put(WIDGET, { apiVersion: "example.com/v1", kind: "Widget", data: "1" });
    const process = await bed.follow();
    const undo = await withOtherKey(bed, CRD, CRDS);
    await bed.settle(10_000);
    return { bed, process, undo };
  }

  it("removes none of its objects", async () => {
    const { bed } = await scene();

    await bed.put(WIDGET, { apiVersion: "example.com/v1", kind: "Widget", data: "2" });
    await bed.settle(10_000);

    expect(bed.objects()).toMatchObject({ [WIDGET]: "2" });
  });

  it("removes none after a restart either, and owes them until it can be read", async () => {
    const { bed, process, undo } = await scene();
    await process.stop();

    const { mirror } = await bed.follow({
      policy: { verifyEveryMs: 20_000, allowPlaintext: true },
    });
    await bed.settle(60_000);
    const debts = bed.debts();
    await undo();
    await bed.settle(60_000);

    expect(mirror.status.objects.deleted).toBe(0);
    expect(debts).toEqual({ [WIDGET]: "source-undecryptable" });
    expect([bed.owned(), bed.debts()]).toEqual([[WIDGET], {}]);
  });
});

describe("a CRD that the destination encrypts", () => {
  it("is read as any other, and its objects are written", async () => {
    const destinationEncryption = keyed(CRDS.resource + "." + CRDS.group, "key-a");
    const bed = new MirrorBed({ rules: WIDGETS, destinationEncryption });
    const crd = crdJson("example.com", "widgets", "Widget");
    await bed.putInto(bed.destination, "namespaces/shop");
    const plain = bed.value(bed.destination, CRD, crd);
    const value = await destinationEncryption.transformer(CRDS).encrypt(plain, PREFIX + CRD);
    await bed.write(bed.destination, { kind: "put", key: PREFIX + CRD, value });
    await bed.put(CRD, crd);
    await bed.put(WIDGET, { apiVersion: "example.com/v1", kind: "Widget", data: "1" });

    await bed.follow();
    await bed.settle(5_000);

    expect(bed.debts()).toEqual({});
    expect(bed.owned()).toEqual([WIDGET]);
  });
});
