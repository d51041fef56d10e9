import { beforeEach, describe, expect, it } from "vitest";
import { encryption, encryptionYaml, keys } from "../../../fixtures/encryption.js";
import { MirrorDoctorBed } from "../../../fixtures/mirror-doctor-bed.js";
import type { FakeEtcd } from "../../../fakes/fake-etcd.js";

const SECRETS = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Secret }] }
`;
const KEY = "/registry/secrets/shop/password";
const SEALED = encryptionYaml(["secrets", keys("aescbc", "a")]);
const FILES = { sourceEncryptionProviderConfig: "/s", destEncryptionProviderConfig: "/d" };

let doctor: MirrorDoctorBed;
beforeEach(() => {
  doctor = new MirrorDoctorBed();
  doctor.rules(SECRETS);
});

async function putSealed(etcd: FakeEtcd, configuration: string): Promise<void> {
  const transformer = encryption(configuration).transformer({ group: "", resource: "secrets" });
  const value = await transformer.encrypt(Buffer.from("{}"), KEY);
  await doctor.bed.write(etcd, { kind: "put", key: KEY, value });
}

describe("src-encryption and dst-encryption", () => {
  it("tells a file that is not there or not valid, and keeps what waits for it from failing too", async () => {
    doctor.files.set("/s", "kind: Nonsense\n");

    expect(await doctor.found("src-encryption", FILES)).toMatchObject({ result: "fail" });
    expect(await doctor.found("src-encrypted-values", FILES)).toMatchObject({ result: "skip" });
    expect(await doctor.found("dst-encryption", FILES)).toMatchObject({
      result: "fail",
      message: "/d: there is no such file",
    });
  });

  it("says where nothing is encrypted", async () => {
    expect(await doctor.found("src-encryption")).toEqual({
      result: "ok",
      message: "nothing is encrypted",
    });
  });
});

describe("src-encrypted-values and dst-encrypted-values", () => {
  it("opens a value of each encrypted resource", async () => {
    doctor.files.set("/s", SEALED).set("/d", SEALED);
    await putSealed(doctor.bed.source, SEALED);

    expect(await doctor.found("src-encrypted-values", FILES)).toEqual({
      result: "ok",
      message: "a value of each opens: secrets",
    });
    expect(await doctor.found("dst-encrypted-values", FILES)).toEqual({
      result: "ok",
      message: "no value to open yet",
    });
  });

  it("fails with a key that is not the API server's, and with a configuration that nobody named", async () => {
    const other = encryptionYaml(["secrets", keys("aescbc", "b")]);
    doctor.files.set("/s", SEALED).set("/d", SEALED);
    await putSealed(doctor.bed.destination, other);
    await putSealed(doctor.bed.source, SEALED);

    expect(await doctor.found("dst-encrypted-values", FILES)).toEqual({
      result: "fail",
      code: "dest-undecryptable",
      message: "secrets: no configured key fits k8s:enc:aescbc:v1:b:",
    });
    expect(await doctor.found("src-encrypted-values")).toMatchObject({
      result: "fail",
      code: "source-undecryptable",
    });
  });
});

describe("dst-plaintext", () => {
  it("fails where what rules name is encrypted in the source alone, unless that is allowed", async () => {
    doctor.files.set("/s", SEALED);
    await putSealed(doctor.bed.source, SEALED);
    const { sourceEncryptionProviderConfig } = FILES;

    expect(await doctor.found("dst-plaintext", { sourceEncryptionProviderConfig })).toMatchObject({
      result: "fail",
      code: "dest-plaintext",
      message: "encrypted in the source, and plain here: secrets; they will be owed",
    });
    const allowPlaintext = true;
    expect(
      await doctor.found("dst-plaintext", { sourceEncryptionProviderConfig, allowPlaintext }),
    ).toMatchObject({ result: "warn" });
    doctor.files.set("/d", SEALED);
    expect(await doctor.found("dst-plaintext", FILES)).toMatchObject({ result: "ok" });
  });
});
