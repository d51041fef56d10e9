import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openEncryption, PLAIN } from "../../../../sidecar/encryption/encryption.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import {
  encryption,
  encryptionYaml,
  entriesOf,
  keys,
  plainOf,
} from "../../../fixtures/encryption.js";

const SECRETS = { group: "", resource: "secrets" };
const KEY = "/registry/secrets/shop/password";
const PLAINTEXT = Buffer.from("k8s\0 a value");

const withProviders = (...providers: readonly string[]) =>
  encryption(encryptionYaml(["secrets", ...providers])).transformer(SECRETS);

describe.each(["aescbc", "aesgcm", "secretbox"])("%s", (kind) => {
  const prefix = `k8s:enc:${kind}:v1:key-a:`;

  it("gives back what it took, and says that it was encrypted", async () => {
    const transformer = withProviders(keys(kind, "key-a"));

    const stored = await transformer.encrypt(PLAINTEXT, KEY);

    expect(stored.toString("latin1").startsWith(prefix)).toBe(true);
    expect(stored.includes(PLAINTEXT)).toBe(false);
    expect(await transformer.decrypt(stored, KEY)).toEqual({
      kind: "plain",
      value: PLAINTEXT,
      wasEncrypted: true,
      stale: false,
    });
    expect(transformer).toMatchObject({ encrypts: true, writePrefix: prefix });
  });

  it("writes the same value differently each time", async () => {
    const transformer = withProviders(keys(kind, "key-a"));

    const [one, other] = [
      await transformer.encrypt(PLAINTEXT, KEY),
      await transformer.encrypt(PLAINTEXT, KEY),
    ];

    expect(one.equals(other)).toBe(false);
  });

  it("keeps a value of no bytes", async () => {
    const transformer = withProviders(keys(kind, "key-a"));

    const stored = await transformer.encrypt(Buffer.alloc(0), KEY);

    expect(plainOf(await transformer.decrypt(stored, KEY))).toEqual(Buffer.alloc(0));
  });

  it("reads what an older key wrote and calls it stale", async () => {
    const stored = await withProviders(keys(kind, "key-a")).encrypt(PLAINTEXT, KEY);

    const rotated = withProviders(keys(kind, "key-b", "key-a"));

    expect(await rotated.decrypt(stored, KEY)).toMatchObject({ kind: "plain", stale: true });
    expect(rotated.writePrefix).toBe(`k8s:enc:${kind}:v1:key-b:`);
  });

  it("does not read what an unknown key wrote, and says which", async () => {
    const stored = await withProviders(keys(kind, "key-a")).encrypt(PLAINTEXT, KEY);

    const other = await withProviders(keys(kind, "key-b")).decrypt(stored, KEY);

    expect(other).toEqual({ kind: "unreadable", message: `no configured key fits ${prefix}` });
  });

  it.each([0, 1, 11, 15, 16, 24, 27, 31])(
    "refuses a value that was cut to %d bytes",
    async (bytes) => {
      const transformer = withProviders(keys(kind, "key-a"));
      const stored = await transformer.encrypt(PLAINTEXT, KEY);

      const read = await transformer.decrypt(stored.subarray(0, prefix.length + bytes), KEY);

      expect(read).toMatchObject({ kind: "unreadable" });
    },
  );
});

describe.each(["aesgcm", "secretbox"])("%s, which authenticates", (kind) => {
  it("refuses a value in which any byte was changed", async () => {
    const transformer = withProviders(keys(kind, "key-a"));
    const stored = await transformer.encrypt(PLAINTEXT, KEY);
    const at = `k8s:enc:${kind}:v1:key-a:`.length;

    const reads = Array.from({ length: stored.length - at }, async (_, index) => {
      const damaged = Buffer.from(stored);
      damaged[at + index] = (damaged[at + index] ?? 0) ^ 1;
      return transformer.decrypt(damaged, KEY);
    });

    expect(new Set((await Promise.all(reads)).map((read) => read.kind))).toEqual(
      new Set(["unreadable"]),
    );
  });

  it("tries all keys of one name: the first that fits need not be the one that opens", async () => {
    const [older, newer] = [keys(kind, "key-a"), keys(kind, "key-a").replaceAll("YWFh", "YmJi")];
    const stored = await withProviders(older).encrypt(PLAINTEXT, KEY);

    expect(await withProviders(newer, older).decrypt(stored, KEY)).toMatchObject({
      kind: "plain",
      stale: true,
    });
    expect(await withProviders(newer).decrypt(stored, KEY)).toMatchObject({ kind: "unreadable" });
  });
});

describe("aescbc", () => {
  it("refuses what has no padding", async () => {
    const [iv, key] = [Buffer.alloc(16), Buffer.from("a".repeat(32))];
    const cipher = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(false);
    const body = Buffer.concat([cipher.update(Buffer.alloc(32)), cipher.final()]);
    const stored = Buffer.concat([Buffer.from("k8s:enc:aescbc:v1:key-a:"), iv, body]);

    const read = await withProviders(keys("aescbc", "key-a")).decrypt(stored, KEY);

    expect(read).toMatchObject({ kind: "unreadable" });
  });
});

