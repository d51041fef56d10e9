import type { Clock } from "../ports/clock.js";

/** How long work may hold the event loop. A Lease is renewed each 2 s, and a change should not wait for what is older. */
const HELD_MS = 10;

/**
 * Makes room for everything else. Ten thousand passes that find nothing to do wait for no server, so they would follow each other
 * within one turn of the event loop: for a second or two no Lease is renewed, no request goes out and no event comes in.
 */
export class Breather {
  /** The event loop's turn of the moment, as far as work has been seen in it. */
  #turn: { readonly sinceMs: number; readonly over: Promise<void> } | undefined;

  constructor(private readonly clock: Clock) {}

  /** To be asked after each piece of work; undefined: go on. It ends early when `signal` aborts. */
  pause(signal: AbortSignal): Promise<void> | undefined {
    const nowMs = this.clock.monotonicMs();
    this.#turn ??= { sinceMs: nowMs, over: this.#turnsOver(signal) };
    return nowMs - this.#turn.sinceMs < HELD_MS ? undefined : this.#turn.over;
  }

  async #turnsOver(signal: AbortSignal): Promise<void> {
    await this.clock.sleep(0, signal);
    this.#turn = undefined;
  }
}
