import { createCipheriv } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { openEncryption } from "../../../../sidecar/encryption/encryption.js";
import { writeEncryptedObject } from "../../../../sidecar/encryption/kms-messages.js";
import type { Encryption, ValueTransformer } from "../../../../sidecar/encryption/transformer.js";
import { EncryptionUnavailable } from "../../../../sidecar/encryption/transformer.js";
import { MemoryKms } from "../../../fakes/memory-kms.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { encryptionYaml, entriesOf, plainOf } from "../../../fixtures/encryption.js";

const KEY = "/registry/secrets/shop/password";
const PLAIN = Buffer.from("k8s\0 a value");
const PREFIX = "k8s:enc:kms:v2:plugin:";
const YAML = encryptionYaml([
  "secrets, configmaps",
  "{kms: {apiVersion: v2, name: plugin, endpoint: 'unix:///run/kms.sock'}}",
]);

let kms: MemoryKms;
let clock: VirtualClock;
let encryption: Encryption;
let secrets: ValueTransformer;

/** Another process with the same plugin. */
function restarted(): ValueTransformer {
  return openEncryption(entriesOf(YAML), clock, () => kms).transformer({
    group: "",
    resource: "secrets",
  });
}

/** A value whose seed the plugin knows; nothing sensible is in it. */
function sealedWith(source: string): Buffer {
  const dekSource = Buffer.from(source);
  const object = { keyId: "key-1", annotations: new Map<string, Buffer>() };
  kms.remember({ ...object, ciphertext: dekSource }, Buffer.alloc(32));
  const data = Buffer.alloc(99);
  const message = writeEncryptedObject({ ...object, data, dekSource, dekSourceType: 1 });
  return Buffer.concat([Buffer.from(PREFIX), message]);
}

beforeEach(() => {
  kms = new MemoryKms();
  clock = new VirtualClock();
  encryption = openEncryption(entriesOf(YAML), clock, () => kms);
  secrets = encryption.transformer({ group: "", resource: "secrets" });
});

