/** What is paid through the API server works with: the source as it is now, and what became of the debt. */
import type { Reading } from "../view/source-view.js";

/** `away`: the API server does not answer, so the others need not be tried now. */
export type Paid = "settled" | "owed" | "away";

/** The source under one path. */
export interface SourceLook {
  readonly path: string;
  readonly reading: Reading;
  /** mod_revision; 0n: there is no such key. */
  readonly at: bigint;
  /** The source's when this was read. */
  readonly revision: bigint;
}
