import type { LeaveKind } from "../domain/leave.js";

/** What `svc-ferry leave` is asked for. */
export interface LeaveQuestion {
  readonly kind: LeaveKind;
  /** undefined: the only one that is there. */
  readonly link: string | undefined;
  /** Where to look; empty: everywhere. */
  readonly namespaces: readonly string[];
  /** False: only say what would be done. */
  readonly isMeant: boolean;
}

/** What became of it. */
export interface LeaveReport {
  readonly kind: "left";
  readonly link: string;
  /** Mirrors that were found. */
  readonly mirrors: number;
  /** What was done, or would be: "patch endpoints prod/web". */
  readonly writes: readonly string[];
  /** What could not be done, and what to do about it. */
  readonly troubles: readonly string[];
  /** Who holds the link's Lease now, when it was only asked. */
  readonly holder?: string | undefined;
}
