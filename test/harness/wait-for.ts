import { inspect } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

/** What is waited for and how patiently. */
export interface WaitOptions {
  /** Completes "gave up waiting for ...": "the mirror shop/web". */
  readonly what: string;
  /** Default 45 s, which only who fails waits for; one call of the probe may not take longer either. */
  readonly timeoutMs?: number;
  /** Pause between two looks. Default: a twentieth of the time that has passed, 25 ms at least and 100 ms at most. */
  readonly everyMs?: number;
}

/** Each look costs a server about as much as a write: a wait of seconds that looks all the time slows what it waits for. */
const DEFAULT_PAUSE = { leastMs: 25, mostMs: 100, share: 1 / 20 };

/**
 * Looks until the probe returns something else than undefined or false, and returns that. A probe that throws counts as
 * "not yet": servers come and go in these tests.
 * @throws Error that says what did not come true and what was seen last (value or error)
 */
export async function waitFor<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const { what, timeoutMs = 45_000, everyMs } = options;
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
      const passedMs = performance.now() - begin;
      const pauseMs = everyMs ?? defaultPauseMs(passedMs);
      if (passedMs + pauseMs > timeoutMs) break;
      await sleep(pauseMs);
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

function defaultPauseMs(passedMs: number): number {
  const { leastMs, mostMs, share } = DEFAULT_PAUSE;
  return Math.min(mostMs, Math.max(leastMs, passedMs * share));
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
