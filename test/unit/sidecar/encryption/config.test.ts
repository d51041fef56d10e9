import { describe, expect, it } from "vitest";
import { parseEncryptionConfig } from "../../../../sidecar/encryption/config.js";
import { encryptionYaml, entriesOf, keys, secret } from "../../../fixtures/encryption.js";

/** "line path message" of each problem. */
function problems(text: string): readonly string[] {
  const config = parseEncryptionConfig(text);
  if (config.kind === "config") return [];
  return config.problems.map(({ line, path, message }) => `${line} ${path} ${message}`);
}

const IDENTITY = "{identity: {}}";
const key = (name: string, value: string, kind = "aescbc") =>
  encryptionYaml(["secrets", `{${kind}: {keys: [{name: ${name}, secret: ${value}}]}}`]);
const kms = (more: string) => `{kms: {apiVersion: v2, ${more}}}`;
const SOCKET = "endpoint: 'unix:///run/kms.sock'";
const KEY_PATH = "resources[0].providers[0].aescbc.keys[0]";
const KMS_PATH = "resources[0].providers[0].kms";

describe("an EncryptionConfiguration", () => {
  it("is read as the documentation writes it", () => {
    const text = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources:
      - secrets
      - pandas.awesome.bears.example
    providers:
      - aescbc:
          keys:
            - name: key1
              secret: ${secret("a", 16)}
      - kms:
          apiVersion: v2
          name: plugin
          endpoint: unix:///tmp/socketfile.sock
          timeout: 1m500ms
      - identity: {}
`;

    expect(entriesOf(text)).toEqual([
      {
        resources: [
          { group: "", resource: "secrets" },
          { group: "awesome.bears.example", resource: "pandas" },
        ],
        providers: [
          { kind: "aescbc", keys: [{ name: "key1", secret: Buffer.from("a".repeat(16)) }] },
          { kind: "kms", name: "plugin", socket: "/tmp/socketfile.sock", timeoutMs: 60_500 },
          { kind: "identity" },
        ],
      },
    ]);
  });

  it("may have the kind and version of an old slip of the documentation", () => {
    const text = encryptionYaml(["secrets", IDENTITY]);
    const old = text
      .replace("EncryptionConfiguration", "EncryptionConfig")
      .replace("apiserver.config.k8s.io/v1", "v1");

    expect(problems(old)).toEqual([]);
    expect(problems(text.replace("apiserver.config.k8s.io/v1", "v1"))).toEqual([
      "1  is no EncryptionConfiguration of apiserver.config.k8s.io/v1",
    ]);
  });

  it("may use YAML's anchors", () => {
    const text = encryptionYaml(
      ["secrets", keys("aescbc", "a").replace("aescbc: {", "aescbc: &keys {")],
      ["configmaps", "{aesgcm: *keys}"],
    );

    expect(entriesOf(text)[1]?.providers).toMatchObject([
      { kind: "aesgcm", keys: [{ name: "a" }] },
    ]);
  });

  it.each([
    ["nothing", "", ["1  is no map"]],
    ["a list", "[]", ["1  is no map"]],
    ["no resources", "kind: EncryptionConfig\napiVersion: v1\n", ["1  has no resources"]],
    [
      "an empty list",
      "kind: EncryptionConfig\napiVersion: v1\nresources: []\n",
      ["3 resources is no list with at least one element"],
    ],
  ])("that is %s is refused", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it("names all its problems at once, with their lines", () => {
    const text = encryptionYaml(
      ["Secrets", keys("aescbc", "a")],
      ["configmaps"],
      ["pods", "{rot13: {}}"],
    ).replace("resources:\n", "resorces: 1\nresources:\n");

    expect(problems(text)).toEqual([
      "3 resorces is no known key (known: kind, apiVersion, resources)",
      "5 resources[0].resources[0] has capital letters; resources are lower case",
      "6 resources[1].providers is no list with at least one element",
      "7 resources[2].providers[0].rot13 is no known key (known: aescbc, aesgcm, secretbox, identity, kms)",
      "7 resources[2].providers[0] must be one of aescbc, aesgcm, secretbox, identity, kms",
    ]);
  });

  it.each([
    ["*", 'must be "*." (all of the core group) or "*.*" (everything)'],
    ["*.events.k8s.io", 'must be "events": events are stored in the core group'],
    ["events.events.k8s.io", 'must be "events": events are stored in the core group'],
    ["deployments.extensions", "is of the group extensions, which is gone"],
    ["secrets.*", "names one resource across groups"],
    ["serviceipallocations", "is no API resource and cannot be encrypted"],
    [".apps", "names no resource"],
  ])("does not have the resource %s", (name, message) => {
    expect(problems(encryptionYaml([`"${name}"`, IDENTITY]))).toEqual([
      `4 resources[0].resources[0] ${message}`,
    ]);
  });

  it.each([
    ["'*.', secrets"],
    ["'*.*', deployments.apps"],
    ["deployments.apps, '*.apps'"],
    ["'*.*', '*.'"],
  ])("does not have a wildcard beside what it covers: %s", (resources) => {
    expect(problems(encryptionYaml([resources, IDENTITY]))).toEqual([
      "4 resources[0].resources has a wildcard and something that the wildcard covers: use two entries",
    ]);
  });

  it("does not name a resource twice in one entry", () => {
    expect(problems(encryptionYaml(["secrets, secrets", IDENTITY]))).toEqual([
      "4 resources[0].resources names a resource twice",
    ]);
  });

  it.each([
    ["'*.'", "secrets", "secrets: an earlier entry has *."],
    ["'*.*'", "secrets", "secrets: an earlier entry has *.*"],
    ["'*.apps'", "deployments.apps", "deployments.apps: an earlier entry has *.apps"],
    ["'*.*'", "'*.'", "*.: an earlier entry has *.*"],
    ["'*.*'", "'*.*'", "*.*: an earlier entry has *.*"],
  ])("has no entry that %s before it masks: %s", (earlier, later, names) => {
    expect(problems(encryptionYaml([earlier, IDENTITY], [later, IDENTITY]))).toEqual([
      `5 resources[1] has no effect on ${names}`,
    ]);
  });

  it("may have a wildcard after what it covers, and other groups after it", () => {
    const entries = ["secrets", "'*.'", "deployments.apps", "'*.*'"].map(
      (one) => [one, IDENTITY] as const,
    );

    expect(problems(encryptionYaml(...entries))).toEqual([]);
  });
});

describe("a provider", () => {
  it.each([
    ["none", "{}"],
    ["two", `{identity: {}, aescbc: {keys: [{name: a, secret: "${secret("a")}"}]}}`],
    ["identity with nothing", "{identity: }"],
  ])("must be one of the known ones: %s", (_, provider) => {
    expect(problems(encryptionYaml(["secrets", provider]))).toEqual([
      "4 resources[0].providers[0] must be one of aescbc, aesgcm, secretbox, identity, kms",
    ]);
  });

  it.each([16, 24, 32])("of AES takes keys of %d bytes", (bytes) => {
    expect(problems(key("a", `"${secret("a", bytes)}"`))).toEqual([]);
  });

  it.each([
    [
      "a key of the wrong length",
      key("a", `"${secret("a", 31)}"`),
      "secret has 31 bytes; allowed are 16, 24, 32",
    ],
    ["no base64", key("a", '"hunter2!"'), "secret is no base64"],
    ["base64 without padding", key("a", '"YQ"'), "secret is no base64"],
    ["a number", key("a", "1234"), "secret is no text"],
    ["no name", key('""', `"${secret("a")}"`), "name is empty"],
  ])("of AES does not take %s", (_, text, message) => {
    expect(problems(text)).toEqual([`4 ${KEY_PATH}.${message}`]);
  });

  it("of secretbox takes 32 bytes only", () => {
    expect(problems(key("a", `"${secret("a", 16)}"`, "secretbox"))).toEqual([
      "4 resources[0].providers[0].secretbox.keys[0].secret has 16 bytes; allowed are 32",
    ]);
  });

  it("must have keys", () => {
    expect(problems(encryptionYaml(["secrets", "{aesgcm: {keys: []}}"]))).toEqual([
      "4 resources[0].providers[0].aesgcm.keys is no list with at least one element",
    ]);
  });

  it.each([
    ["a colon in its name", kms(`name: 'a:b', ${SOCKET}`), '.name must not contain ":"'],
    ["no name", kms(SOCKET), " has no name"],
    ["no endpoint", kms("name: a"), " has no endpoint"],
    [
      "a network address",
      kms("name: a, endpoint: 'tcp://127.0.0.1:80'"),
      ".endpoint must be unix:// and the absolute path of a socket",
    ],
    [
      "an abstract socket",
      kms("name: a, endpoint: 'unix:///@kms'"),
      ".endpoint is an abstract socket: give a socket with a path",
    ],
    ["a cache size", kms(`name: a, cachesize: 5, ${SOCKET}`), ".cachesize belongs to KMS v1"],
    [
      "no time to answer",
      kms(`name: a, timeout: 0s, ${SOCKET}`),
      '.timeout must be a positive duration such as "3s"',
    ],
    [
      "a timeout without unit",
      kms(`name: a, timeout: '3', ${SOCKET}`),
      '.timeout must be a positive duration such as "3s"',
    ],
    ["another version", `{kms: {apiVersion: v3, name: a, ${SOCKET}}}`, ".apiVersion must be v2"],
    [
      "version 1",
      `{kms: {name: a, ${SOCKET}}}`,
      " is KMS v1 (the default): deprecated, and off in API servers unless KMSv1 is enabled; use apiVersion: v2",
    ],
  ])("of KMS does not have %s", (_, provider, message) => {
    expect(problems(encryptionYaml(["secrets", provider]))).toEqual([`4 ${KMS_PATH}${message}`]);
  });

  it("of KMS answers within 3 s where nothing else is said", () => {
    const [entry] = entriesOf(encryptionYaml(["secrets", kms(`name: a, ${SOCKET}`)]));

    expect(entry?.providers).toMatchObject([{ timeoutMs: 3_000 }]);
  });

  it("of KMS has a name of its own in the whole file", () => {
    const provider = kms(`name: a, ${SOCKET}`);

    expect(problems(encryptionYaml(["secrets", provider], ["configmaps", provider]))).toEqual([
      "5 resources[1].providers[0].kms.name is the name of another KMS provider",
    ]);
  });
});

describe("a message about a configuration", () => {
  it.each([
    ["a bad key", key("a", '"hunter2!"')],
    ["a key of a wrong length", key("a", `"${Buffer.from("hunter2").toString("base64")}"`)],
    ["broken YAML", `${encryptionYaml(["secrets", IDENTITY])}  secret: hunter2\n bad: [`],
    ["a key given twice", "secret: hunter2\nsecret: hunter2\n"],
    ["an unknown alias", "secret: *hunter2\n"],
  ])("never holds what may be a key: %s", (_, text) => {
    const said = problems(text).join("\n");

    expect(said).not.toBe("");
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain(Buffer.from("hunter2").toString("base64"));
  });
});
