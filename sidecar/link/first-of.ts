/**
 * Runs everything side by side until the first one ends, then ends the others and waits for them.
 * @returns what the first one returned. @throws what the first one threw
 */
export async function firstOf<T>(
  parent: AbortSignal,
  parts: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort(parent.reason);
  if (parent.aborted) stop();
  parent.addEventListener("abort", stop, { once: true });
  const running = parts.map((part) => part(end.signal));
  try {
    return await Promise.race(running);
  } finally {
    parent.removeEventListener("abort", stop);
    end.abort();
    // They were told to end; why each did is of no interest any more.
    await Promise.allSettled(running);
  }
}

/** Rejects with the reason when `signal` aborts; within firstOf the part's own signal must be among what it waits for. */
export async function aborted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  throw signal.reason;
}
