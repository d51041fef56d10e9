import type { LeaseCause } from "../ports/destination-lease.js";
import { LeaseKeeper, type LeaseOptions } from "./lease-keeper.js";
import type { Observation } from "./lease-lock.js";

/** What became of the Lease at the last attempt. */
export type HeartbeatState =
  | { readonly kind: "held" }
  /** Somebody else shows signs of life there: a clone of this installation, or the leader before us until it has run out. */
  | { readonly kind: "held-elsewhere"; readonly holder: string }
  /** Not known, therefore not ours. */
  | { readonly kind: "unknown"; readonly cause: LeaseCause };

export interface HeartbeatOptions extends LeaseOptions {
  /** Called when `state` has another kind than before, e.g. to take up the work that waits for it. Must not throw. */
  readonly onChange?: ((state: HeartbeatState) => void) | undefined;
}

/**
 * The leader's second Lease, in a place that it writes to: whoever else believes to be this installation's leader finds it held.
 *
 * It never ends a term: while it is not held, `permit` is false for this one place.
 *
 * Followers `observe`: had a new leader to begin observing when it is elected, the Lease of a predecessor that died would cost a
 * second full duration before anything is written.
 */
export class Heartbeat {
  readonly #keeper: LeaseKeeper;
  #isHolding = false;
  #lastKind: HeartbeatState["kind"] = "unknown";
  /** The look that is on its way. */
  #look: Promise<void> = Promise.resolve();

  constructor(private readonly options: HeartbeatOptions) {
    this.#keeper = new LeaseKeeper(options);
  }

  /** Worked out at each call: what was held and could not be renewed reads unknown. */
  get state(): HeartbeatState {
    if (this.permit()) return { kind: "held" };
    const observation = this.observation;
    if (observation?.isLive === true && !observation.isOurs) {
      return { kind: "held-elsewhere", holder: observation.record.holder };
    }
    return { kind: "unknown", cause: this.#keeper.cause };
  }

  /** The Lease as last seen; undefined: not seen. */
  get observation(): Observation | undefined {
    return this.#keeper.lock.observation;
  }

  /** Whether a write to this place may start now, as far as this Lease is concerned; as Term.permit. */
  permit(): boolean {
    return this.#isHolding && this.#keeper.lock.permit();
  }

  /** Looks at the Lease every period while it is not to be held. Runs beside `hold`, until `signal` aborts. Never rejects. */
  async observe(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriodMs } = this.options;
    while (!signal.aborted) {
      if (!this.#isHolding) {
        this.#look = this.#keeper.observe(signal);
        await this.#look;
        this.#tell();
      }
      await clock.sleep(retryPeriodMs / 2, signal);
    }
  }

  /** Holds the Lease whenever it can be had, until `signal` (the term's) aborts; then releases it. Never rejects. */
  async hold(signal: AbortSignal): Promise<void> {
    // A look that ends later would overwrite what we have claimed since.
    this.#isHolding = true;
    await this.#look;
    while (!signal.aborted) {
      const outcome = await this.#keeper.acquireOrRenew(signal);
      this.#tell();
      await this.options.clock.sleep(this.#keeper.pauseMs(outcome), signal);
    }
    this.#isHolding = false;
    await this.#keeper.release();
    this.#tell();
  }

  #tell(): void {
    const { state } = this;
    if (state.kind === this.#lastKind) return;
    this.#lastKind = state.kind;
    const { api, leaseName, leaseNamespace, log, onChange } = this.options;
    const fields = { cluster: api.cluster, lease: `${leaseNamespace}/${leaseName}` };
    switch (state.kind) {
      case "held":
        log.info(fields, "heartbeat lease held");
        break;
      case "held-elsewhere":
        log[this.#isHolding ? "warn" : "debug"](
          { ...fields, holder: state.holder },
          "heartbeat lease held elsewhere",
        );
        break;
      case "unknown":
        log.debug({ ...fields, code: state.cause }, "heartbeat lease not held");
        break;
    }
    onChange?.(state);
  }
}
