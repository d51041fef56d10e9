import { RetryableError, TerminalError, type ErrorCode } from "../src/ports/errors.js";
import type { Log, LogFields } from "../src/ports/log.js";
import type { Random } from "../src/ports/random.js";

export interface AttemptsOptions {
  readonly log: Log;
  readonly random: Random;
  /** Fields of its lines. */
  readonly fields: LogFields;
  /** First and longest pause, ms. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Attempts at one thing: how long to pause after a failure, and one line when it begins to fail, another when it works again. */
export class Attempts {
  #failures = 0;
  #reported: string | undefined;

  constructor(private readonly options: AttemptsOptions) {}

  /** @returns ms to wait before the next one */
  failed(error: unknown): number {
    this.#report(codeOf(error), { err: error });
    const retryAfterMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(this.#pauseMs(), retryAfterMs);
  }

  /** The server does not want it as it is: a person has to know. @returns ms to wait before the next one */
  refused(reason: string, fix: string): number {
    if (this.#reported !== reason) {
      this.#reported = reason;
      this.options.log.error({ ...this.options.fields, reason, fix }, "refused by the API server");
    }
    return this.#pauseMs();
  }

  worked(): void {
    this.#failures = 0;
    if (this.#reported === undefined) return;
    this.#reported = undefined;
    this.options.log.info(this.options.fields, "works again");
  }

  #report(code: string, fields: LogFields): void {
    if (this.#reported === code) return;
    this.#reported = code;
    this.options.log.warn({ ...this.options.fields, ...fields, code }, "failed, trying again");
  }

  /** Doubles with each failure; between half of it and all. */
  #pauseMs(): number {
    const { baseMs, maxMs, random } = this.options;
    const fullMs = Math.min(maxMs, baseMs * 2 ** this.#failures);
    this.#failures += 1;
    return fullMs * (1 - random.next() / 2);
  }
}

/** The FERRY code of an error; "unknown" when it has none. */
export function codeOf(error: unknown): ErrorCode | "unknown" {
  return error instanceof RetryableError || error instanceof TerminalError ? error.code : "unknown";
}
