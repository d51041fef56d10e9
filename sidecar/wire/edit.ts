/**
 * Changes some of a value's metadata, or its status, and nothing else: bytes are spliced, never re-encoded. Go writes empty
 * fields that other encoders leave out, and a value may hold fields that only newer servers know, so decoding and encoding
 * again would lose some and change the rest.
 */
import { editJson } from "./edit-json.js";
import { editProtobuf } from "./edit-protobuf.js";
import type { Edits, OwnerReference, StoredMeta, StoredObject, WireKind } from "./stored-object.js";

/**
 * The value with the edits made. What an edit would set to what it already is stays byte for byte as it is; without a
 * difference the result is `object.bytes` itself.
 * @throws Malformed when a part that parseStored did not look into is damaged
 */
export function edit(object: StoredObject, edits: Edits, kind: WireKind): Buffer {
  const real = withoutNoOps(object.meta, edits);
  if (Object.values(real).every((one) => one === undefined)) return object.bytes;
  switch (object.encoding) {
    case "protobuf":
      return editProtobuf(object, real);
    case "json":
      return editJson(object, real, kind);
  }
}

function withoutNoOps(meta: StoredMeta, edits: Edits): Edits {
  return {
    uid: edits.uid === meta.uid ? undefined : edits.uid,
    generation: edits.generation === meta.generation ? undefined : edits.generation,
    ownerReferences: unlessSame(edits.ownerReferences, meta.ownerReferences, sameOwner),
    finalizers: unlessSame(edits.finalizers, meta.finalizers, Object.is),
    labels: entriesThatDiffer(edits.labels, meta.labels),
    annotations: entriesThatDiffer(edits.annotations, meta.annotations),
    status: edits.status,
    createdAs: edits.createdAs,
    undelete: edits.undelete === true && meta.deleting ? true : undefined,
  };
}

function unlessSame<T>(
  wanted: readonly T[] | undefined,
  present: readonly T[],
  same: (a: T, b: T) => boolean,
): readonly T[] | undefined {
  return wanted !== undefined && sameList(wanted, present, same) ? undefined : wanted;
}

/** Element by element, in order. */
export function sameList<T>(
  a: readonly T[],
  b: readonly T[],
  same: (a: T, b: T) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  return a.every((one, at) => {
    const other = b[at];
    return other !== undefined && same(one, other);
  });
}

export function sameOwner(a: OwnerReference, b: OwnerReference): boolean {
  return (
    a.uid === b.uid &&
    a.name === b.name &&
    a.kind === b.kind &&
    a.apiVersion === b.apiVersion &&
    a.controller === b.controller &&
    a.blockOwnerDeletion === b.blockOwnerDeletion
  );
}

function entriesThatDiffer(
  wanted: Readonly<Record<string, string | undefined>> | undefined,
  present: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> | undefined {
  const different = Object.entries(wanted ?? {}).filter(([key, value]) => present[key] !== value);
  return different.length === 0 ? undefined : Object.fromEntries(different);
}
