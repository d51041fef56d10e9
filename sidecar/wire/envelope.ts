/**
 * The envelope of a protobuf value: `k8s\0`, then one runtime.Unknown that holds the kind and, as bytes, the object.
 *
 * Source: apimachinery pkg/runtime/generated.proto and pkg/runtime/serializer/protobuf/protobuf.go. In every message of
 * k8s.io/api that is stored, `metadata` is field 1 (all 179 of v0.37.0-beta.0 were looked through), so labels and the like
 * need no schema of the kind.
 */
import { FieldReader, Malformed, type Span } from "./protobuf.js";

/** "k8s" and the encoding style, of which only 0 is defined. */
export const PROTOBUF_MAGIC = Buffer.from("k8s\0", "latin1");

/** runtime.Unknown: field numbers. */
export const UNKNOWN = { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 } as const;
/** Field number of ObjectMeta in every object. */
export const METADATA = 1;
/** runtime.TypeMeta: field numbers. */
const TYPE_META = { apiVersion: 1, kind: 2 } as const;

/** Where the parts of a value are. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** runtime.Unknown, behind the magic. */
  readonly unknown: Span;
  /** The object's message. */
  readonly raw: Span;
  /** Its ObjectMeta; undefined when the object has none (no stored kind lacks it). */
  readonly metadata: Span | undefined;
}

/**
 * Takes a value apart that begins with PROTOBUF_MAGIC.
 * @throws Malformed also where Go would merge: a second `raw`, kind or `metadata` leaves open which of them an edit is about
 */
export function openEnvelope(bytes: Buffer): Envelope {
  const unknown = { start: PROTOBUF_MAGIC.length, end: bytes.length };
  const reader = new FieldReader(bytes, unknown.start, unknown.end);
  let type: TypeMeta | undefined;
  let raw: Span | undefined;
  while (reader.next()) {
    switch (reader.number) {
      case UNKNOWN.typeMeta:
        if (type !== undefined) throw new Malformed("the kind is said twice");
        type = typeMeta(reader.message());
        break;
      case UNKNOWN.raw:
        if (raw !== undefined) throw new Malformed("two objects are in it");
        raw = reader.span();
        break;
      case UNKNOWN.contentEncoding:
        if (reader.text() !== "") throw new Malformed("its content has an encoding of its own");
        break;
      case UNKNOWN.contentType:
        reader.span();
        break;
    }
  }
  if (type === undefined || raw === undefined) throw new Malformed("it has no kind or no object");
  return { ...type, unknown, raw, metadata: metadataIn(bytes, raw) };
}

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

function typeMeta(reader: FieldReader): TypeMeta {
  let apiVersion = "";
  let kind = "";
  while (reader.next()) {
    if (reader.number === TYPE_META.apiVersion) apiVersion = reader.text();
    else if (reader.number === TYPE_META.kind) kind = reader.text();
  }
  if (apiVersion === "" || kind === "") throw new Malformed("its kind is empty");
  return { apiVersion, kind };
}

/** Walks all fields of the object, so that what is cut off anywhere at this level is noticed. */
function metadataIn(bytes: Buffer, raw: Span): Span | undefined {
  const reader = new FieldReader(bytes, raw.start, raw.end);
  let metadata: Span | undefined;
  while (reader.next()) {
    if (reader.number !== METADATA) continue;
    if (metadata !== undefined) throw new Malformed("it has two metadata");
    metadata = reader.span();
  }
  return metadata;
}
