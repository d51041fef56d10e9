/** One look at one key of the source, from wherever it came. The same rule orders them all. */
import type { KeyValue } from "../etcd/etcd.js";

/**
 * - `event`: the watch
 * - `pass`, `rescan`: a page; says what leaves, removes nothing
 * - `removal`: what a pass or a re-scan found to leave, read once more after the brake let it go
 * - `debt`: what is owed was looked at again
 */
type ObservationCause = "event" | "pass" | "rescan" | "removal" | "debt";

export interface Observation {
  readonly path: string;
  /** The source at this revision held `kv` under the path. */
  readonly revision: bigint;
  /** undefined: no such key. */
  readonly kv: KeyValue | undefined;
  readonly cause: ObservationCause;
  /** Do not trust that what we wrote is still there: compare contents. */
  readonly check?: boolean;
}

/**
 * What became of it.
 * - `ignored`: not wanted and not ours · `old`: something newer was applied · `unchanged`: as it should be, nothing written
 * - `put`, `ledger` (only the record), `removed` · `owed`: a debt · `leaves`: ours, wanted no more, see `pass`
 * - `api`: owed already, and to be written through the API server by whoever pays the debt
 */
export type Outcome =
  "ignored" | "old" | "unchanged" | "put" | "ledger" | "removed" | "owed" | "leaves" | "api";
