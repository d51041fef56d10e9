/**
 * Moves virtual time on by itself whenever everything rests, for tests that know
 * nothing of virtual time (the contract suite). Histories that must be
 * reproducible step the clock themselves instead.
 */
import { settle } from "./settle.js";
import type { VirtualClock } from "./virtual-clock.js";

export class TimePump {
  #running = false;
  #end: Promise<void> = Promise.resolve();

  constructor(private readonly clock: VirtualClock) {}

  start(): void {
    this.#running = true;
    this.#end = this.#pump();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#end;
  }

  async #pump(): Promise<void> {
    while (this.#running) {
      if (!(await this.clock.step())) await settle();
    }
  }
}
