import { inspect } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

/** What is waited for and how patiently. */
export interface WaitOptions {
  /** Completes "gave up waiting for ...": "the mirror shop/web". */
  readonly what: string;
  /** Default 15 s; one call of the probe may not take longer either. */
  readonly timeoutMs?: number;
  /** Pause between two looks, default 25 ms. */
  readonly everyMs?: number;
}

/**
 * Looks until the probe returns something else than undefined or false, and returns that. A probe that throws counts as
 * "not yet": servers come and go in these tests.
 * @throws Error that says what did not come true and what was seen last (value or error)
 */
export async function waitFor<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const { what, timeoutMs = 15_000, everyMs = 25 } = options;
  const begin = performance.now();
  const timeUp = new AbortController();
  const deadline = sleep(timeoutMs, undefined, { signal: timeUp.signal }).catch(() => {});
  let last: Seen = { kind: "nothing" };
  try {
    for (;;) {
      const seen = await Promise.race([look(probe), deadline]);
      if (seen === undefined) break;
      if (seen.kind === "value" && seen.value !== undefined && seen.value !== false) {
        return seen.value;
      }
      last = seen;
      if (performance.now() - begin + everyMs > timeoutMs) break;
      await sleep(everyMs);
    }
  } finally {
    timeUp.abort();
  }
  const cause = last.kind === "error" ? { cause: last.error } : undefined;
  throw new Error(
    `gave up waiting for ${what} after ${timeoutMs} ms; last seen: ${show(last)}`,
    cause,
  );
}

type Seen<T = unknown> =
  | { readonly kind: "nothing" }
  | { readonly kind: "value"; readonly value: T | undefined | false }
  | { readonly kind: "error"; readonly error: unknown };

async function look<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<Seen<T>> {
  try {
    return { kind: "value", value: await probe() };
  } catch (error) {
    return { kind: "error", error };
  }
}

function show(seen: Seen): string {
  switch (seen.kind) {
    case "nothing":
      return "nothing, the first look did not end";
    case "value":
      return inspect(seen.value, { depth: 6, breakLength: Number.POSITIVE_INFINITY });
    case "error":
      return String(seen.error);
  }
}
