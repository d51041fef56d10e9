import type { ErrorCode } from "./errors.js";

/** Why the last attempt at a Lease failed; undefined: none failed so far. */
export type LeaseCause = ErrorCode | "no-namespace" | "unknown" | undefined;

/** The same as docs/codes.md calls it, for people: a Lease lacks but its namespace. */
export function leaseCauseCode(cause: string): string {
  return cause === "no-namespace" ? "namespace-missing" : cause;
}

/** What became of the Lease that the link holds in a destination. */
export type DestinationLeaseState =
  | { readonly kind: "held" }
  /** Another process holds the link there: a clone, or a doubled installation. Nothing is written. */
  | { readonly kind: "held-elsewhere"; readonly holder: string }
  /** Not known, therefore not ours. */
  | { readonly kind: "unknown"; readonly cause: LeaseCause };

/**
 * The second Lease: in the destination, named after the link. Who does not hold it does not write there,
 * even when it leads in the source.
 */
export interface DestinationLease {
  readonly state: DestinationLeaseState;
  /** Watches who holds it while we do not, so that a take-over need not begin to count then. Until `signal` aborts. */
  observe(signal: AbortSignal): Promise<void>;
  /** Takes and renews it until `signal` aborts, then gives it back. Never rejects. */
  hold(signal: AbortSignal): Promise<void>;
  /** Resolves when it is held, or when `signal` aborts. */
  held(signal: AbortSignal): Promise<void>;
  /** Aborts when it is no longer held. Asked anew after each `held`. */
  lost(): AbortSignal;
  permit(): boolean;
}
