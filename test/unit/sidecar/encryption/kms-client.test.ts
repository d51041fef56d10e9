import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KmsClient } from "../../../../sidecar/encryption/kms-client.js";
import { DoesNotOpen } from "../../../../sidecar/encryption/opener.js";
import { EncryptionUnavailable } from "../../../../sidecar/encryption/transformer.js";
import { SystemClock } from "../../../../src/runtime/system-clock.js";
import { type KmsServer, startKmsServer } from "../../../harness/kms-server.js";

let server: KmsServer;
let client: KmsClient;

function clientOf(socket: string, timeoutMs = 10_000): KmsClient {
  return new KmsClient({ name: "plugin", socket, timeoutMs, clock: new SystemClock() });
}

beforeEach(async () => {
  server = await startKmsServer();
  client = clientOf(server.socket);
});
afterEach(() => {
  client.close();
  server.stop();
});

const REQUEST = {
  ciphertext: Buffer.from("abc"),
  keyId: "k",
  annotations: new Map<string, Buffer>(),
};

describe("a KMS plugin behind a socket", () => {
  it("is asked for its key, seals, and opens what it sealed", async () => {
    const plain = Buffer.from("seed");

    const sealed = await client.seal(plain);

    expect(await client.status()).toEqual({ keyId: "key-1" });
    expect(sealed.keyId).toBe("key-1");
    expect([...sealed.annotations]).toEqual([["local-kek.kms.example.com", Buffer.from("key-1")]]);
    expect(sealed.ciphertext.equals(plain)).toBe(false);
    expect(await client.open(sealed)).toEqual(plain);
    expect(server.calls).toEqual({ Status: 1, Encrypt: 1, Decrypt: 1 });
  });

  it("is unavailable while it says that it is not well", async () => {
    server.healthz = "my KMS is out of reach";

    await expect(client.status()).rejects.toThrow(
      new EncryptionUnavailable("the KMS plugin plugin says that it is not well"),
    );
  });

  it("is unavailable when its answer must not be used", async () => {
    server.keyId = "";

    await expect(client.seal(Buffer.from("seed"))).rejects.toThrow(EncryptionUnavailable);
  });

  it.each([status.UNKNOWN, status.INTERNAL, status.UNAVAILABLE, status.UNIMPLEMENTED])(
    "is unavailable when it answers with code %d",
    async (code) => {
      server.failure = code;

      await expect(client.open(REQUEST)).rejects.toThrow(EncryptionUnavailable);
    },
  );

  it("refuses for good with the codes that say so, but only in opening", async () => {
    server.failure = status.INVALID_ARGUMENT;

    await expect(client.open(REQUEST)).rejects.toThrow(
      new DoesNotOpen("the KMS plugin plugin answered Decrypt with INVALID_ARGUMENT"),
    );
    await expect(client.status()).rejects.toThrow(EncryptionUnavailable);
  });

  it("is unavailable when it does not answer in time", async () => {
    server.silent = true;
    const impatient = clientOf(server.socket, 50);

    await expect(impatient.status()).rejects.toThrow("answered Status with DEADLINE_EXCEEDED");
    impatient.close();
  });

  it("is unavailable once its keys were exchanged for others, to a value that was being read with it", async () => {
    client.close();

    await expect(client.open(REQUEST)).rejects.toThrow(EncryptionUnavailable);
  });

  it("is unavailable when nobody listens", async () => {
    const lost = clientOf(`${server.socket}.none`);

    await expect(lost.status()).rejects.toThrow(EncryptionUnavailable);
    lost.close();
  });
});
