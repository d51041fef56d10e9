import type { Clock } from "../../src/ports/clock.js";
import { SystemClock } from "../../src/runtime/system-clock.js";

/** Real time, of which what is measured goes by twenty times as fast: files are looked at every half second. */
export class HurriedClock implements Clock {
  readonly #real = new SystemClock();
  /** Of the wall clock. */
  aheadMs = 0;

  now(): number {
    return this.#real.now() + this.aheadMs;
  }
  monotonicMs(): number {
    return this.#real.monotonicMs() * 20;
  }
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.#real.sleep(ms, signal);
  }
}
