/** How many may be under way at once, and who is next. */

/** `live`: the tail. `bulk`: passes and whatever else may wait. */
export type Priority = "live" | "bulk";

/**
 * A counted number of places. Who waits for one is served in order, `live` before `bulk`; and `bulk` alone never takes all
 * places, so that the tail finds one at once beside a pass.
 */
export class Slots {
  readonly #live: (() => void)[] = [];
  readonly #bulk: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #taken = 0;

  /** @param places for either as it is now: fewer than are taken are waited for */
  constructor(private readonly places: () => Readonly<Record<Priority, number>>) {}

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place without waiting; false when none is free. */
  tryTake(priority: Priority): boolean {
    if (!this.#isFree(priority)) return false;
    this.#taken += 1;
    return true;
  }

  async take(priority: Priority): Promise<void> {
    if (this.tryTake(priority)) return;
    const waiting = priority === "live" ? this.#live : this.#bulk;
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }

  release(): void {
    this.#taken -= 1;
    this.#serve();
    if (this.#taken > 0) return;
    for (const wake of this.#idle.splice(0)) wake();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#taken === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #serve(): void {
    const next = this.#first("live", this.#live) ?? this.#first("bulk", this.#bulk);
    if (next === undefined) return;
    this.#taken += 1;
    next();
  }

  #first(priority: Priority, waiting: (() => void)[]): (() => void) | undefined {
    return this.#isFree(priority) ? waiting.shift() : undefined;
  }

  #isFree(priority: Priority): boolean {
    return this.#taken < this.places()[priority];
  }
}
