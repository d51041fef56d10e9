import type { InjectionToken } from "tsyringe";
import type { AdmissionReview } from "./admission-review.js";
import type { PatchOperation } from "./mutator.js";

/** Keys in the API server's audit log, there behind the webhook's name. */
type AuditKey = "change-id" | "code" | "target";

/** What every answer may carry beside its decision. */
interface Remarks {
  /** For the person at kubectl. Shown: three at most, 120 characters each, harmless ones. */
  readonly warnings?: readonly string[];
  readonly audit?: Readonly<Partial<Record<AuditKey, string>>>;
}

/** The change may go on. */
export interface Allowed extends Remarks {
  readonly kind: "allowed";
}

/** Without operations, or for a deletion, the same as allowed: the API server refuses an empty patch. */
export interface Patched extends Remarks {
  readonly kind: "patched";
  readonly patch: readonly PatchOperation[];
}

/** 403 for the person: what happened, who owns it, how to fix it. */
export interface Refused extends Remarks {
  readonly kind: "refused";
  /** Of docs/codes.md. */
  readonly code: string;
  readonly message: string;
  /** Path of the field to change: `metadata.annotations[svc-ferry.io/target-name]`. */
  readonly field: string;
}

/** What an entry can say. */
export type Answer = Allowed | Patched | Refused;

/**
 * Whether the API server was answered without the handler. As an AbortSignal says it, but nobody waits for it: making one takes as
 * long as signing a stamp.
 */
export interface Lateness {
  readonly aborted: boolean;
}

/**
 * Decides about one review, from memory.
 *
 * Nothing may be promised to anybody once `late` says so. An error counts as "cannot tell": the change is allowed with a
 * warning, see ask.ts.
 */
export type AdmissionHandler<A extends Answer> = (
  review: AdmissionReview,
  late: Lateness,
) => A | Promise<A>;

/** Who decides at the two entries. A mutating one never refuses; a validating one must not patch. */
export interface AdmissionHandlers {
  /** Which annotations beside ours the rules read. */
  readonly keepAnnotation: (key: string) => boolean;
  readonly mutate: AdmissionHandler<Allowed | Patched>;
  readonly validate: AdmissionHandler<Allowed | Refused>;
}
export const AdmissionHandlers: InjectionToken<AdmissionHandlers> = Symbol("AdmissionHandlers");
