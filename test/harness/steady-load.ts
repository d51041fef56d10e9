import { setTimeout as sleep } from "node:timers/promises";

/** How a load comes. */
export interface SteadyLoadOptions {
  readonly perSecond: number;
  /** Calls come in groups of so many, and no group begins before the one before the last has ended. */
  readonly atOnce: number;
}

/**
 * So many calls a second until it is stopped; it may be held meanwhile.
 *
 * NB: where a server cannot keep up, the load becomes less. What piled up instead would be a test of overload: API servers run
 * admission again for each conflict, and what waits makes more of them.
 */
export class SteadyLoad {
  readonly #underWay = new Set<Promise<void>>();
  #sent = 0;
  #isHeld = false;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    /** Gets the number of the call, from 0; never rejects. */
    private readonly call: (number: number) => Promise<void>,
    private readonly options: SteadyLoadOptions,
  ) {}

  /** Calls that were begun. */
  get sent(): number {
    return this.#sent;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Begins no more calls; resolves when none is under way. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await Promise.all(this.#underWay);
  }

  resume(): void {
    this.#isHeld = false;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.hold();
  }

  async #run(): Promise<void> {
    const { perSecond, atOnce } = this.options;
    const { signal } = this.#stopping;
    const everyMs = (1_000 * atOnce) / perSecond;
    let dueMs = performance.now();
    while (!signal.aborted) {
      if (!this.#isHeld && this.#underWay.size <= atOnce) this.#begin(atOnce);
      dueMs = Math.max(dueMs + everyMs, performance.now());
      await sleep(Math.max(0, dueMs - performance.now()), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }

  #begin(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const call = this.call(this.#sent);
      this.#sent += 1;
      this.#underWay.add(call);
      void call.finally(() => this.#underWay.delete(call));
    }
  }
}
