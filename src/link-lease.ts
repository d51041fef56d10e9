import { Heartbeat, type HeartbeatOptions } from "./leader/heartbeat.js";
import type { DestinationLease, DestinationLeaseState } from "./ports/destination-lease.js";

/** The kit's heartbeat as the core asks for it: something to wait for, and a signal that says when it is over. */
export class LinkLease implements DestinationLease {
  readonly #heartbeat: Heartbeat;
  #held = Promise.withResolvers<void>();
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
    const aborted = Promise.withResolvers<void>();
    const abort = (): void => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    await Promise.race([this.#held.promise, aborted.promise]);
    signal.removeEventListener("abort", abort);
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
      this.#held.resolve();
    } else if (this.#isHeld) {
      this.#lost.abort();
      this.#isHeld = false;
      // Only now: a promise that somebody waits for must stay the one that is resolved.
      this.#held = Promise.withResolvers<void>();
    }
  }
}
