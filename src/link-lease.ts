import { Heartbeat, type HeartbeatOptions } from "./leader/heartbeat.js";
import type { DestinationLease, DestinationLeaseState } from "./ports/destination-lease.js";

/** The kit's heartbeat as the core asks for it: something to wait for, and a signal that says when it is over. */
export class LinkLease implements DestinationLease {
  readonly #heartbeat: Heartbeat;
  /** A set of those who wait: a promise would remember each of them, also who has long given up. */
  readonly #waiting = new Set<() => void>();
  #lost = new AbortController();
  #isHeld = false;

  constructor(options: HeartbeatOptions) {
    this.#heartbeat = new Heartbeat({ ...options, onChange: (state) => this.#changed(state.kind) });
  }

  get state(): DestinationLeaseState {
    return this.#heartbeat.state;
  }

  observe(signal: AbortSignal): Promise<void> {
    return this.#heartbeat.observe(signal);
  }

  hold(signal: AbortSignal): Promise<void> {
    return this.#heartbeat.hold(signal);
  }

  async held(signal: AbortSignal): Promise<void> {
    if (this.permit() || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    signal.addEventListener("abort", end, { once: true });
    this.#waiting.add(end);
    await promise;
    this.#waiting.delete(end);
    signal.removeEventListener("abort", end);
  }

  lost(): AbortSignal {
    return this.#lost.signal;
  }

  permit(): boolean {
    return this.#heartbeat.permit();
  }

  #changed(kind: DestinationLeaseState["kind"]): void {
    if (kind === "held") {
      this.#lost = new AbortController();
      this.#isHeld = true;
      for (const end of this.#waiting) end();
    } else if (this.#isHeld) {
      this.#lost.abort();
      this.#isHeld = false;
    }
  }
}
