/**
 * What one object of the source is to be in the destination. Pure: bytes in, bytes out, so that the pass, the tail, `plan` and
 * `verify` say the same.
 */
import { sameDesired } from "../wire/desired.js";
import { edit } from "../wire/edit.js";
import { parseStored } from "../wire/parse.js";
import type { Edits, OwnerReference, StoredObject, WireKind } from "../wire/stored-object.js";
import { crdStatus } from "./crd-status.js";
import { wantedFinalizers } from "./finalizers.js";

/** Part of every epoch: objects that another version made are looked at again. */
export const TRANSFORM_VERSION = 1;

export interface TransformInput {
  readonly source: StoredObject;
  /** The destination's object, if there is one. */
  readonly existing: StoredObject | undefined;
  readonly kind: WireKind;
  /** For a new object. An existing one keeps its own. */
  readonly uid: string;
  /** Rewritten to uids of the destination. */
  readonly owners: readonly OwnerReference[];
}

export type Transformed =
  /** The destination's object is as it should be. */
  | { readonly kind: "same" }
  | { readonly kind: "write"; readonly object: StoredObject }
  /** What came out cannot be read again: it is not written. */
  | { readonly kind: "unreadable"; readonly message: string };

export function transform(input: TransformInput): Transformed {
  const { source, existing, kind } = input;
  const edits = wantedEdits(input);
  const made = reread(source, edit(source, edits, kind));
  if (made.kind !== "write" || existing === undefined) return made;
  if (sameDesired(made.object, existing, kind)) return { kind: "same" };
  const { generation } = existing.meta;
  // Kinds without generations have 0 for ever; in all others it tells the destination's controllers that there is work. A status
  // of the source names the source's generation as the one that was seen.
  const keepsOwn = source.meta.generation === 0n || kind.mirrorsStatus;
  const next = keepsOwn ? undefined : generation + 1n;
  return reread(source, edit(source, { ...edits, generation: next }, kind));
}

function wantedEdits({ source, existing, kind, ...input }: TransformInput): Edits {
  const local = kind.localAnnotations.map((name) => [name, existing?.meta.annotations[name]]);
  return {
    uid: existing?.meta.uid ?? input.uid,
    ownerReferences: input.owners,
    finalizers: wantedFinalizers(source.meta.finalizers, existing?.meta.finalizers ?? []),
    annotations: existing === undefined ? undefined : Object.fromEntries(local),
    status: kind.mirrorsStatus ? undefined : wantedStatus(source, existing),
    createdAs: existing,
  };
}

/**
 * Status says what a cluster's controllers have seen, so it stays the destination's. Two kinds need more on creation, what the
 * API server would have written: a Namespace its phase (only Active ones are mirrored), a CRD its stored versions.
 */
function wantedStatus(source: StoredObject, existing: StoredObject | undefined): Edits["status"] {
  if (source.kind === "CustomResourceDefinition") {
    const value = crdStatus(source, existing);
    return value === undefined ? { kind: "drop" } : { kind: "from", value };
  }
  if (existing !== undefined) return { kind: "from", value: existing };
  return source.kind === "Namespace" && source.apiVersion === "v1" ? undefined : { kind: "drop" };
}

function reread(source: StoredObject, bytes: Buffer): Transformed {
  if (bytes === source.bytes) return { kind: "write", object: source };
  const parsed = parseStored(bytes);
  if (parsed.kind === "unreadable") return { kind: "unreadable", message: parsed.message };
  return { kind: "write", object: parsed.object };
}
