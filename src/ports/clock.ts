import type { InjectionToken } from "tsyringe";

/**
 * Time source. Everything that waits or measures goes through it, so that a test
 * (or the simulation) owns time.
 */
export interface Clock {
  /** Wall clock, ms since the epoch: for timestamps that people or other clusters read, never for durations. */
  now(): number;
  /** Monotonic ms from an arbitrary start: for every duration, deadline and lease. It does not jump with the wall clock. */
  monotonicMs(): number;
  /**
   * Resolves after `ms` (at least one turn of the event loop). When `signal` aborts first it *resolves* at once too:
   * whoever sleeps looks at the signal afterwards, so that no loop needs a catch just to end.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
export const Clock: InjectionToken<Clock> = Symbol("Clock");
