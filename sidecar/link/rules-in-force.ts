import type { Ruleset } from "../rules/ruleset.js";

/** The rules as they are now, and a way to wait for others. */
export class RulesInForce {
  #current: Ruleset | undefined;
  #replaced = new AbortController();

  constructor(rules: Ruleset | undefined) {
    this.#current = rules;
  }

  get current(): Ruleset | undefined {
    return this.#current;
  }

  /** Rules that mean the same as those in force change nothing. */
  replace(rules: Ruleset | undefined): void {
    if (rules?.hash === this.#current?.hash) return;
    this.#current = rules;
    const before = this.#replaced;
    this.#replaced = new AbortController();
    before.abort();
  }

  /** Aborts when others come into force. */
  get replaced(): AbortSignal {
    return this.#replaced.signal;
  }

  /** Waits until there are any. @throws the signal's reason */
  async some(signal: AbortSignal): Promise<Ruleset> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#current !== undefined) return this.#current;
      await new Promise<void>((resolve) => {
        this.#replaced.signal.addEventListener("abort", () => resolve(), { once: true });
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }
}
