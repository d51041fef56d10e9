/** Counts of one process, for status and metrics. */
import type { PassCause } from "../link/state.js";

export class Tally {
  put = 0;
  deleted = 0;
  ledgerOnly = 0;
  bytesWritten = 0;
  conflictsSkipped = 0;
  conflictsAdopted = 0;
  driftRepaired = 0;
  driftReported = 0;
  touched = 0;
  readonly passes = new Map<PassCause, number>();
}
