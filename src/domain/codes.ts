/**
 * Why a Service is not (or not wholly) in the destination. One vocabulary for
 * Events, logs, metrics, /status and docs/codes.md; a test compares them.
 */
export type ReasonCode =
  // The Service is not selected, and why.
  | "is-a-mirror"
  | "not-selected"
  // The mapping is refused.
  | "invalid-name"
  | "name-too-long"
  | "invalid-namespace"
  | "target-not-allowed"
  // The name is not free.
  | "name-occupied"
  | "name-taken"
  | "held-by-other-link"
  // The destination cannot take it now.
  | "no-common-ip-family"
  | "namespace-missing"
  | "namespace-terminating"
  | "rejected-by-destination"
  | "mirror-terminating"
  // Nothing is written on purpose.
  | "paused"
  | "link-held-elsewhere"
  | "mass-delete-blocked"
  | "route-gone"
  | "former-cluster"
  | "deletion-not-proven"
  // Synced, but somebody should look.
  | "foreign-endpoints"
  | "address-not-allowed"
  | "type-reduced"
  | "cluster-local-external-name"
  | "endpoints-truncated";

/** A reason with the sentence for a person: what happened, who owns it, what to do. */
export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
}