describe("aesgcm", () => {
  it("binds a value to its key in etcd", async () => {
    const transformer = withProviders(keys("aesgcm", "key-a"));
    const stored = await transformer.encrypt(PLAINTEXT, KEY);

    const elsewhere = await transformer.decrypt(stored, "/other/secrets/shop/password");

    expect(elsewhere).toEqual({
      kind: "unreadable",
      message: "k8s:enc:aesgcm:v1:key-a: it is damaged, or another key wrote it",
    });
  });
});

describe("identity", () => {
  it("stores and reads as it is", async () => {
    const transformer = withProviders("{identity: {}}");

    expect(transformer).toMatchObject({ encrypts: false, writePrefix: "" });
    expect(await transformer.encrypt(PLAINTEXT, KEY)).toEqual(PLAINTEXT);
    expect(await transformer.decrypt(PLAINTEXT, KEY)).toEqual({
      kind: "plain",
      value: PLAINTEXT,
      wasEncrypted: false,
      stale: false,
    });
  });

  it("never takes encrypted bytes for a value", async () => {
    const stored = Buffer.from("k8s:enc:aescbc:v1:other:xyz");

    const expected = {
      kind: "unreadable",
      message: "no configured key fits k8s:enc:aescbc:v1:other:",
    };
    expect(await withProviders("{identity: {}}").decrypt(stored, KEY)).toEqual(expected);
    expect(await PLAIN.transformer(SECRETS).decrypt(stored, KEY)).toEqual(expected);
  });

  it("in front lets those behind it read", async () => {
    const stored = await withProviders(keys("aesgcm", "key-a")).encrypt(PLAINTEXT, KEY);

    const migrating = withProviders("{identity: {}}", keys("aesgcm", "key-a"));

    expect(migrating.encrypts).toBe(false);
    expect(await migrating.decrypt(stored, KEY)).toMatchObject({ wasEncrypted: true, stale: true });
  });

  it("behind reads plain values and calls them stale", async () => {
    const transformer = withProviders(keys("aesgcm", "key-a"), "{identity: {}}");

    const read = await transformer.decrypt(PLAINTEXT, KEY);

    expect(read).toMatchObject({ kind: "plain", wasEncrypted: false, stale: true });
  });

  it("that is missing makes a plain value unreadable", async () => {
    const read = await withProviders(keys("aesgcm", "key-a")).decrypt(PLAINTEXT, KEY);

    expect(read).toEqual({
      kind: "unreadable",
      message: "it is not encrypted, and the configuration allows no plain values",
    });
  });
});

describe("a message about an unreadable value", () => {
  it("has no bytes of it, whatever they are", async () => {
    const stored = Buffer.from("k8s:enc:aescbc:v1:hunter2\n\u001b[31m:hunter2");

    const read = await withProviders("{identity: {}}").decrypt(stored, KEY);

    expect(read).toEqual({ kind: "unreadable", message: "no configured key fits" });
  });
});

describe("the providers of a resource", () => {
  const configured = encryption(
    encryptionYaml(
      ["secrets", keys("aescbc", "own")],
      ["secrets, deployments.apps", keys("aesgcm", "second")],
      ["'*.apps'", keys("aesgcm", "apps")],
      ["'*.'", keys("aesgcm", "core")],
      ["'*.*'", keys("aesgcm", "all")],
    ),
  );

  it.each([
    ["", "secrets", "k8s:enc:aescbc:v1:own:"],
    ["apps", "deployments", "k8s:enc:aesgcm:v1:second:"],
    ["apps", "daemonsets", "k8s:enc:aesgcm:v1:apps:"],
    ["", "configmaps", "k8s:enc:aesgcm:v1:core:"],
    ["", "secretstores", "k8s:enc:aesgcm:v1:core:"],
    ["example.com", "secrets", "k8s:enc:aesgcm:v1:all:"],
    ["apps.example.com", "deployments", "k8s:enc:aesgcm:v1:all:"],
  ])("are found by group %j and resource %s", (group, resource, prefix) => {
    expect(configured.transformer({ group, resource }).writePrefix).toBe(prefix);
  });

  it("of several entries are read in the order of the file", async () => {
    const second = encryption(encryptionYaml(["secrets", keys("aesgcm", "second")]));
    const stored = await second.transformer(SECRETS).encrypt(PLAINTEXT, KEY);

    expect(await configured.transformer(SECRETS).decrypt(stored, KEY)).toMatchObject({
      kind: "plain",
      stale: true,
    });
  });

  it("are identity when no entry names it", () => {
    const one = encryption(encryptionYaml(["secrets", keys("aesgcm", "a")]));

    expect(one.transformer({ group: "", resource: "configmaps" }).encrypts).toBe(false);
  });
});

describe("the fingerprint", () => {
  const of = (yaml: string) => openEncryption(entriesOf(yaml), new VirtualClock()).fingerprint;

  it("follows the content, a key's bytes included, and shows none of it", () => {
    const yaml = encryptionYaml(["secrets", keys("aesgcm", "key-a")]);

    expect(of(yaml)).toMatch(/^[0-9a-f]{16}$/);
    expect(of(`${yaml}# a comment\n`)).toBe(of(yaml));
    expect(of(yaml.replace("YWFh", "YmFh"))).not.toBe(of(yaml));
    expect(of(yaml.replace("key-a", "key-b"))).not.toBe(of(yaml));
  });
});
