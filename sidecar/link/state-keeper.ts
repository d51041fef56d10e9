import type { Clock } from "../../src/ports/clock.js";
import type { Transactions } from "../writer/transactions.js";
import type { Keyspace } from "./keyspace.js";
import { encodeState, type LinkState } from "./state.js";

/** The state key as the holder of the fence keeps it: the only one who writes it. */
export class StateKeeper {
  #state: LinkState;
  #writtenMs: number;

  /** @param state as it stands in etcd, or is to stand there first */
  constructor(
    private readonly parts: {
      readonly transactions: Transactions;
      readonly clock: Clock;
      readonly keys: Keyspace;
    },
    state: LinkState,
  ) {
    this.#state = state;
    this.#writtenMs = parts.clock.monotonicMs();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Since it was last written. */
  get ageMs(): number {
    return this.parts.clock.monotonicMs() - this.#writtenMs;
  }

  /** Writes are in order: a later change is never overtaken by an earlier one. @throws FenceLost */
  async write(change: Partial<LinkState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    const before = this.#writing;
    this.#writing = before.then(() => this.#write());
    await this.#writing;
  }

  #writing: Promise<void> = Promise.resolve();

  async #write(): Promise<void> {
    const { transactions, clock, keys } = this.parts;
    this.#state = { ...this.#state, writtenAtMs: clock.now() };
    const write = [{ kind: "put", key: keys.state, value: encodeState(this.#state) } as const];
    while ((await transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
    this.#writtenMs = clock.monotonicMs();
  }
}
