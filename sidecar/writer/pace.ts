/** `--max-writes-per-second`: a live destination's API servers flush their caches when too much happens at once. */
import type { Clock } from "../../src/ports/clock.js";

/** What may be caught up after a pause: a tenth of a second's worth, so that a timer's grain costs nothing. */
const BURST_SECONDS = 0.1;

/** Hands out places in time, evenly, in the order in which they were asked for. */
export class Pace {
  #nextMs = 0;

  /** @param perSecond undefined: as fast as it goes */
  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number | undefined,
  ) {}

  /** There is something to wait for, now and then. */
  get isLimited(): boolean {
    return this.perSecond !== undefined;
  }

  /** Returns as soon as the caller may go on; at once when `signal` aborts: whoever writes asks for a permit anyway. */
  async take(signal: AbortSignal): Promise<void> {
    if (this.perSecond === undefined) return;
    const nowMs = this.clock.monotonicMs();
    const earliestMs = nowMs - BURST_SECONDS * 1_000;
    this.#nextMs = Math.max(this.#nextMs, earliestMs) + 1_000 / this.perSecond;
    if (this.#nextMs > nowMs) await this.clock.sleep(this.#nextMs - nowMs, signal);
  }
}
