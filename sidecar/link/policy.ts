/** What the operator decided about one link. Defaults are the careful ones. */
export interface LinkPolicy {
  /** A key of the destination that is not ours has the name. `fail` refuses to start, and never stops a running tail. */
  readonly onConflict: "skip" | "adopt" | "fail";
  /** Somebody changed what is ours. */
  readonly onDrift: "repair" | "report";
  /** What was encrypted may be stored in plain text. */
  readonly allowPlaintext: boolean;
  /** The brake lets everything through. */
  readonly allowMassDelete: boolean;
  /** Namespaces and CRDs that left the rules. */
  readonly deleteNamespaces: "never" | "empty";
  /** Objects of the destination that this link's ledger *in the source* calls its own are adopted: the reverse direction. */
  readonly adoptFromLink: string | undefined;
  /** The destination is another cluster than the link knows, and that is meant so. */
  readonly acceptNewDestination: boolean;
  /** No API server runs there: several objects may share a transaction, as long as etcd agrees. */
  readonly destinationIsCold: boolean;
  /** undefined: as fast as it goes. */
  readonly maxWritesPerSecond: number | undefined;
  /** Operations of one bulk transaction; undefined: etcd's own default, 128. */
  readonly maxTxnOps?: number;
  /** Between two passes that compare everything, ms; undefined: a day. */
  readonly verifyEveryMs?: number;
}

/** 2,000 writes per second keep the watch caches of live API servers useful. */
export const DEFAULT_POLICY: LinkPolicy = Object.freeze({
  onConflict: "skip",
  onDrift: "repair",
  allowPlaintext: false,
  allowMassDelete: false,
  deleteNamespaces: "empty",
  adoptFromLink: undefined,
  acceptNewDestination: false,
  destinationIsCold: false,
  maxWritesPerSecond: 2_000,
});
