/** What stands in a stored value, read without a schema. The bytes are never re-encoded: see edit.ts. */

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean | undefined;
  readonly blockOwnerDeletion: boolean | undefined;
}

export interface StoredMeta {
  readonly name: string;
  /** "" for cluster-scoped objects. */
  readonly namespace: string;
  readonly uid: string;
  readonly generation: bigint;
  /** A deletionTimestamp is set. */
  readonly deleting: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers: readonly string[];
}

type StoredEncoding = "protobuf" | "json";

export interface StoredObject {
  readonly encoding: StoredEncoding;
  /** As stored: "v1", "autoscaling/v2". */
  readonly apiVersion: string;
  readonly kind: string;
  readonly meta: StoredMeta;
  /** The whole value as it was read, decrypted. */
  readonly bytes: Buffer;
}

/** Why a value is not understood; it is never written then. */
export type UnreadableReason = "cbor" | "encrypted" | "malformed";

export type Parsed =
  | { readonly kind: "object"; readonly object: StoredObject }
  | { readonly kind: "unreadable"; readonly reason: UnreadableReason; readonly message: string };

/**
 * What to change in a value. A field that is undefined is left byte for byte as it is. Always done: nothing.
 * Unknown fields, order and encoding of all else stay.
 */
export interface Edits {
  readonly uid?: string | undefined;
  readonly generation?: bigint | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly finalizers?: readonly string[] | undefined;
  /** Sets a key, or removes it (undefined). */
  readonly annotations?: Readonly<Record<string, string | undefined>> | undefined;
  readonly labels?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * `drop`: no status; `from`: the status of that value, byte for byte, or none if it has none or is of another kind or encoding,
   * in protobuf also of another version, where the same numbers are other fields (the destination's controllers write it anew
   * then).
   */
  readonly status?:
    { readonly kind: "drop" } | { readonly kind: "from"; readonly value: StoredObject } | undefined;
  /** The creationTimestamp of that value, byte for byte. Stays as it is if that one has none or is of another encoding. */
  readonly createdAs?: StoredObject | undefined;
  /** Removes deletionTimestamp and deletionGracePeriodSeconds. */
  readonly undelete?: boolean | undefined;
}

/** What decides how one kind's values are compared and edited. */
export interface WireKind {
  readonly apiVersion: string;
  /**
   * At which API servers may store today what lies in the source as `apiVersion`: each write of the destination's controllers does, and
   * an object that is the same but for that needs no write. An older one does: it has to be gone before a CRD can drop it.
   */
  readonly newerVersions: readonly string[];
  readonly kind: string;
  /** JSON objects: top-level `status` is a status subresource (CRDs may have none). Protobuf: by the table of kinds. */
  readonly hasStatus: boolean;
  /** The rule wants the source's status (`status: mirror`): it is compared as everything else is. */
  readonly mirrorsStatus: boolean;
  /** Annotations that the destination's own controllers write on this kind: never compared, kept on update. */
  readonly localAnnotations: readonly string[];
}
