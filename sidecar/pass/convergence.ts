/**
 * Whether passes shrink. A pass copies what has changed since the one before began; when the source compacts what the watch needs
 * before a pass has ended, another follows. As long as each has less to copy they end; otherwise the destination is too slow.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { PassCause } from "../link/state.js";

/** Objects a second, as the last pass that did not shrink has shown. */
export interface PassRates {
  /** Objects that changed in the source, each counted once. */
  readonly sourcePerSecond: number;
  readonly destinationPerSecond: number;
}

/** Monotonic ms. */
export interface EndedPass {
  readonly cause: PassCause;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly written: number;
}

/** Whoever has followed the source for so long keeps up with it. */
const KEEPS_UP_MS = 60_000;

export class Convergence {
  #last: EndedPass | undefined;
  #rates: PassRates | undefined;
  #followsSinceMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** undefined: the destination keeps up, as far as is known. */
  get tooSlow(): PassRates | undefined {
    return this.#keepsUp() ? undefined : this.#rates;
  }

  /** The tail begins. */
  follows(): void {
    this.#followsSinceMs = this.clock.monotonicMs();
  }

  /** A pass without which nothing could be followed has ended. */
  ended(pass: EndedPass): void {
    const last = this.#keepsUp() ? undefined : this.#last;
    const isAnother = pass.cause === "compacted" && last !== undefined;
    this.#rates =
      isAnother && pass.written > 0 && pass.written >= last.written
        ? {
            sourcePerSecond: perSecond(pass.written, pass.endedMs - last.startedMs),
            destinationPerSecond: perSecond(pass.written, pass.endedMs - pass.startedMs),
          }
        : undefined;
    this.#last = pass;
    this.#followsSinceMs = undefined;
  }

  #keepsUp(): boolean {
    const sinceMs = this.#followsSinceMs;
    return sinceMs !== undefined && this.clock.monotonicMs() - sinceMs >= KEEPS_UP_MS;
  }
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? Math.round((count / ms) * 10_000) / 10 : 0;
}
