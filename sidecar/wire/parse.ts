/**
 * From the bytes in etcd to a StoredObject. Only the bytes decide what a value is, never its key: keys of two kinds can look
 * alike, and old servers stored as JSON what new ones store as protobuf.
 */
import { PROTOBUF_MAGIC, openEnvelope } from "./envelope.js";
import { parseJson } from "./json-meta.js";
import { readMeta } from "./object-meta.js";
import { Malformed } from "./protobuf.js";
import type { Parsed, StoredObject, UnreadableReason } from "./stored-object.js";

/** Written by encryption at rest; decrypt it first. */
const ENCRYPTED = Buffer.from("k8s:enc:", "latin1");
/** "Self-described CBOR", tag 55799. Source: apimachinery pkg/runtime/extension.go. */
const CBOR = Buffer.from([0xd9, 0xd9, 0xf7]);
const JSON_OBJECT = 0x7b;

/** Never throws. `bytes` of the result is `value` itself: whoever edits that buffer edits the object. */
export function parseStored(value: Buffer): Parsed {
  try {
    if (startsWith(value, PROTOBUF_MAGIC)) return { kind: "object", object: parseProtobuf(value) };
    if (value[0] === JSON_OBJECT) return { kind: "object", object: parseJson(value) };
  } catch (error) {
    if (error instanceof Malformed) return unreadable("malformed", error.message);
    throw error;
  }
  if (startsWith(value, ENCRYPTED)) {
    return unreadable("encrypted", "it is encrypted and was not decrypted");
  }
  if (startsWith(value, CBOR)) {
    return unreadable("cbor", "it is stored as CBOR (feature gate CBORServingAndStorage)");
  }
  return unreadable("malformed", "it begins like no value of an API server");
}

function parseProtobuf(bytes: Buffer): StoredObject {
  const { apiVersion, kind, metadata } = openEnvelope(bytes);
  return { encoding: "protobuf", apiVersion, kind, meta: readMeta(bytes, metadata), bytes };
}

function startsWith(value: Buffer, prefix: Buffer): boolean {
  return (
    value.length >= prefix.length && value.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
  );
}

function unreadable(reason: UnreadableReason, message: string): Parsed {
  return { kind: "unreadable", reason, message };
}
