import { setTimeout as sleep } from "node:timers/promises";

/** So many calls a second, some of them at once, until it is stopped; it may be held meanwhile. */
export class SteadyLoad {
  readonly #underWay = new Set<Promise<void>>();
  #sent = 0;
  #isHeld = false;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    /** Gets the number of the call, from 0; never rejects. */
    private readonly call: (number: number) => Promise<void>,
    private readonly options: { readonly perSecond: number; readonly atOnce: number },
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

  /** By the clock, not by the answers: a server that becomes slow gets no less to do. */
  async #run(): Promise<void> {
    const { perSecond, atOnce } = this.options;
    const { signal } = this.#stopping;
    const everyMs = (1_000 * atOnce) / perSecond;
    let dueMs = performance.now();
    while (!signal.aborted) {
      if (!this.#isHeld && this.#underWay.size < 20) for (let count = atOnce; count > 0; count -= 1) this.#begin();
      dueMs = Math.max(dueMs + everyMs, performance.now() - everyMs);
      await sleep(dueMs - performance.now(), undefined, { signal }).catch(() => undefined);
    }
  }

  #begin(): void {
    const call = this.call(this.#sent);
    this.#sent += 1;
    this.#underWay.add(call);
    void call.finally(() => this.#underWay.delete(call));
  }
}
