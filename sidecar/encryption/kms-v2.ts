/**
 * The provider `kms` v2: values are encrypted with keys made from a seed of this process, the seed is encrypted by the
 * plugin and stored beside each value. So the plugin is asked once per seed, not once per value.
 *
 * Source: apiserver pkg/storage/value/encrypt/envelope/kmsv2/envelope.go and .../encrypt/aes/aes_extended_nonce.go.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../../src/ports/clock.js";
import { Malformed } from "../wire/protobuf.js";
import { aesGcm } from "./ciphers.js";
import {
  DEK_SOURCE,
  type EncryptedObject,
  readEncryptedObject,
  writeEncryptedObject,
} from "./kms-messages.js";
import type { KmsPlugin } from "./kms-plugin.js";
import { KmsWriter } from "./kms-writer.js";
import { DoesNotOpen, type Opened, type Opener } from "./opener.js";

export interface KmsV2Options {
  readonly name: string;
  readonly plugin: KmsPlugin;
  readonly clock: Clock;
}

/** The key of AES-256, the seed, and the part of the data that makes each value's key its own: 32 bytes each. */
const KEY_BYTES = 32;

/**
 * Seeds and keys that were decrypted, at most. Each API server start and each change of the KMS key makes one, so a cluster
 * has few; the bound is for one whose values were never rewritten.
 */
const MAX_SOURCES = 1_000;

export class KmsV2 implements Opener {
  readonly prefix: string;
  readonly #writer: KmsWriter;
  /** Digest of an encrypted seed or key -> the plain one; the longest unused first. */
  readonly #sources = new Map<string, Promise<Buffer>>();

  constructor(private readonly options: KmsV2Options) {
    this.prefix = `k8s:enc:kms:v2:${options.name}:`;
    this.#writer = new KmsWriter(options.plugin, options.clock);
  }

  async open(payload: Buffer, authenticated: Buffer): Promise<Opened> {
    const object = readObject(payload);
    const source = await this.#source(object);
    const isSeed = object.dekSourceType === DEK_SOURCE.hkdfSeed;
    const value = isSeed
      ? openWithSeed(source, object.data, authenticated)
      : cipherOf(source).open(object.data, authenticated);
    // Of a plugin that does not say which key is its current one nothing counts as new.
    return { value, stale: !isSeed || object.keyId !== (await this.#writer.knownKeyId()) };
  }

  async seal(plain: Buffer, authenticated: Buffer): Promise<Buffer> {
    const { seed, sealed } = await this.#writer.current();
    const info = randomBytes(KEY_BYTES);
    const data = aesGcm(expanded(seed, info)).seal(plain, authenticated);
    return writeEncryptedObject({
      data: Buffer.concat([info, data]),
      keyId: sealed.keyId,
      dekSource: sealed.ciphertext,
      annotations: sealed.annotations,
      dekSourceType: DEK_SOURCE.hkdfSeed,
    });
  }

  /** Asked for once, however many values of it are read at the same time; a failure is not kept. */
  async #source(object: EncryptedObject): Promise<Buffer> {
    const id = sourceId(object);
    const known = this.#sources.get(id) ?? this.#ask(object);
    this.#sources.delete(id);
    this.#sources.set(id, known);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > MAX_SOURCES && oldest !== undefined) this.#sources.delete(oldest);
    try {
      return await known;
    } catch (error) {
      if (this.#sources.get(id) === known) this.#sources.delete(id);
      throw error;
    }
  }

  async #ask({ dekSource: ciphertext, keyId, annotations }: EncryptedObject): Promise<Buffer> {
    return this.options.plugin.open({ ciphertext, keyId, annotations });
  }
}

function readObject(payload: Buffer): EncryptedObject {
  try {
    return readEncryptedObject(payload);
  } catch (error) {
    if (error instanceof Malformed) throw new DoesNotOpen(error.message);
    throw error;
  }
}

function openWithSeed(seed: Buffer, data: Buffer, authenticated: Buffer): Buffer {
  if (seed.length !== KEY_BYTES) throw new DoesNotOpen("its seed has a wrong length");
  if (data.length < KEY_BYTES) throw new DoesNotOpen("it is too short");
  const key = expanded(seed, data.subarray(0, KEY_BYTES));
  return aesGcm(key).open(data.subarray(KEY_BYTES), authenticated);
}

function cipherOf(key: Buffer): ReturnType<typeof aesGcm> {
  if (![16, 24, KEY_BYTES].includes(key.length))
    throw new DoesNotOpen("its key has a wrong length");
  return aesGcm(key);
}

/** HKDF-Expand (RFC 5869) of one block, without Extract: node's `hkdf` always extracts first. */
function expanded(seed: Buffer, info: Buffer): Buffer {
  return createHmac("sha256", seed)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
}

/** Everything that the plugin is handed, each part with its length. */
function sourceId({ dekSource, dekSourceType, keyId, annotations }: EncryptedObject): string {
  const hash = createHash("sha256");
  const parts = [Buffer.from(keyId), dekSource];
  for (const [key, value] of annotations) parts.push(Buffer.from(key), value);
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.update(String(dekSourceType)).digest("base64");
}
