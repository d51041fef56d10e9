import type { Clock } from "../../src/ports/clock.js";
import { SystemClock } from "../../src/runtime/system-clock.js";

/** A process that can be stopped as a whole, and killed: its time stands still, and with it its requests and answers. */
export class StoppableClock implements Clock {
  readonly #system = new SystemClock();
  #stopped: PromiseWithResolvers<void> | undefined;

  now(): number {
    return this.#system.now();
  }

  monotonicMs(): number {
    return this.#system.monotonicMs();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#system.sleep(ms, signal);
    await this.#stopped?.promise;
  }

  /** SIGSTOP; for ever it is SIGKILL. */
  stop(): void {
    this.#stopped = Promise.withResolvers();
  }

  /** SIGCONT. */
  continue(): void {
    this.#stopped?.resolve();
    this.#stopped = undefined;
  }
}
