/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** What to abort with where that happens often: without a reason of ours each abort makes an exception, with its stack. */
export const OVER = "over";
