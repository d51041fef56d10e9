import type { Clock } from "../src/ports/clock.js";
import type { LogFields } from "../src/ports/log.js";

/** Between two lines of one kind. The counter beside it counts each. */
const QUIET_MS = 10_000;

/** Says the same thing at most every ten seconds, so that whoever reaches the port cannot fill the log. */
export class RareLog {
  readonly #saidByKind = new Map<string, { readonly atMs: number; more: number }>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param kind one of a closed set: kinds are remembered for good
   * @param write gets what to add to the line's fields: how many were not written since the last one
   */
  say(kind: string, write: (more: LogFields) => void): void {
    const nowMs = this.clock.monotonicMs();
    const said = this.#saidByKind.get(kind);
    if (said !== undefined && nowMs - said.atMs < QUIET_MS) {
      said.more += 1;
      return;
    }
    this.#saidByKind.set(kind, { atMs: nowMs, more: 0 });
    write(said === undefined || said.more === 0 ? {} : { notLogged: said.more });
  }
}
