/** Passes that run beside the tail: after a reload, after a resumed copy, and once a day. */
import type { Clock } from "../../src/ports/clock.js";
import type { StateKeeper } from "../link/state-keeper.js";
import type { PassCause } from "../link/state.js";
import type { Pass } from "./pass.js";

/** A watch can lose events for reasons that nobody knows of (etcd has had several): once a day everything is compared. */
const VERIFY_EVERY_MS = 24 * 3_600_000;
const TICK_MS = 1_000;

export class Besides {
  readonly #wanted = new Set<PassCause>();

  constructor(
    private readonly clock: Clock,
    private readonly keeper: StateKeeper,
    private readonly pass: Pass,
    private readonly settleMs: number,
    private readonly verifyEveryMs = VERIFY_EVERY_MS,
  ) {}

  want(cause: PassCause): void {
    this.#wanted.add(cause);
  }

  /** Runs until `signal` aborts. @throws what ended the term */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      this.#lookAtTheClock();
      const [cause] = this.#wanted;
      if (cause === undefined) await this.clock.sleep(TICK_MS, signal);
      else await this.#run(cause, signal);
    }
  }

  async #run(cause: PassCause, signal: AbortSignal): Promise<void> {
    const { pass } = this.keeper.state;
    // What is wanted while it runs is wanted once more: it may be past what that is about.
    this.#wanted.delete(cause);
    // One that was interrupted goes on where it was, and removes nothing of what it has not seen; a whole one follows it.
    const resume = cause === "resumed" ? pass : undefined;
    await this.pass.run({ cause, resume, verifies: true, signal });
    const isRulesPass = cause === "rules-settled";
    await this.keeper.write({
      pass: undefined,
      verifiedAtMs: this.clock.now(),
      ...(isRulesPass ? { rulesSinceMs: undefined } : {}),
    });
  }

  #lookAtTheClock(): void {
    const { verifiedAtMs, rulesSinceMs } = this.keeper.state;
    const nowMs = this.clock.now();
    if (rulesSinceMs !== undefined && nowMs >= rulesSinceMs + this.settleMs) {
      this.#wanted.add("rules-settled");
    }
    if (verifiedAtMs !== undefined && nowMs >= verifiedAtMs + this.verifyEveryMs) {
      this.#wanted.add("verify");
    }
  }
}
