import type { Clock } from "../ports/clock.js";

/** What runs is told to stop after `ms`; `onLimit` makes the error that is thrown then. */
export async function withTimeLimit<T>(
  clock: Clock,
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  onLimit: (cause: unknown) => Error,
): Promise<T> {
  const ended = new AbortController();
  const late = new AbortController();
  const limit = clock.sleep(ms, ended.signal).then(() => {
    if (!ended.signal.aborted) late.abort();
  });
  try {
    return await run(late.signal);
  } catch (error) {
    throw late.signal.aborted ? onLimit(error) : error;
  } finally {
    ended.abort();
    await limit;
  }
}
