import type { ServiceKey } from "../domain/service-key.js";
import type { Clock } from "../ports/clock.js";
import type { Log, LogFields } from "../ports/log.js";

/** Names that get a line of their own, for one cause within one window. */
const LINES_PER_WINDOW = 5;
const WINDOW_MS = 60_000;

/** Names that a cause has struck within one window. */
interface Struck {
  readonly logged: number;
  readonly suppressed: number;
}

/**
 * Failed attempts as log lines. A name that goes on failing for the same cause says so once; a cause that strikes many
 * names (an outage with ten thousand Services) is a handful of lines a minute and a count of those that said nothing.
 */
export class FailureLog {
  /** Cause of the last failure, and whether it was logged, by name. */
  readonly #failing = new Map<ServiceKey, { readonly code: string; readonly logged: boolean }>();
  readonly #struck = new Map<string, Struck>();

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * Tells at the end of each window how many said nothing, until `signal` aborts: then for the last time. It needs a
   * timer: a cause that is over strikes nobody any more, and a name that is not retried fails but once.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(WINDOW_MS, signal);
      this.#endWindow();
    }
  }

  failed(target: ServiceKey, code: string, level: "warn" | "error", fields: LogFields): void {
    if (this.#failing.get(target)?.code === code) return;
    const { logged, suppressed } = this.#struck.get(code) ?? { logged: 0, suppressed: 0 };
    const isLogged = logged < LINES_PER_WINDOW;
    this.#failing.set(target, { code, logged: isLogged });
    if (isLogged) {
      this.#struck.set(code, { logged: logged + 1, suppressed });
      this.log[level]({ ...fields, code }, "will try again");
    } else {
      this.#struck.set(code, { logged, suppressed: suppressed + 1 });
    }
  }

  /** It works again, or is of no interest any more. True when somebody has read that it failed. */
  cleared(target: ServiceKey): boolean {
    const failing = this.#failing.get(target);
    this.#failing.delete(target);
    return failing?.logged === true;
  }

  clear(): void {
    this.#failing.clear();
    this.#struck.clear();
  }

  #endWindow(): void {
    for (const [code, { suppressed }] of this.#struck) {
      if (suppressed === 0) continue;
      this.log.warn({ code, names: suppressed }, "more names failed for the same cause");
    }
    this.#struck.clear();
  }
}
