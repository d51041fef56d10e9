import type { Clock } from "../ports/clock.js";
import type { Random } from "../ports/random.js";
import type { RelistReason } from "./reflector-options.js";

/** Lists follow each other no faster, whoever asks for them. */
const MIN_GAP_MS = 1_000;

/** When the next list is due, and why. */
export class ListSchedule {
  #reason: RelistReason | undefined = "start";
  #endedMs = -Infinity;
  #periodicMs = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly everyMs: number,
  ) {}

  /** Why a list is wanted; undefined: none is. */
  get reason(): RelistReason | undefined {
    return this.#reason;
  }

  /** The first reason counts until a list begins. */
  want(reason: RelistReason): void {
    this.#reason ??= reason;
  }

  /** From here on a request is one for another list: this one may have read before the request's reason came up. */
  begun(): void {
    this.#reason = undefined;
  }

  listed(): void {
    this.#endedMs = this.clock.monotonicMs();
    this.#periodicMs = this.#endedMs + this.everyMs * (0.9 + 0.2 * this.random.next());
  }

  /** ms until a list may begin that is wanted now. */
  get gapMs(): number {
    return Math.max(0, this.#endedMs + MIN_GAP_MS - this.clock.monotonicMs());
  }

  /** ms until the next list; 0: now. Finds out whether the periodic one is due. */
  dueMs(): number {
    const untilPeriodicMs = this.#periodicMs - this.clock.monotonicMs();
    if (untilPeriodicMs <= 0) this.want("periodic");
    return this.#reason === undefined ? untilPeriodicMs : this.gapMs;
  }
}
