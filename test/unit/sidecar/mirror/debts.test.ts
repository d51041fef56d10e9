import { describe, expect, it } from "vitest";
import { MirrorBed, type BedOptions } from "../../../fixtures/mirror-bed.js";
import { encryption, encryptionYaml, keys } from "../../../fixtures/encryption.js";
import { crdJson } from "../../../fixtures/crds.js";

const YES = { labels: { mirror: "yes" } };
const WIDGETS = `
filters:
  secondary:
    - { group: "example.com", resources: [{ group: "example.com", version: v1, kind: Widget }] }
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }] }
`;
const SECRETS = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Secret }] }
`;
const CRD = "apiextensions.k8s.io/customresourcedefinitions/widgets.example.com";
const WIDGET = { apiVersion: "example.com/v1", kind: "Widget" };

/** Owed, the process ends, the cause goes away, another process begins: the object arrives without a change of the source. */
async function acrossRestart(
  bed: MirrorBed,
  owed: Readonly<Record<string, string>>,
  cure: () => Promise<unknown>,
  more: BedOptions = {},
): Promise<void> {
  const first = await bed.follow();
  await bed.settle(2_000);
  expect(bed.debts()).toEqual(owed);
  await first.stop();

  await cure();
  await bed.follow(more);
  await bed.settle(10_000);
  expect(bed.debts()).toEqual({});
}

describe("debts: what is refused, skipped or waiting arrives when its cause is gone, across a restart", () => {
  it("no-namespace", async () => {
    const bed = new MirrorBed();
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });

    await acrossRestart(bed, { "configmaps/shop/a": "no-namespace" }, () =>
      bed.putInto(bed.destination, "namespaces/shop"),
    );

    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "1" });
  });

  it("namespace-terminating", async () => {
    const bed = new MirrorBed();
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    await bed.putInto(bed.destination, "namespaces/shop", { metadata });

    await acrossRestart(bed, { "configmaps/shop/a": "namespace-terminating" }, () =>
      bed.putInto(bed.destination, "namespaces/shop"),
    );

    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "1" });
  });

  it("occupied", async () => {
    const bed = new MirrorBed();
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.putInto(bed.destination, "configmaps/shop/a", { data: "native" });
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });

    await acrossRestart(bed, { "configmaps/shop/a": "occupied" }, () =>
      bed.deleteFrom(bed.destination, "configmaps/shop/a"),
    );

    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "1" });
  });

  it("no-crd and version-not-served", async () => {
    const bed = new MirrorBed({ rules: WIDGETS });
    await bed.putInto(bed.destination, "namespaces/shop");
    const crd = crdJson("example.com", "widgets", "Widget");
    await bed.put(CRD, crd);
    await bed.put("example.com/widgets/shop/a", { ...WIDGET, data: "1" });

    await acrossRestart(bed, { "example.com/widgets/shop/a": "no-crd" }, async () => {
      await bed.putInto(bed.destination, CRD, crd);
    });
    await bed.put("example.com/widgets/shop/b", { ...WIDGET, apiVersion: "example.com/v2" });
    await bed.settle();

    expect(bed.objects()).toMatchObject({ "example.com/widgets/shop/a": "1" });
    expect(bed.debts()).toEqual({ "example.com/widgets/shop/b": "version-not-served" });
  });

  it("owner-missing: written without the reference, which is added when the owner is there", async () => {
    const bed = new MirrorBed({ rules: WIDGETS });
    await bed.putInto(bed.destination, "namespaces/shop");
    const crd = crdJson("example.com", "widgets", "Widget");
    await bed.put(CRD, crd);
    await bed.put("example.com/widgets/shop/owner", { ...WIDGET, metadata: { uid: "uid-owner" } });
    const owner = { apiVersion: "example.com/v1", kind: "Widget", name: "owner", uid: "uid-owner" };
    const metadata = { ownerReferences: [owner] };
    await bed.put("configmaps/shop/child", { data: "1", metadata });
    const owed = {
      "configmaps/shop/child": "owner-missing",
      "example.com/widgets/shop/owner": "no-crd",
    };

    await acrossRestart(bed, owed, () => bed.putInto(bed.destination, CRD, crd));

    expect(bed.object("configmaps/shop/child")).toMatchObject({
      metadata: { ownerReferences: [{ name: "owner", uid: "uid-owner" }] },
    });
  });

  it("source-undecryptable", async () => {
    const source = encryption(encryptionYaml(["secrets", keys("secretbox", "a")]));
    const other = encryption(encryptionYaml(["secrets", keys("secretbox", "b")]));
    const bed = new MirrorBed({
      rules: SECRETS,
      sourceEncryption: other,
      destinationEncryption: source,
    });
    await bed.putInto(bed.destination, "namespaces/shop");
    const path = "secrets/shop/a";
    const plain = bed.value(bed.source, path, { type: "Opaque", data: "1" });
    const sealing = source.transformer({ group: "", resource: "secrets" });
    const value = await sealing.encrypt(plain, `/registry/${path}`);
    await bed.write(bed.source, { kind: "put", key: `/registry/${path}`, value });

    await acrossRestart(bed, { [path]: "source-undecryptable" }, async () => undefined, {
      sourceEncryption: source,
    });

    const stored = bed.destination.store.get(`/registry/${path}`)?.value;
    expect(stored?.toString("latin1")).toMatch(/^k8s:enc:secretbox:v1:a:/);
  });

  it("source-unreadable: somebody writes it anew", async () => {
    const bed = new MirrorBed();
    await bed.putInto(bed.destination, "namespaces/shop");
    const key = "/registry/configmaps/shop/a";
    await bed.write(bed.source, { kind: "put", key, value: Buffer.from("no object") });

    await acrossRestart(bed, { "configmaps/shop/a": "source-unreadable" }, () =>
      bed.write(bed.source, {
        kind: "put",
        key,
        value: bed.value(bed.destination, "configmaps/shop/a", { ...YES, data: "1" }),
      }),
    );

    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "1" });
  });

  it("dest-plaintext: what was encrypted is never written in plain text", async () => {
    const source = encryption(encryptionYaml(["secrets", keys("secretbox", "a")]));
    const bed = new MirrorBed({ rules: SECRETS, sourceEncryption: source });
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("secrets/shop/a", { type: "Opaque", data: "1" });

    await acrossRestart(bed, { "secrets/shop/a": "dest-plaintext" }, async () => undefined, {
      destinationEncryption: encryption(encryptionYaml(["secrets", keys("aescbc", "b")])),
    });

    const stored = bed.destination.store.get("/registry/secrets/shop/a")?.value;
    expect(stored?.toString("latin1")).toMatch(/^k8s:enc:aescbc:v1:b:/);
  });

  it("dest-undecryptable: what no key opens there is taken away", async () => {
    const ours = encryption(encryptionYaml(["secrets", keys("aescbc", "a")]));
    const theirs = encryption(encryptionYaml(["secrets", keys("aescbc", "b")]));
    const bed = new MirrorBed({ rules: SECRETS, destinationEncryption: ours });
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("secrets/shop/a", { type: "Opaque", data: "1" });
    const key = "/registry/secrets/shop/native";
    const plain = bed.value(bed.destination, "secrets/shop/native", { data: "theirs" });
    const value = await theirs.transformer({ group: "", resource: "secrets" }).encrypt(plain, key);
    await bed.write(bed.destination, { kind: "put", key, value });

    await acrossRestart(bed, { "secrets/shop/a": "dest-undecryptable" }, () =>
      bed.deleteFrom(bed.destination, "secrets/shop/native"),
    );

    const stored = bed.destination.store.get("/registry/secrets/shop/a")?.value;
    expect(stored?.toString("latin1")).toMatch(/^k8s:enc:aescbc:v1:a:/);
  });

  it("drifted: somebody takes back what he has changed", async () => {
    const path = "configmaps/shop/a";
    const bed = new MirrorBed({ policy: { onDrift: "report" } });
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put(path, { ...YES, data: "1" });
    const before = await bed.follow();
    await before.stop();
    const made = { ...bed.object(path) };
    await bed.putInto(bed.destination, path, { ...made, data: "theirs" });

    await acrossRestart(bed, { [path]: "drifted" }, () => bed.putInto(bed.destination, path, made));
    await bed.put(path, { ...YES, data: "2" });
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [path]: "2" });
  });

  it("rules-settling: five minutes have passed since the rules changed", async () => {
    const path = "configmaps/shop/a";
    const bed = new MirrorBed();
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put(path, { ...YES, data: "1" });
    const before = await bed.follow();
    await before.stop();
    const others = { rules: SECRETS };
    const first = await bed.follow(others);
    await bed.put(path, { ...YES, data: "2" });
    await bed.settle();
    const owed = bed.debts();
    await first.stop();

    await bed.follow(others);
    await bed.settle(6 * 60_000);

    expect(owed).toEqual({ [path]: "rules-settling" });
    expect([bed.debts(), bed.owned()]).toEqual([{}, []]);
  });

  it("too-large: the source makes it smaller", async () => {
    const bed = new MirrorBed();
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("configmaps/shop/a", { ...YES, data: "x".repeat(1_572_560) });

    await acrossRestart(bed, { "configmaps/shop/a": "too-large" }, () =>
      bed.put("configmaps/shop/a", { ...YES, data: "small" }),
    );

    expect(bed.objects()).toMatchObject({ "configmaps/shop/a": "small" });
  });

  it("needs-api: a Namespace is not removed past the API server", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    await bed.follow();

    await bed.put("namespaces/shop", {});
    await bed.settle();

    expect(bed.debts()).toEqual({ "namespaces/shop": "needs-api" });
    expect(Object.keys(bed.objects())).toEqual(["namespaces/shop"]);
  });

  it("keeps the time since when it is owed, and nothing of it is written again while nothing changes", async () => {
    const bed = new MirrorBed();
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    await bed.follow();
    const before = bed.destination.store.get("/svc-ferry/east/debt/configmaps/shop/a");

    await bed.settle(20 * 60_000);

    expect(bed.destination.store.get("/svc-ferry/east/debt/configmaps/shop/a")).toEqual(before);
  });
});
