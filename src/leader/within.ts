import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";

/** How long `work` may take. */
export interface Limit {
  readonly clock: Clock;
  readonly ms: number;
  /** Ends it earlier. */
  readonly parent?: AbortSignal | undefined;
}

/**
 * Runs `work` with a signal that aborts after `ms`, or with `parent`, and does not wait for it beyond that, even if it does not
 * listen: a leader whose request hangs must not hang with it.
 * @throws RetryableError FERRY-K002 then; else what `work` throws
 */
export async function within<T>(
  limit: Limit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, ms, parent } = limit;
  const cut = Promise.withResolvers<never>();
  const cutter = new AbortController();
  const ended = new AbortController();
  const abort = (): void => {
    cutter.abort();
    cut.reject(new RetryableError("FERRY-K002", "the request for the Lease took too long"));
  };
  // Nobody may be waiting for it any more when it is rejected at the end.
  cut.promise.catch(() => undefined);
  parent?.addEventListener("abort", abort, { once: true });
  if (parent?.aborted === true) abort();
  const alarm = clock.sleep(ms, ended.signal).then(abort);
  try {
    return await Promise.race([work(cutter.signal), cut.promise]);
  } finally {
    parent?.removeEventListener("abort", abort);
    ended.abort();
    await alarm;
  }
}
