import type { Clock } from "../src/ports/clock.js";

/** Ends a wait early. What rings while nobody waits ends the next wait: no ring is lost, many are one. */
export class Doorbell {
  #isRung = false;
  #sleeper: AbortController | undefined;

  constructor(private readonly clock: Clock) {}

  ring(): void {
    this.#isRung = true;
    this.#sleeper?.abort();
  }

  /** Waits until it rings, `ms` are over, or `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      const sleeper = new AbortController();
      const wake = (): void => sleeper.abort();
      this.#sleeper = sleeper;
      signal.addEventListener("abort", wake, { once: true });
      await this.clock.sleep(ms, sleeper.signal);
      signal.removeEventListener("abort", wake);
    }
    this.#isRung = false;
  }
}
