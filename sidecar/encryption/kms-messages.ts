/** Messages of v2.KeyManagementService and the stored EncryptedObject, in proto3: what is empty is not written. */
import { bytesField, FieldReader, Malformed, VARINT, varintField } from "../wire/protobuf.js";
import type { Annotations, KmsRequest, KmsSealed } from "./kms-plugin.js";

/** How the source of the data key becomes the key. */
export const DEK_SOURCE = {
  /** It is the key. */
  aesGcmKey: 0,
  /** It is a seed; each value has a key of its own, expanded from it. */
  hkdfSeed: 1,
} as const;

/** What is stored behind the prefix. Source: apiserver pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto. */
export interface EncryptedObject extends Omit<KmsRequest, "ciphertext"> {
  readonly data: Buffer;
  readonly dekSource: Buffer;
  readonly dekSourceType: number;
}

const OBJECT = { data: 1, keyId: 2, dekSource: 3, annotations: 4, dekSourceType: 5 } as const;

/** Sources: apiserver pkg/storage/value/encrypt/envelope/kmsv2/envelope.go. */
const MAX_KEY_ID_BYTES = 1_024;
const MAX_DEK_SOURCE_BYTES = 1_024;
const MAX_ANNOTATIONS_BYTES = 32 * 1_024;

/** @throws Malformed */
export function readEncryptedObject(bytes: Buffer): EncryptedObject {
  const fields = new Fields(bytes, OBJECT.annotations);
  const dekSourceType = Number(fields.number(OBJECT.dekSourceType));
  if (dekSourceType !== DEK_SOURCE.aesGcmKey && dekSourceType !== DEK_SOURCE.hkdfSeed) {
    throw new Malformed("its data key is made in a way that is not known");
  }
  const data = fields.bytes(OBJECT.data);
  if (data.length === 0) throw new Malformed("it holds no data");
  const keyId = checkedKeyId(fields.text(OBJECT.keyId));
  const dekSource = checkedDekSource(fields.bytes(OBJECT.dekSource));
  const annotations = checkedAnnotations(fields.entries);
  return { data, keyId, dekSource, annotations, dekSourceType };
}

export function writeEncryptedObject(object: EncryptedObject): Buffer {
  return Buffer.concat([
    bytesField(OBJECT.data, object.data),
    bytesField(OBJECT.keyId, object.keyId),
    bytesField(OBJECT.dekSource, object.dekSource),
    ...annotationFields(OBJECT.annotations, object.annotations),
    ...(object.dekSourceType === 0
      ? []
      : [varintField(OBJECT.dekSourceType, object.dekSourceType)]),
  ]);
}

export interface StatusResponse {
  readonly version: string;
  readonly healthz: string;
  readonly keyId: string;
}

const STATUS = { version: 1, healthz: 2, keyId: 3 } as const;

export function readStatus(bytes: Buffer): StatusResponse {
  const fields = new Fields(bytes);
  return {
    version: fields.text(STATUS.version),
    healthz: fields.text(STATUS.healthz),
    keyId: checkedKeyId(fields.text(STATUS.keyId)),
  };
}

export function writeEncryptRequest(plain: Buffer, uid: string): Buffer {
  return Buffer.concat([bytesField(1, plain), bytesField(2, uid)]);
}

const SEALED = { ciphertext: 1, keyId: 2, annotations: 3 } as const;

/** @throws Malformed when it must not be stored */
export function readEncryptResponse(bytes: Buffer): KmsSealed {
  const fields = new Fields(bytes, SEALED.annotations);
  return {
    ciphertext: checkedDekSource(fields.bytes(SEALED.ciphertext)),
    keyId: checkedKeyId(fields.text(SEALED.keyId)),
    annotations: checkedAnnotations(fields.entries),
  };
}

export function writeDecryptRequest(request: KmsRequest, uid: string): Buffer {
  return Buffer.concat([
    bytesField(1, request.ciphertext),
    bytesField(2, uid),
    bytesField(3, request.keyId),
    ...annotationFields(4, request.annotations),
  ]);
}

export function readDecryptResponse(bytes: Buffer): Buffer {
  return new Fields(bytes).bytes(1);
}

function annotationFields(number: number, annotations: Annotations): readonly Buffer[] {
  return [...annotations].map(([key, value]) =>
    bytesField(number, [bytesField(1, key), bytesField(2, value)]),
  );
}

/** Fields of one message; the last of several with one number counts. */
class Fields {
  readonly #bytes = new Map<number, Buffer>();
  readonly #numbers = new Map<number, bigint>();
  readonly #entries = new Map<string, Buffer>();

  /** @param map number of the field that holds a map's entries */
  constructor(message: Buffer, map?: number) {
    const reader = new FieldReader(message, 0, message.length);
    while (reader.next()) {
      if (reader.wire === VARINT) this.#numbers.set(reader.number, reader.bigint());
      else if (reader.number === map) this.#addEntry(reader.content());
      else this.#bytes.set(reader.number, reader.content());
    }
  }

  get entries(): Annotations {
    return this.#entries;
  }

  bytes(number: number): Buffer {
    return this.#bytes.get(number) ?? Buffer.alloc(0);
  }

  text(number: number): string {
    return this.bytes(number).toString("utf8");
  }

  number(number: number): bigint {
    return this.#numbers.get(number) ?? 0n;
  }

  #addEntry(content: Buffer): void {
    const entry = new Fields(content);
    this.#entries.set(entry.text(1), entry.bytes(2));
  }
}

function checkedKeyId(keyId: string): string {
  const { length } = Buffer.from(keyId);
  if (length === 0 || length > MAX_KEY_ID_BYTES)
    throw new Malformed("its key id is empty or too long");
  return keyId;
}

function checkedDekSource(source: Buffer): Buffer {
  if (source.length === 0 || source.length > MAX_DEK_SOURCE_BYTES) {
    throw new Malformed("its encrypted data key is empty or too long");
  }
  return source;
}

function checkedAnnotations(annotations: Annotations): Annotations {
  const size = [...annotations].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > MAX_ANNOTATIONS_BYTES) throw new Malformed("its annotations are too long");
  return annotations;
}
