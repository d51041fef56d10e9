/** What is known about why a name is in the queue. Changes when and how fast we look, never what is written. */
export interface WorkNote {
  /** Monotonic ms at which the oldest change behind it was seen. */
  readonly sinceMs: number;
  /** What that change was: the label of the latency histogram. */
  readonly cause: "service" | "endpoints" | "destination" | "sweep";
  /** The watch of this process saw the source stop wanting the name: a deletion needs no sweep's leave. */
  readonly unmapped?: boolean;
  /** A sweep counted this deletion and its brake let it pass. */
  readonly swept?: boolean;
  /** A sweep's brake holds this deletion: find out whether the source really has no more use for it, and delete nothing. */
  readonly doubted?: boolean;
}

/** The oldest time counts, a permission once given stays. */
export function mergeNotes(older: WorkNote, newer: WorkNote): WorkNote {
  const first = older.cause === "sweep" ? newer : older;
  return {
    sinceMs: first.sinceMs,
    cause: first.cause,
    ...(older.unmapped === true || newer.unmapped === true ? { unmapped: true } : {}),
    ...(older.swept === true || newer.swept === true ? { swept: true } : {}),
    ...(older.doubted === true || newer.doubted === true ? { doubted: true } : {}),
  };
}
