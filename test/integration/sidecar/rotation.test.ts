import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { encryptionYaml, keys } from "../../fixtures/encryption.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { RawEtcd } from "../../harness/raw-etcd.js";
import { waitFor } from "../../harness/wait-for.js";

/** The source has rotated once: old values are under key a, new ones under b. */
const SOURCE = encryptionYaml(["secrets", keys("aescbc", "key-b", "key-a"), "{identity: {}}"]);
const SOURCE_BEFORE = encryptionYaml(["secrets", keys("aescbc", "key-a"), "{identity: {}}"]);
const DESTINATION = encryptionYaml(
  ["secrets", keys("secretbox", "box-c"), "{identity: {}}"],
  ["configmaps", keys("aesgcm", "gcm-d")],
);
const DESTINATION_PREFIX = "/elsewhere";
const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Secret }, { group: "", version: v1, kind: ConfigMap }], namespace: shop }
`;
const folder = mkdtempSync(join(tmpdir(), "svc-ferry-rotation-"));

let source: ControlPlane;
let destination: ControlPlane;
let link: MirrorLink;

/** The file of an API server's keys. */
function configured(name: string, yaml: string): string {
  const path = join(folder, name);
  writeFileSync(path, yaml);
  return path;
}

const secret = async (name: string): Promise<string> =>
  source.kubectl(["create", "secret", "generic", name, "-n", "shop", "--from-literal=a=b"]);

beforeAll(async () => {
  const sourceKeys = configured("source.yaml", SOURCE_BEFORE);
  const start = async (name: string, ...args: string[]): Promise<ControlPlane> =>
    startControlPlane({ name, controllerManager: false, extraApiServerArgs: args });
  [source, destination] = await Promise.all([
    start("rotated-source", `--encryption-provider-config=${sourceKeys}`),
    start(
      "rotated-destination",
      `--encryption-provider-config=${configured("destination.yaml", DESTINATION)}`,
      `--etcd-prefix=${DESTINATION_PREFIX}`,
    ),
  ]);
  await source.kubectl(["create", "namespace", "shop"]);
  await source.kubectl(["label", "namespace", "shop", "mirror=yes"]);
  await secret("before");
  configured("source.yaml", SOURCE);
  await source.stopApiServer("crash");
  await source.startApiServer();
  await secret("after");
  await source.kubectl(["create", "configmap", "plain", "-n", "shop", "--from-literal=a=b"]);
  link = new MirrorLink({
    link: "rotation",
    source: { etcd: source.etcd, encryption: SOURCE },
    destination: { etcd: destination.etcd, encryption: DESTINATION, prefix: DESTINATION_PREFIX },
    rules: RULES,
  });
  await link.start();
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.stop(), destination.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const stored = async (at: ControlPlane, key: string): Promise<string> =>
  (await new RawEtcd(at.etcd).get(key)).toString("latin1");

describe("Secrets between two clusters with keys of their own", () => {
  it("are read under both of the source's keys, and stored under the destination's", async () => {
    const [before, after] = await Promise.all(
      ["before", "after"].map(async (name) => stored(source, `/registry/secrets/shop/${name}`)),
    );
    const there = await Promise.all(
      ["before", "after"].map(async (name) =>
        stored(destination, `${DESTINATION_PREFIX}/secrets/shop/${name}`),
      ),
    );

    expect(before).toMatch(/^k8s:enc:aescbc:v1:key-a:/);
    expect(after).toMatch(/^k8s:enc:aescbc:v1:key-b:/);
    expect(there.map((value) => value.slice(0, 27))).toEqual([
      "k8s:enc:secretbox:v1:box-c:",
      "k8s:enc:secretbox:v1:box-c:",
    ]);
  });

  it("are listed by kubectl, with their data, and so is what is bound to its key by AES-GCM", async () => {
    const data = "jsonpath={range .items[*]}{.metadata.name}={.data.a} {end}";
    const list = ["get", "secrets", "-n", "shop", "-o", data];

    expect(await destination.kubectl(list)).toBe("after=Yg== before=Yg== ");
    expect(await stored(destination, `${DESTINATION_PREFIX}/configmaps/shop/plain`)).toMatch(
      /^k8s:enc:aesgcm:v1:gcm-d:/,
    );
    const plain = ["get", "configmap", "plain", "-n", "shop", "-o", "jsonpath={.data.a}"];
    expect(await destination.kubectl(plain)).toBe("b");
  });

  it("are owed one by one when nobody has the key, and the others go on", async () => {
    const foreign = "k8s:enc:aescbc:v1:unknown:0123456789abcdef0123456789abcdef";
    await new RawEtcd(source.etcd).put("/registry/secrets/shop/locked", Buffer.from(foreign));
    const other = await link.etcds.source.range(
      { key: "/registry/secrets/shop/after" },
      { signal: new AbortController().signal },
    );
    await new RawEtcd(source.etcd).put(
      "/registry/secrets/shop/after",
      other.kvs[0]?.value ?? Buffer.alloc(0),
    );

    await waitFor(
      async () => (await link.debts())["secrets/shop/locked"] === "source-undecryptable",
      { what: "the debt" },
    );
    await link.caughtUp();

    const names = ["get", "secrets", "-n", "shop", "-o", "jsonpath={.items[*].metadata.name}"];
    expect(await destination.kubectl(names)).toBe("after before");
  });
});
