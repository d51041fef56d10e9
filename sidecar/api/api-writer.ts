/** The destination's API server as the mirror needs it: for what raw writes would break (Services), and for what only it may delete. */
import type { InjectionToken } from "tsyringe";
import type { StoredResource } from "../keys/resource.js";
import type { OwnerReference, StoredObject, WireKind } from "../wire/stored-object.js";

/** One object by its name in the API. */
export interface ApiObject {
  readonly resource: StoredResource;
  /** undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** What an object is to be. */
export interface ApiWanted {
  /** The source's, as it is stored there. */
  readonly object: StoredObject;
  readonly kind: WireKind;
  /** Rewritten to uids of the destination. */
  readonly owners: readonly OwnerReference[];
  /** The object with this uid is ours although it may lack our mark: it was written raw, or is to be adopted. */
  readonly ownUid: string | undefined;
  /** resourceVersion with which the mirror left the object: with another one somebody has written it since. undefined: not known. */
  readonly leftAt: string | undefined;
  /** What becomes of what that somebody changed. */
  readonly onDrift: "repair" | "report";
  /** The source's object of which `leftAt` was made, where it is another than `object` and can still be read. */
  readonly before: () => Promise<StoredObject | undefined>;
}

/** The term in which a call is made. */
export interface ApiTerm {
  /** Ends a call that is under way. */
  readonly signal: AbortSignal;
  /** Whether a write may start now; asked in the tick in which the request goes out. */
  permit(): boolean;
}

/** Not now. */
export interface ApiUnavailable {
  readonly kind: "unavailable";
  /** No answer at all, or it does not know us: no other call will do better. False: only this object has to wait. */
  readonly isAway: boolean;
  readonly detail: string;
}

/** The server says no (invalid, forbidden, a webhook): a person must act. `detail`: codes and paths of fields, never a value. */
export interface ApiRefused {
  readonly kind: "refused";
  readonly detail: string;
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
      /** Fields that somebody else had changed and that are as wanted again: paths, never values. */
      readonly repaired: readonly string[];
    }
  /** Somebody else has changed these fields, and they stay so. */
  | { readonly kind: "drifted"; readonly fields: readonly string[] }
  /** An object without our mark has the name. */
  | { readonly kind: "occupied" }
  | { readonly kind: "no-namespace" }
  | { readonly kind: "namespace-terminating" }
  | ApiRefused
  | ApiUnavailable;

/** What a removal came to. */
export type ApiRemoved =
  /** Accepted, or gone already. A Namespace may still be terminating. */
  | { readonly kind: "removed" }
  /** The resourceVersion is another: look again. */
  | { readonly kind: "changed" }
  | ApiRefused
  | ApiUnavailable;

/** What a removal is bound to. */
export interface RemovePreconditions {
  readonly uid: string;
  /** Decimal mod_revision as read; undefined: any. */
  readonly resourceVersion: string | undefined;
}

/**
 * Writes through the destination's API server. Objects carry the link's mark and the source's uid, so that one that was written
 * just before a crash is known again. Throws nothing but the term's reason when its signal has aborted.
 */
export interface ApiWriter {
  /** Makes or updates one object from the source's value; creates by POST, updates with uid and resourceVersion. */
  apply(target: ApiObject, wanted: ApiWanted, term: ApiTerm): Promise<ApiApplied>;
  /** Deletes exactly the object with that uid; where another has the name, it is gone already. */
  remove(target: ApiObject, only: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved>;
  /** Takes our mark off an object that is not ours any more; it stays. */
  release(target: ApiObject, only: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved>;
}
export const ApiWriter: InjectionToken<ApiWriter | undefined> = Symbol("ApiWriter");
