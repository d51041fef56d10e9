import type { ServiceKey } from "../domain/service-key.js";
import type { Clock } from "../ports/clock.js";
import type { Log, LogFields } from "../ports/log.js";

/** Names that get a line of their own, for one cause within one window. */
const LINES_PER_WINDOW = 5;
const WINDOW_MS = 60_000;

interface Window {
  readonly startedAtMs: number;
  lines: number;
  suppressed: number;
}

/**
 * Failed attempts as log lines. A name that goes on failing for the same cause says so once; a cause that strikes many
 * names (an outage with ten thousand Services) is a handful of lines a minute and a count of those that said nothing.
 */
export class FailureLog {
  /** Cause of the last failure, and whether it was logged, by name. */
  readonly #failing = new Map<ServiceKey, { readonly code: string; readonly logged: boolean }>();
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  failed(target: ServiceKey, code: string, level: "warn" | "error", fields: LogFields): void {
    if (this.#failing.get(target)?.code === code) return;
    const window = this.#window(code);
    const logged = window.lines < LINES_PER_WINDOW;
    this.#failing.set(target, { code, logged });
    if (!logged) {
      window.suppressed += 1;
      return;
    }
    window.lines += 1;
    this.log[level]({ ...fields, code }, "will try again");
  }

  /** It works again, or is of no interest any more. True when somebody has read that it failed. */
  cleared(target: ServiceKey): boolean {
    const failing = this.#failing.get(target);
    this.#failing.delete(target);
    return failing?.logged === true;
  }

  clear(): void {
    this.#failing.clear();
    this.#windows.clear();
  }

  #window(code: string): Window {
    const nowMs = this.clock.monotonicMs();
    const current = this.#windows.get(code);
    if (current !== undefined && nowMs - current.startedAtMs < WINDOW_MS) return current;
    if (current !== undefined && current.suppressed > 0) {
      this.log.warn({ code, names: current.suppressed }, "more names failed for the same cause");
    }
    const window = { startedAtMs: nowMs, lines: 0, suppressed: 0 };
    this.#windows.set(code, window);
    return window;
  }
}
