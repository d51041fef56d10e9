import { performance } from "node:perf_hooks";
import { injectable } from "tsyringe";
import type { Clock } from "../ports/clock.js";

/** Longest delay of setTimeout, ms (2^31 - 1, 24.8 days); a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * The machine's clock, and the only place with timers. Sleeps longer than 24.8 days end after 24.8 days.
 *
 * Timers keep the process alive on purpose: an unref'd one would let a process that only waits for its next try end
 * in silence. Every sleep ends with its signal, so none outlives the stop.
 *
 * NB: one listener per signal, not one per sleep. Thousands of keys may sleep on one signal; Node's AbortSignal would
 * search its list of listeners at each removal and warn of a leak.
 */
@injectable()
export class SystemClock implements Clock {
  readonly #sleepersBySignal = new WeakMap<AbortSignal, Sleepers>();

  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const sleepers = this.#sleepers(signal);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        sleepers.remove(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
      sleepers.add(wake);
    });
  }

  #sleepers(signal: AbortSignal): Sleepers {
    const known = this.#sleepersBySignal.get(signal);
    if (known !== undefined) return known;
    const sleepers = new Sleepers(signal);
    this.#sleepersBySignal.set(signal, sleepers);
    return sleepers;
  }
}

/** All that sleep on one signal. Listens only while somebody sleeps, so that a signal is not kept by us. */
class Sleepers {
  readonly #wakes = new Set<() => void>();
  readonly #wakeAll = (): void => {
    for (const wake of this.#wakes) wake();
  };

  constructor(private readonly signal: AbortSignal) {}

  add(wake: () => void): void {
    this.#wakes.add(wake);
    if (this.#wakes.size === 1) this.signal.addEventListener("abort", this.#wakeAll);
  }

  remove(wake: () => void): void {
    this.#wakes.delete(wake);
    if (this.#wakes.size === 0) this.signal.removeEventListener("abort", this.#wakeAll);
  }
}
