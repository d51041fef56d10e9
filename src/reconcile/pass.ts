import type { ServiceKey } from "../domain/service-key.js";
import type { WorkNote } from "../ports/work.js";
import type { WritePermit } from "./applier.js";

/** What one pass did; also the `outcome` label of `svc_ferry_reconcile_total`. */
export type Outcome = "synced" | "unchanged" | "removed" | "refused" | "held" | "nothing";

/** How one pass ended. */
export interface PassResult {
  readonly outcome: Outcome;
  /** The reason lies with the destination and nobody will tell us when it goes away: look again with the key's backoff. */
  readonly again: boolean;
}

/** One attempt at one name. */
export interface Pass {
  readonly target: ServiceKey;
  readonly note: WorkNote;
  readonly permit: WritePermit;
  /** The configuration has led for long enough to remove mirrors of routes that it does not know. */
  readonly graceOver: boolean;
}
