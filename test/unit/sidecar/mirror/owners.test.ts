import { describe, expect, it } from "vitest";
import { FakeApiWriter } from "../../../fakes/fake-api-writer.js";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
`;
const OWNER = "configmaps/shop/owner";
const CHILD = "configmaps/shop/child";

function ownedBy(name: string, uid: string) {
  return { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid }] };
}

async function family(...args: ConstructorParameters<typeof MirrorBed>): Promise<MirrorBed> {
  const bed = new MirrorBed({ rules: RULES, ...args[0] });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put(OWNER, { ...YES, metadata: { uid: "owner" } });
  await bed.put(CHILD, { ...YES, metadata: ownedBy("owner", "owner") });
  return bed;
}

function references(bed: MirrorBed): unknown {
  return Object(bed.object(CHILD)?.["metadata"])["ownerReferences"];
}

describe("owners", () => {
  it("that leave the rules and are back before their children have let go are referred to again", async () => {
    const bed = await family();
    await bed.follow();
    const away = { labels: { mirror: "no" }, metadata: { uid: "owner" } };

    await bed.put(OWNER, away);
    await bed.put(OWNER, { ...YES, metadata: { uid: "owner" } });
    await bed.settle(60_000);

    expect(bed.owned()).toEqual([CHILD, OWNER]);
    expect(references(bed)).toMatchObject([{ name: "owner" }]);
  });

  it("that are more than one transaction compares are owed with their child, and keep nothing else waiting", async () => {
    const bed = await family();
    const { mirror } = await bed.follow();
    const ownerReferences = Array.from({ length: 200 }, (_, at) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      name: `o${at}`,
      uid: `o${at}`,
    }));

    await bed.put("configmaps/shop/many", { ...YES, metadata: { ownerReferences } });
    await bed.put("configmaps/shop/next", { ...YES, data: "1" });
    await bed.settle(20_000);

    expect(bed.debts()).toEqual({ "configmaps/shop/many": "too-large" });
    expect(mirror.status.refused).toMatchObject([{ detail: "200 owners: too-many-ops" }]);
    expect(mirror.status.revisionApplied).toBe(bed.source.store.revision);
  });

  it("are referred to by the uid that they have in the destination", async () => {
    const bed = await family({ policy: { onConflict: "adopt" } });
    await bed.putInto(bed.destination, OWNER, { metadata: { uid: "its-own" } });

    await bed.follow();
    await bed.settle(5_000);

    expect(references(bed)).toMatchObject([{ name: "owner", uid: "its-own" }]);
    expect(bed.debts()).toEqual({});
  });

  it("that no rule wants are not waited for: the reference is left out", async () => {
    const bed = await family();
    await bed.put(OWNER, { labels: {}, metadata: { uid: "owner" } });

    await bed.follow();
    await bed.settle(5_000);

    expect(references(bed) ?? []).toEqual([]);
    expect(bed.debts()).toEqual({});
  });

  it("that leave the rules take nobody with them: the child lets go first, in an earlier transaction", async () => {
    const bed = await family();
    await bed.follow();
    await bed.settle(5_000);
    bed.takeWrites();

    await bed.put(OWNER, { labels: {}, metadata: { uid: "owner" } });
    await bed.settle(5_000);

    expect(bed.takeWrites()).toEqual([`put ${CHILD}`, `delete ${OWNER}`]);
    expect(references(bed) ?? []).toEqual([]);
  });

  it("that come back within ten seconds get a fresh uid, because the garbage collector remembers the old one, and children follow", async () => {
    const bed = await family();
    await bed.follow();
    await bed.settle(5_000);
    await bed.put(OWNER, { labels: {}, metadata: { uid: "owner" } });
    await bed.settle(5_000);

    await bed.put(OWNER, { ...YES, metadata: { uid: "owner" } });
    await bed.settle(1_000);
    await bed.put(CHILD, { ...YES, data: "2", metadata: ownedBy("owner", "owner") });
    await bed.settle(5_000);

    const fresh = Object(bed.object(OWNER)?.["metadata"])["uid"];
    expect(fresh).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(references(bed)).toMatchObject([{ uid: fresh }]);
  });

  it("keep their removed uid out of use over a restart", async () => {
    const bed = await family();
    const first = await bed.follow();
    await bed.put(OWNER, { labels: {}, metadata: { uid: "owner" } });
    await bed.settle(5_000);
    await first.stop();

    await bed.follow();
    await bed.put(OWNER, { ...YES, metadata: { uid: "owner" } });
    await bed.settle(5_000);

    expect(bed.object(OWNER)).not.toMatchObject({ metadata: { uid: "owner" } });
  });
});

describe("Namespaces", () => {
  const WANTED = { labels: { mirror: "yes" } };

  async function withApi(): Promise<{ readonly bed: MirrorBed; readonly api: FakeApiWriter }> {
    const plain = new MirrorBed();
    const api = new FakeApiWriter(plain.destination);
    await plain.put("namespaces/shop", WANTED);
    return { bed: plain, api };
  }

  it("go through the API server when nothing but what controllers make is left in them", async () => {
    const { bed, api } = await withApi();
    await bed.put("configmaps/shop/a", YES);
    await bed.follow({ api });
    await bed.putInto(bed.destination, "configmaps/shop/kube-root-ca.crt");
    await bed.putInto(bed.destination, "serviceaccounts/shop/default");

    await bed.delete("configmaps/shop/a");
    await bed.delete("namespaces/shop");
    await bed.settle(10_000);

    expect(api.calls).toEqual(["remove /registry/namespaces/shop"]);
    expect(bed.objects()).not.toHaveProperty("namespaces/shop");
    expect([bed.owned(), bed.debts()]).toEqual([[], {}]);
  });

  it("wait for what is ours in them", async () => {
    const { bed, api } = await withApi();
    await bed.put("configmaps/shop/a", YES);
    await bed.follow({ api });

    await bed.put("namespaces/shop", {});
    await bed.settle(10_000);
    const before = [...api.calls];
    await bed.delete("configmaps/shop/a");
    await bed.settle(60_000);

    expect(before).toEqual([]);
    expect(api.calls).toEqual(["remove /registry/namespaces/shop"]);
  });

  it("that hold what is not ours are released, never forced", async () => {
    const { bed, api } = await withApi();
    await bed.follow({ api });
    await bed.putInto(bed.destination, "configmaps/shop/native");

    await bed.put("namespaces/shop", {});
    await bed.settle(10_000);

    expect(api.calls).toEqual(["release /registry/namespaces/shop"]);
    expect(bed.objects()).toHaveProperty("namespaces/shop");
    expect([bed.owned(), bed.debts()]).toEqual([[], { "namespaces/shop": "not-empty" }]);
  });
});

describe("objects that go through the API server", () => {
  const SERVICES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], labelSelectors: [{ matchLabels: { mirror: "yes" } }], via: api }
    - { group: "", resources: [{ group: "", version: v1, kind: Secret }] }
`;

  it("are written, changed and removed by it, and are ours by the ledger", async () => {
    const bed = new MirrorBed({ rules: SERVICES });
    const api = new FakeApiWriter(bed.destination);
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    await bed.follow({ api });
    await bed.settle(5_000);
    const made = [bed.objects()["configmaps/shop/a"], bed.owned(), bed.debts()];

    await bed.put("configmaps/shop/a", { ...YES, data: "2" });
    await bed.settle(5_000);
    const changed = bed.objects()["configmaps/shop/a"];
    await bed.delete("configmaps/shop/a");
    await bed.settle(5_000);

    expect(made).toEqual(["1", ["configmaps/shop/a"], {}]);
    expect(changed).toBe("2");
    expect([bed.owned(), bed.debts()]).toEqual([[], {}]);
    expect(api.calls).toEqual([
      "apply /registry/configmaps/shop/a",
      "apply /registry/configmaps/shop/a",
      "remove /registry/configmaps/shop/a",
    ]);
  });

  it("never keep the raw tail waiting while that server is down, and arrive when it is back", async () => {
    const bed = new MirrorBed({ rules: SERVICES });
    const api = new FakeApiWriter(bed.destination);
    api.isDown = true;
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    const { mirror } = await bed.follow({ api });

    await bed.put("secrets/shop/raw", { type: "Opaque", data: "1" });
    await bed.settle(200);
    const during = [bed.objects()["secrets/shop/raw"], mirror.status.lagMs, bed.debts()];
    api.isDown = false;
    await bed.settle(60_000);

    expect(during).toEqual(["1", 0, { "configmaps/shop/a": "via-api" }]);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "1" });
    expect(bed.debts()).toEqual({});
  });
});
