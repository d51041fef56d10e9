import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEncryption } from "../../../sidecar/encryption/encryption.js";
import type { Encryption } from "../../../sidecar/encryption/transformer.js";
import { edit } from "../../../sidecar/wire/edit.js";
import { SystemClock } from "../../../src/runtime/system-clock.js";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { encryptionYaml, entriesOf, keys, plainOf } from "../../fixtures/encryption.js";
import { object, wireKind } from "../../fixtures/wire/values.js";
import { type KmsServer, startKmsServer } from "../../harness/kms-server.js";
import { RawEtcd } from "../../harness/raw-etcd.js";

const START_MS = 120_000;

let kms: KmsServer;
let controlPlane: ControlPlane;
let etcd: RawEtcd;
let yaml: string;
let encryption: Encryption;
const folder = mkdtempSync(join(tmpdir(), "svc-ferry-encryption-"));

const open = (): Encryption => openEncryption(entriesOf(yaml), new SystemClock());

beforeAll(async () => {
  kms = await startKmsServer();
  const plugin = `{kms: {apiVersion: v2, name: plugin, endpoint: "unix://${kms.socket}"}}`;
  yaml = encryptionYaml(
    ["secrets", keys("aescbc", "old-a"), "{identity: {}}"],
    ["configmaps", keys("aesgcm", "new-b", "old-a")],
    ["roles.rbac.authorization.k8s.io", keys("secretbox", "box-c")],
    ["limitranges", plugin],
    ["'*.apps'", keys("aesgcm", "apps-d")],
  );
  const path = join(folder, "encryption.yaml");
  writeFileSync(path, yaml);
  controlPlane = await startControlPlane({
    name: "encrypted",
    controllerManager: false,
    extraApiServerArgs: [`--encryption-provider-config=${path}`],
  });
  etcd = new RawEtcd(controlPlane.etcd);
  encryption = open();
  await controlPlane.kubectl(["create", "-f", "-"], MANIFESTS);
}, START_MS);
afterAll(async () => {
  encryption.close();
  await controlPlane.stop();
  kms.stop();
  rmSync(folder, { recursive: true, force: true });
});

const MANIFESTS = `
{apiVersion: v1, kind: Secret, metadata: {name: sample, namespace: default}, stringData: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: sample, namespace: default}, data: {a: b}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: sample, namespace: default}, rules: []}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: sample, namespace: default}, spec: {limits: []}}
---
{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: sample, namespace: default}, revision: 1, data: {a: b}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: sample, namespace: default}}
`;

const KINDS = [
  ["", "secrets", "k8s:enc:aescbc:v1:old-a:"],
  ["", "configmaps", "k8s:enc:aesgcm:v1:new-b:"],
  ["rbac.authorization.k8s.io", "roles", "k8s:enc:secretbox:v1:box-c:"],
  ["", "limitranges", "k8s:enc:kms:v2:plugin:"],
  ["apps", "controllerrevisions", "k8s:enc:aesgcm:v1:apps-d:"],
  ["", "serviceaccounts", ""],
] as const;

const keyOf = (resource: string): string => `/registry/${resource}/default/sample`;

/** Reads as a sidecar, changes a label, and writes what an API server would have written. */
async function relabel(by: Encryption, group: string, resource: string, label: string) {
  const transformer = by.transformer({ group, resource });
  const key = keyOf(resource);
  const stored = await etcd.get(key);
  const decrypted = await transformer.decrypt(stored, key);
  const one = object(plainOf(decrypted));
  const edited = edit(one, { labels: { by: label } }, wireKind(one));
  await etcd.put(key, await transformer.encrypt(edited, key));
  return { stored, decrypted, one };
}

describe("encryption at rest beside a real API server", () => {
  it.each(KINDS)(
    "reads what it wrote, and writes what it reads: %s %s",
    async (group, resource, prefix) => {
      const { stored, decrypted, one } = await relabel(encryption, group, resource, "sidecar");

      const listed = await controlPlane.kubectl([
        "get",
        resource,
        "-l",
        "by=sidecar",
        "-o",
        "name",
      ]);

      expect(stored.toString("latin1").startsWith(prefix)).toBe(true);
      expect(decrypted).toMatchObject({ wasEncrypted: prefix !== "", stale: false });
      expect(one.meta).toMatchObject({ name: "sample", namespace: "default" });
      expect(listed.trim().endsWith("/sample")).toBe(true);
      const written = await etcd.get(keyOf(resource));
      expect(written.equals(stored)).toBe(false);
      expect(written.toString("latin1").startsWith(prefix)).toBe(true);
    },
  );

  it("has seeds of its own that the API server asks the plugin to open, with another key too", async () => {
    kms.keyId = "key-2";
    const later = open();
    const before = kms.calls.Decrypt;

    const { decrypted } = await relabel(later, "", "limitranges", "key-2");
    const listed = await controlPlane.kubectl([
      "get",
      "limitranges",
      "-l",
      "by=key-2",
      "-o",
      "name",
    ]);
    later.close();

    expect(listed).toBe("limitrange/sample\n");
    expect(decrypted).toMatchObject({ stale: true });
    expect(kms.calls.Decrypt).toBe(before + 2);
    expect((await etcd.get(keyOf("limitranges"))).includes("key-2")).toBe(true);
  });

  it("reads the API server's own objects of every encrypted kind", async () => {
    const roles = encryption.transformer({ group: "rbac.authorization.k8s.io", resource: "roles" });
    const key = "/registry/roles/kube-system/extension-apiserver-authentication-reader";

    const decrypted = await roles.decrypt(await etcd.get(key), key);

    expect(object(plainOf(decrypted))).toMatchObject({ kind: "Role", encoding: "protobuf" });
  });

  it("does not read a value that stands under another key", async () => {
    const configmaps = encryption.transformer({ group: "", resource: "configmaps" });
    const stored = await etcd.get(keyOf("configmaps"));

    expect(await configmaps.decrypt(stored, "/registry/configmaps/default/other")).toMatchObject({
      kind: "unreadable",
    });
  });
});
