/** Turns for a fixed number of connections. */

import type { Priority } from "../ports/kube-api.js";

interface Waiter {
  readonly give: () => void;
  gone: boolean;
}

/**
 * Hands out one turn per connection, so that nothing ever queues behind a busy one where its priority is lost.
 * A free turn goes to live requests before bulk ones before events, first come first served inside each.
 *
 * Invariant: whoever got `true` from `take` calls `giveBack` exactly once.
 */
export class Limiter {
  #free: number;
  readonly #lines: Readonly<Record<Priority, Line>> = {
    live: new Line(),
    bulk: new Line(),
    event: new Line(),
  };

  /** @param turns how many requests may be under way at once, at least 1 */
  constructor(turns: number) {
    this.#free = turns;
  }

  /** Resolves true with a turn, or false as soon as `signal` aborts; then there is nothing to give back. */
  take(priority: Priority, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) {
      return Promise.resolve(false);
    }
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    const turn = Promise.withResolvers<boolean>();
    const leave = (): void => {
      waiter.gone = true;
      turn.resolve(false);
    };
    const waiter: Waiter = {
      gone: false,
      give: () => {
        signal.removeEventListener("abort", leave);
        turn.resolve(true);
      },
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#lines[priority].push(waiter);
    return turn.promise;
  }

  /** Returns a turn; it goes straight to the next waiter. */
  giveBack(): void {
    const { live, bulk, event } = this.#lines;
    const next = live.shift() ?? bulk.shift() ?? event.shift();
    if (next === undefined) {
      this.#free += 1;
    } else {
      next.give();
    }
  }
}

/** First in, first out, in constant time; those who left are skipped. */
class Line {
  #waiters: Waiter[] = [];
  #head = 0;

  push(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  shift(): Waiter | undefined {
    while (this.#head < this.#waiters.length) {
      const waiter = this.#waiters[this.#head];
      this.#head += 1;
      this.#compact();
      if (waiter?.gone === false) {
        return waiter;
      }
    }
    return undefined;
  }

  /** Drops the served half, so that memory follows those who wait and not those who ever did. */
  #compact(): void {
    if (this.#head * 2 > this.#waiters.length) {
      this.#waiters = this.#waiters.slice(this.#head);
      this.#head = 0;
    }
  }
}
