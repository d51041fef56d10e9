import { RetryableError, TerminalError } from "../ports/errors.js";
import type { Random } from "../ports/random.js";

/** First and longest pause after a failure. Source: client-go tools/cache/reflector.go begins at 800 ms; we sync "at once". */
const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;

/** A watch that ends sooner is not worth its own opening; one proxy that does this must not cost a core. */
const QUICK_END_MS = 1_000;
/** After a quick end events are late by the pause, so it stays short. */
const MAX_QUICK_DELAY_MS = 1_000;

/** A watch that lived this long was a working one: its end starts the backoff anew. */
const SOUND_MS = 10_000;

/** What happens after a watch failed. */
export interface NextStep {
  readonly relist: boolean;
  readonly delayMs: number;
}

/** How long the reflector pauses, and when going on with the watch is no longer enough. */
export class Pace {
  #listFailures = 0;
  #watchFailures = 0;
  #serverErrors = 0;
  #quickEnds = 0;

  constructor(private readonly random: Random) {}

  /** A list came in. */
  listed(): void {
    this.#listFailures = 0;
  }

  /** The watch delivered something, so the server serves it. */
  delivered(): void {
    this.#watchFailures = 0;
    this.#serverErrors = 0;
  }

  /** ms to wait before the next list. */
  listFailed(error: unknown): number {
    this.#listFailures += 1;
    return this.#delayMs(this.#listFailures, error);
  }

  watchFailed(error: unknown, lastedMs: number): NextStep {
    const code = codeOf(error);
    if (isVersionError(error)) return { relist: true, delayMs: 0 };
    if (lastedMs >= SOUND_MS) this.#watchFailures = 0;
    this.#watchFailures += 1;
    this.#serverErrors = isServerError(code) ? this.#serverErrors + 1 : 0;
    const relist = this.#serverErrors >= 2;
    if (relist) this.#serverErrors = 0;
    return { relist, delayMs: this.#delayMs(this.#watchFailures, error) };
  }

  /** The server ended the watch in good order. ms to wait before the next. */
  watchEnded(lastedMs: number): number {
    this.delivered();
    this.#quickEnds = lastedMs < QUICK_END_MS ? this.#quickEnds + 1 : 0;
    if (this.#quickEnds < 2) return 0;
    return Math.min(MAX_QUICK_DELAY_MS, BASE_DELAY_MS * 2 ** (this.#quickEnds - 2));
  }

  #delayMs(failures: number, error: unknown): number {
    const fullMs = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** (failures - 1));
    const jitteredMs = fullMs - (this.random.next() * fullMs) / 2;
    const retryAfterMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(jitteredMs, retryAfterMs);
  }
}

/** The FERRY code of an error; "unknown" when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof RetryableError || error instanceof TerminalError ? error.code : "unknown";
}

/** The version to go on from is too old, or one that the server has not reached: only a list helps. */
export function isVersionError(error: unknown): boolean {
  return codeOf(error) === "FERRY-K008" || codeOf(error) === "FERRY-K009";
}

/** The server answered, and with nonsense or its own failure; as opposed to not being reached, or refusing us. */
function isServerError(code: string): boolean {
  return code === "FERRY-K004" || code === "FERRY-K007" || code === "FERRY-K011";
}
