import type { Outcome } from "../writer/observation.js";
import { IGNORED, type Offered } from "../writer/writer.js";

/** What one walk has under way: for barriers, and for what became of it. */
export class Flight {
  #underWay = 0;
  #wake: (() => void) | undefined;

  constructor(private readonly onOutcome: (path: string, outcome: Outcome) => void) {}

  /** NB: a write that fails for good ends the term, and this walk with it; it is not told here. */
  add(path: string, offered: Offered): void {
    if (offered === IGNORED) return;
    this.#underWay += 1;
    offered.done.then(
      (outcome) => {
        this.onOutcome(path, outcome);
        this.#landed();
      },
      () => this.#landed(),
    );
  }

  /** A barrier: resolves when everything that was added is through. */
  async landed(): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #landed(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    this.#wake?.();
    this.#wake = undefined;
  }
}
