import type { Clock } from "../../src/ports/clock.js";
import { SystemClock } from "../../src/runtime/system-clock.js";

/** Real time, until it is told to go faster: then all of it does, the sleeps that have begun included. */
export class PacedClock implements Clock {
  readonly #real = new SystemClock();
  /** What it goes by for one second of the machine's. */
  #pace = 1;
  #since = { realMs: 0, aheadMs: 0 };
  /** Wakes who has to look anew how long he has still to sleep. */
  readonly #sleepers = new Set<() => void>();

  /** From now on; nothing jumps. */
  goBy(pace: number): void {
    this.#since = { realMs: this.#real.monotonicMs(), aheadMs: this.#aheadMs };
    this.#pace = pace;
    for (const wake of this.#sleepers) wake();
  }

  now(): number {
    return this.#real.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return this.#real.monotonicMs() + this.#aheadMs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const endMs = this.monotonicMs() + ms;
    do {
      await this.#nap(Math.max(0, endMs - this.monotonicMs()) / this.#pace, signal);
    } while (!signal.aborted && this.monotonicMs() < endMs);
  }

  /** Until then, or until the pace changes. */
  async #nap(realMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      void this.#real.sleep(realMs, signal).then(wake);
    });
  }

  get #aheadMs(): number {
    const { realMs, aheadMs } = this.#since;
    return aheadMs + (this.#real.monotonicMs() - realMs) * (this.#pace - 1);
  }
}