describe("kms v2", () => {
  it("gives back what it took", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);

    expect(stored.toString("latin1").startsWith(PREFIX)).toBe(true);
    expect(await secrets.decrypt(stored, KEY)).toEqual({
      kind: "plain",
      value: PLAIN,
      wasEncrypted: true,
      stale: false,
    });
  });

  it("asks the plugin once for a seed, however many values of however many resources are written", async () => {
    const configmaps = encryption.transformer({ group: "", resource: "configmaps" });

    await Promise.all([
      secrets.encrypt(PLAIN, KEY),
      configmaps.encrypt(PLAIN, "k"),
      secrets.encrypt(PLAIN, KEY),
    ]);

    expect(kms.calls).toEqual(["status", "seal"]);
  });

  it("asks once for a seed that it did not make, however many values are read", async () => {
    const stored = [await secrets.encrypt(PLAIN, KEY), await secrets.encrypt(PLAIN, KEY)];
    const other = restarted();
    kms.calls.length = 0;

    await Promise.all(stored.map(async (one) => other.decrypt(one, KEY)));

    expect(kms.calls.toSorted()).toEqual(["open", "status"]);
  });

  it("makes a new seed when the plugin has another key, which it notices within a minute", async () => {
    const before = await secrets.encrypt(PLAIN, KEY);
    kms.keyId = "key-2";
    const soon = await secrets.encrypt(PLAIN, KEY);

    await clock.advance(60_000);
    const later = await secrets.encrypt(PLAIN, KEY);

    expect(kms.calls).toEqual(["status", "seal", "status", "seal"]);
    expect([soon.includes("key-1"), later.includes("key-2")]).toEqual([true, true]);
    expect(await secrets.decrypt(before, KEY)).toMatchObject({ kind: "plain", stale: true });
    expect(await secrets.decrypt(later, KEY)).toMatchObject({ kind: "plain", stale: false });
  });

  it("binds a value to its key in etcd", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);

    expect(await secrets.decrypt(stored, "/registry/secrets/shop/other")).toMatchObject({
      kind: "unreadable",
    });
  });

  it("reads what API servers before 1.29 wrote: the key itself instead of a seed", async () => {
    const [key, nonce] = [Buffer.alloc(32, "k"), Buffer.alloc(12, "n")];
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(KEY));
    const data = Buffer.concat([nonce, cipher.update(PLAIN), cipher.final(), cipher.getAuthTag()]);
    const request = {
      ciphertext: Buffer.from("old"),
      keyId: "key-1",
      annotations: new Map<string, Buffer>(),
    };
    kms.remember(request, key);
    const { keyId, annotations } = request;
    const object = { data, keyId, annotations, dekSource: request.ciphertext, dekSourceType: 0 };

    const read = await secrets.decrypt(
      Buffer.concat([Buffer.from(PREFIX), writeEncryptedObject(object)]),
      KEY,
    );

    expect(plainOf(read)).toEqual(PLAIN);
    expect(read).toMatchObject({ stale: true });
  });

  it("refuses a value in which any byte was changed, and never fails otherwise", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);

    const reads = Array.from({ length: stored.length - PREFIX.length }, async (_, index) => {
      const damaged = Buffer.from(stored);
      damaged[PREFIX.length + index] = (damaged[PREFIX.length + index] ?? 0) ^ 1;
      return secrets.decrypt(damaged, KEY);
    });

    expect(new Set((await Promise.all(reads)).map(({ kind }) => kind))).toEqual(
      new Set(["unreadable"]),
    );
  });

  it("asks again for a seed that could not be had", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);
    const other = restarted();
    kms.down = true;
    await expect(other.decrypt(stored, KEY)).rejects.toBeInstanceOf(EncryptionUnavailable);

    kms.down = false;

    expect(plainOf(await other.decrypt(stored, KEY))).toEqual(PLAIN);
  });

  it("asks for a seed again when the plugin would not seal the last one", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);
    kms.keyId = "key-2";
    await clock.advance(60_000);
    await secrets.decrypt(stored, KEY);
    kms.down = true;
    await expect(secrets.encrypt(PLAIN, KEY)).rejects.toBeInstanceOf(EncryptionUnavailable);

    kms.down = false;

    expect((await secrets.encrypt(PLAIN, KEY)).includes("key-2")).toBe(true);
  });

  it("asks a plugin that is down every 10 s, not with every value", async () => {
    await secrets.encrypt(PLAIN, KEY);
    kms.down = true;
    await clock.advance(60_000);
    kms.calls.length = 0;

    await secrets.encrypt(PLAIN, KEY);
    await secrets.encrypt(PLAIN, KEY);
    await clock.advance(10_000);
    await secrets.encrypt(PLAIN, KEY);

    expect(kms.calls).toEqual(["status", "status"]);
  });

  it("remembers the 1,000 seeds that were used last", async () => {
    const read = async (index: number) => secrets.decrypt(sealedWith(`seed ${index}`), KEY);
    await read(0);
    await read(1);
    await read(0);
    for (let index = 2; index <= 1_000; index++) await read(index);
    kms.calls.length = 0;

    await read(0);
    await read(1);

    expect(kms.calls.filter((call) => call === "open")).toEqual(["open"]);
  });

  it.each([
    ["no", ""],
    ["an endless", "x".repeat(1_025)],
  ])("does not ask the plugin about %s encrypted seed", async (_, source) => {
    expect(await secrets.decrypt(sealedWith(source), KEY)).toMatchObject({ kind: "unreadable" });
    expect(kms.calls).toEqual([]);
  });

  it("cannot write while the plugin was never reached, and can as soon as it is", async () => {
    kms.down = true;
    await expect(secrets.encrypt(PLAIN, KEY)).rejects.toBeInstanceOf(EncryptionUnavailable);

    kms.down = false;

    await expect(secrets.encrypt(PLAIN, KEY)).resolves.toBeInstanceOf(Buffer);
  });

  it("goes on with its seed for 3 minutes while the plugin is down, then writes no more", async () => {
    await secrets.encrypt(PLAIN, KEY);
    kms.down = true;

    await clock.advance(179_000);
    await expect(secrets.encrypt(PLAIN, KEY)).resolves.toBeInstanceOf(Buffer);
    await clock.advance(11_000);
    await expect(secrets.encrypt(PLAIN, KEY)).rejects.toBeInstanceOf(EncryptionUnavailable);
  });

  it("reads with a seed that it knows while the plugin is down, and calls the value stale", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);
    await secrets.decrypt(stored, KEY);
    kms.down = true;
    await clock.advance(600_000);

    expect(await secrets.decrypt(stored, KEY)).toMatchObject({ kind: "plain", stale: true });
  });

  it("does not wait for a plugin that is down with every value that it reads", async () => {
    const stored = await secrets.encrypt(PLAIN, KEY);
    await secrets.decrypt(stored, KEY);
    kms.down = true;
    await clock.advance(600_000);
    kms.calls.length = 0;

    await secrets.decrypt(stored, KEY);
    await secrets.decrypt(stored, KEY);
    await clock.advance(10_000);
    await secrets.decrypt(stored, KEY);

    expect(kms.calls.filter((call) => call === "status")).toEqual(["status", "status"]);
  });

  it("closes the plugin's connection", () => {
    encryption.close();

    expect(kms.closed).toBe(true);
  });
});
