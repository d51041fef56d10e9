/** The destination's API server as the mirror needs it: for what raw writes would break (Services), and for what only it may delete. */
import type { InjectionToken } from "tsyringe";
import type { StoredResource } from "../keys/resource.js";
import type { StoredObject } from "../wire/stored-object.js";

/** One object by its name in the API. */
export interface ApiObject {
  readonly resource: StoredResource;
  /** undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** What an apply came to. */
export type ApiApplied =
  /** It is there as wanted. `resourceVersion` is the key's mod_revision. */
  | {
      readonly kind: "applied";
      readonly uid: string;
      readonly resourceVersion: string;
      /** False: it was already equal. */
      readonly written: boolean;
    }
  /** An object without our mark has the name. */
  | { readonly kind: "occupied"; readonly detail: string }
  | { readonly kind: "no-namespace" }
  | { readonly kind: "namespace-terminating" }
  /** The server says no to this object (invalid, forbidden, webhook): a person must act. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Not now: the server is away, slow, or asked to wait. */
  | { readonly kind: "unavailable"; readonly detail: string };

/** What a removal came to. */
export type ApiRemoved =
  /** Accepted, or gone already. A Namespace may still be terminating. */
  | { readonly kind: "removed" }
  /** The uid, or the resourceVersion, is another: look again. */
  | { readonly kind: "changed" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "unavailable"; readonly detail: string };

/** What a removal is bound to. */
export interface RemovePreconditions {
  readonly uid: string;
  /** Decimal mod_revision as read; undefined: any. */
  readonly resourceVersion: string | undefined;
}

/**
 * Writes through the destination's API server. Objects carry the link's mark and the source's uid, so that one that was written
 * just before a crash is known again. Never throws but for an aborted signal.
 */
export interface ApiWriter {
  /** Makes or updates one object from the source's value; creates by POST, updates with uid and resourceVersion. */
  apply(target: ApiObject, source: StoredObject, signal: AbortSignal): Promise<ApiApplied>;
  /** Deletes exactly the object with that uid. */
  remove(target: ApiObject, only: RemovePreconditions, signal: AbortSignal): Promise<ApiRemoved>;
  /** Takes our mark off an object that is not ours any more; it stays. */
  release(target: ApiObject, only: RemovePreconditions, signal: AbortSignal): Promise<ApiRemoved>;
}
export const ApiWriter: InjectionToken<ApiWriter | undefined> = Symbol("ApiWriter");
