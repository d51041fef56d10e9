/** Edits of protobuf values: metadata is spliced, then the messages around it get their new lengths. */
import { METADATA, openEnvelope, PROTOBUF_MAGIC, UNKNOWN } from "./envelope.js";
import { compareUtf8 } from "./json-write.js";
import { entryField, mapEntry, META, ownerField } from "./object-meta.js";
import { bytesField, FieldReader, type Span, splice, varintField } from "./protobuf.js";
import { hasProtobufStatus, PROTOBUF_STATUS } from "./status-kinds.js";
import type { Edits, StoredObject } from "./stored-object.js";

const NOTHING = Buffer.alloc(0);

/** @throws Malformed */
export function editProtobuf(object: StoredObject, edits: Edits): Buffer {
  const { bytes } = object;
  const { unknown, raw, metadata } = openEnvelope(bytes);
  const changes = new Map<number, Buffer>();
  const metaChanges = changesOfMeta(bytes, metadata, edits);
  if (metaChanges.size > 0) {
    const spliced = splice(bytes, metadata ?? { start: 0, end: 0 }, metaChanges);
    changes.set(METADATA, bytesField(METADATA, spliced));
  }
  const status = newStatus(object, edits);
  if (status !== undefined) changes.set(PROTOBUF_STATUS, status);
  if (changes.size === 0) return bytes;
  const newRaw = bytesField(UNKNOWN.raw, splice(bytes, raw, changes));
  return Buffer.concat([
    PROTOBUF_MAGIC,
    ...splice(bytes, unknown, new Map([[UNKNOWN.raw, newRaw]])),
  ]);
}

function changesOfMeta(
  bytes: Buffer,
  metadata: Span | undefined,
  edits: Edits,
): ReadonlyMap<number, Buffer> {
  const changes = new Map<number, Buffer>();
  const { uid, generation, ownerReferences, finalizers, labels, annotations } = edits;
  if (uid !== undefined) changes.set(META.uid, bytesField(META.uid, uid));
  if (generation !== undefined) {
    changes.set(META.generation, varintField(META.generation, generation));
  }
  if (ownerReferences !== undefined) {
    changes.set(META.ownerReferences, Buffer.concat(ownerReferences.map(ownerField)));
  }
  if (finalizers !== undefined) {
    const fields = finalizers.map((finalizer) => bytesField(META.finalizers, finalizer));
    changes.set(META.finalizers, Buffer.concat(fields));
  }
  if (labels !== undefined) changes.set(META.labels, map(bytes, metadata, META.labels, labels));
  if (annotations !== undefined) {
    changes.set(META.annotations, map(bytes, metadata, META.annotations, annotations));
  }
  if (edits.createdAs !== undefined) {
    const created = creationTimestampOf(edits.createdAs);
    if (created.length > 0) changes.set(META.creationTimestamp, created);
  }
  if (edits.undelete === true) {
    changes.set(META.deletionTimestamp, NOTHING).set(META.deletionGracePeriodSeconds, NOTHING);
  }
  return changes;
}

/** All entries of a map, sorted by key as gogo writes them; those that stay keep their bytes. */
function map(
  bytes: Buffer,
  metadata: Span | undefined,
  number: number,
  wanted: Readonly<Record<string, string | undefined>>,
): Buffer {
  const fieldByKey = new Map<string, Buffer>();
  const reader = new FieldReader(bytes, metadata?.start ?? 0, metadata?.end ?? 0);
  while (reader.next()) {
    if (reader.number !== number) continue;
    fieldByKey.set(mapEntry(reader).key, bytes.subarray(reader.start, reader.end));
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (value === undefined) fieldByKey.delete(key);
    else fieldByKey.set(key, entryField(number, key, value));
  }
  const sorted = [...fieldByKey].toSorted(([a], [b]) => compareUtf8(a, b));
  return Buffer.concat(sorted.map(([, field]) => field));
}

/** undefined: it stays as it is. */
function newStatus(object: StoredObject, { status }: Edits): Buffer | undefined {
  if (status === undefined || !hasProtobufStatus(object)) return undefined;
  switch (status.kind) {
    case "drop":
      return NOTHING;
    case "from":
      return statusOf(object, status.value);
  }
}

function statusOf(object: StoredObject, other: StoredObject): Buffer {
  if (other.encoding !== object.encoding) return NOTHING;
  if (other.kind !== object.kind || other.apiVersion !== object.apiVersion) return NOTHING;
  return fieldsIn(other.bytes, openEnvelope(other.bytes).raw, PROTOBUF_STATUS);
}

function creationTimestampOf({ bytes, encoding }: StoredObject): Buffer {
  const metadata = encoding === "protobuf" ? openEnvelope(bytes).metadata : undefined;
  return metadata === undefined ? NOTHING : fieldsIn(bytes, metadata, META.creationTimestamp);
}

/** All fields of one number, with their tags. */
function fieldsIn(bytes: Buffer, message: Span, number: number): Buffer {
  const reader = new FieldReader(bytes, message.start, message.end);
  const fields: Buffer[] = [];
  while (reader.next()) {
    if (reader.number === number) fields.push(bytes.subarray(reader.start, reader.end));
  }
  return Buffer.concat(fields);
}
