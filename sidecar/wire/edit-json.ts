/** Edits of JSON values: members are exchanged in the text; numbers as spelled, order and the line end stay. */
import { isObjectAt, type JsonObject, memberOf, objectAt } from "./json-text.js";
import { goJson, type MemberChanges, rewriteObject } from "./json-write.js";
import type { Edits, OwnerReference, StoredObject, WireKind } from "./stored-object.js";

/** @throws Malformed */
export function editJson(object: StoredObject, edits: Edits, kind: WireKind): Buffer {
  const { bytes } = object;
  const root = objectAt(bytes, 0);
  const changes = new Map<string, Buffer | undefined>();
  const metadata = nested(bytes, root, "metadata");
  const metaChanges = changesOfMeta(metadata, edits);
  if (metaChanges.size > 0) changes.set("metadata", rewrite(metadata, metaChanges));
  if (edits.status !== undefined && kind.hasStatus) {
    const { status } = edits;
    changes.set("status", status.kind === "from" ? statusOf(object, status.value) : undefined);
  }
  if (changes.size === 0) return bytes;
  return Buffer.concat([rewriteObject(bytes, root, changes), bytes.subarray(root.span.end)]);
}

/** An object and the buffer that its spans are about. */
interface Nested {
  readonly bytes: Buffer;
  readonly object: JsonObject;
}

const EMPTY: Nested = { bytes: Buffer.from("{}"), object: objectAt(Buffer.from("{}"), 0) };

/** The object under a key; an empty one when there is none, or null. */
function nested(bytes: Buffer, parent: JsonObject, key: string): Nested {
  const member = memberOf(parent, key);
  if (member === undefined || !isObjectAt(bytes, member.valueStart)) return EMPTY;
  return { bytes, object: objectAt(bytes, member.valueStart) };
}

function rewrite({ bytes, object }: Nested, changes: MemberChanges): Buffer {
  return rewriteObject(bytes, object, changes);
}

function changesOfMeta(metadata: Nested, edits: Edits): MemberChanges {
  const changes = new Map<string, Buffer | undefined>();
  const { uid, generation, ownerReferences, finalizers } = edits;
  if (uid !== undefined) changes.set("uid", Buffer.from(goJson(uid)));
  if (generation !== undefined) changes.set("generation", Buffer.from(generation.toString()));
  if (ownerReferences !== undefined) {
    changes.set("ownerReferences", list(ownerReferences.map(ownerMembers)));
  }
  if (finalizers !== undefined) changes.set("finalizers", list(finalizers));
  for (const key of ["labels", "annotations"] as const) {
    const wanted = edits[key];
    if (wanted !== undefined) changes.set(key, map(metadata, key, wanted));
  }
  const created = edits.createdAs && creationTimestampOf(edits.createdAs);
  if (created !== undefined) changes.set("creationTimestamp", created);
  if (edits.undelete === true) {
    changes.set("deletionTimestamp", undefined).set("deletionGracePeriodSeconds", undefined);
  }
  return changes;
}

/** Go leaves empty lists and maps of metadata out. */
function list(elements: readonly unknown[]): Buffer | undefined {
  return elements.length === 0 ? undefined : Buffer.from(goJson(elements));
}

function map(
  metadata: Nested,
  key: string,
  wanted: Readonly<Record<string, string | undefined>>,
): Buffer | undefined {
  const texts = Object.entries(wanted).map(
    ([name, value]) =>
      [name, value === undefined ? undefined : Buffer.from(goJson(value))] as const,
  );
  const present = nested(metadata.bytes, metadata.object, key);
  const text = rewrite(present, new Map(texts));
  return objectAt(text, 0).members.length === 0 ? undefined : text;
}

/** In the order of Go's sorted maps; flags only when set. */
function ownerMembers(owner: OwnerReference): Readonly<Record<string, unknown>> {
  const { apiVersion, blockOwnerDeletion, controller, kind, name, uid } = owner;
  return { apiVersion, blockOwnerDeletion, controller, kind, name, uid };
}

function creationTimestampOf({ bytes, encoding }: StoredObject): Buffer | undefined {
  if (encoding !== "json") return undefined;
  const metadata = nested(bytes, objectAt(bytes, 0), "metadata");
  const member = memberOf(metadata.object, "creationTimestamp");
  return member && metadata.bytes.subarray(member.valueStart, member.valueEnd);
}

function statusOf(object: StoredObject, other: StoredObject): Buffer | undefined {
  if (other.kind !== object.kind || other.encoding !== object.encoding) return undefined;
  const member = memberOf(objectAt(other.bytes, 0), "status");
  return member && other.bytes.subarray(member.valueStart, member.valueEnd);
}
