/** How long the API server waits for an answer. */

/** What admissionregistration.k8s.io/v1 sets when `timeoutSeconds` is not given. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** The longest `timeoutSeconds` there is. */
const MAX_TIMEOUT_MS = 30_000;
/** For the answer's way back, and because what is asked is the rest of a longer time, rounded up to whole seconds. */
const RESERVE_MS = 500;

/** Go's time.Duration as text, as far as a time-out needs it: "2s", "1m30s", "500ms". */
const DURATION = /^(?:(\d{1,3})m)?(?:(\d{1,5}(?:\.\d{1,9})?)s)?(?:(\d{1,6})ms)?$/;

/**
 * Ms from a request's arrival within which it is answered, from its `?timeout=`: half a second less than that, or half of a
 * short one. What cannot be read counts as not given.
 */
export function answerWithinMs(timeout: unknown): number {
  const [, minutes = "0", seconds = "0", milliseconds = "0"] =
    (typeof timeout === "string" && DURATION.exec(timeout)) || [];
  const toldMs = Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(milliseconds);
  const timeoutMs = Math.min(toldMs > 0 ? toldMs : DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  return Math.max(timeoutMs - RESERVE_MS, timeoutMs / 2);
}
