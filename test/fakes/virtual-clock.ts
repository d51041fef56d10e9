/**
 * Time that moves only when it is told to. Whoever waits is woken in the order of
 * due time, then of registration, one at a time, and everything that follows from
 * one waking runs to rest before the next: so a history depends on its seed only.
 */
import type { Clock } from "../../src/ports/clock.js";
import { settle } from "./settle.js";
import { TimerHeap } from "./timer-heap.js";

/** Runs something later on virtual time. */
export interface Scheduler {
  /** Runs `run` after `delayMs` (negative counts as 0), never in this tick. The answer cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** The time of one process. */
export type ProcessTime = Clock & Scheduler;

/** 2026-01-01T00:00:00Z: any date would do; a fixed one keeps histories comparable. */
const START_MS = 1_767_225_600_000;

export class VirtualClock implements Clock, Scheduler {
  readonly #timers = new TimerHeap();
  #elapsedMs = 0;

  now(): number {
    return START_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  schedule(delayMs: number, run: () => void): () => void {
    if (delayMs === Infinity) return () => undefined;
    const timer = this.#timers.add(this.#elapsedMs + Math.max(0, delayMs), run);
    return () => {
      this.#timers.cancel(timer);
    };
  }

  /** How many wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Monotonic ms at which the next one is due; undefined when nobody waits. */
  get nextAtMs(): number | undefined {
    return this.#timers.peek()?.dueMs;
  }

  /** Lets everything come to rest, then wakes the next in line. False when nobody waited. */
  async step(): Promise<boolean> {
    await settle();
    return this.#wakeNext();
  }

  /** Moves time on by `ms`; all that becomes due on the way happens at its own moment. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.nextAtMs; next !== undefined && next <= endMs; next = this.nextAtMs) {
      await this.#wakeNext();
    }
    this.#elapsedMs = endMs;
  }

  /**
   * Steps until `condition` holds; looks after every step.
   * @throws when nobody waits any more or `limitMs` of virtual time are over
   */
  async runUntil(condition: () => boolean, limitMs = 3_600_000): Promise<void> {
    const endMs = this.#elapsedMs + limitMs;
    await settle();
    while (!condition()) {
      const next = this.nextAtMs;
      if (next === undefined) throw new Error("nobody waits, and what was waited for is not there");
      if (next > endMs) throw new Error(`not there after ${limitMs} ms of virtual time`);
      await this.#wakeNext();
    }
  }

  async #wakeNext(): Promise<boolean> {
    const timer = this.#timers.take();
    if (timer === undefined) return false;
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
    timer.run();
    await settle();
    return true;
  }
}

/** What Clock.sleep promises, on any scheduler: an abort wakes at once and leaves nothing behind. */
export function sleepOn(scheduler: Scheduler, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = scheduler.schedule(ms, wake);
    signal.addEventListener("abort", wake);
  });
}
