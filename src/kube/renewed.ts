/** Something that ends and is had anew before that. */
import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";

/** A value and how long it holds. */
export interface Issued<T> {
  readonly value: T;
  /** Wall clock; undefined: until it is refused. */
  readonly endsAtMs: number | undefined;
}

export interface RenewedDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface RenewedOptions<T> {
  /** In errors and logs. */
  readonly name: string;
  /** Whatever it throws becomes a RetryableError FERRY-K005. */
  readonly issue: () => Promise<Issued<T>>;
  /** Renewal begins one to two times this long before the end, spread so that replicas do not all ask at once. */
  readonly earlyMs: number;
}

interface Held<T> {
  readonly issued: Issued<T>;
  /** On the monotonic clock; Infinity when there is no end. */
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/** Who failed is not asked again sooner: one that fails fast would else be asked once per request. */
const PAUSE_AFTER_FAILURE_MS = 2_000;

/**
 * Asks when it must: once for all who wait, ahead of the value's end, and again after `drop`. While a renewal ahead of
 * time runs or fails, the value that still holds is given.
 */
export class Renewed<T> {
  #held: Held<T> | undefined;
  #running: Promise<Held<T>> | undefined;
  #failure: { readonly error: RetryableError; readonly untilMs: number } | undefined;

  constructor(
    private readonly options: RenewedOptions<T>,
    private readonly deps: RenewedDeps,
  ) {}

  /** @throws RetryableError FERRY-K005 when asking fails and nothing valid is left */
  async current(): Promise<Issued<T>> {
    const nowMs = this.deps.clock.monotonicMs();
    const held = this.#held;
    if (held === undefined || nowMs >= held.endsAtMs) {
      return (await this.#renew()).issued;
    }
    if (nowMs >= held.renewAtMs) {
      // Ends by itself; a failure is logged here and thrown once the old value has ended.
      this.#renew().catch((error: unknown) => {
        this.deps.log.warn({ err: error }, "credential could not be renewed, keeping the old one");
      });
    }
    return held.issued;
  }

  /** It was refused: the next call asks anew. */
  drop(): void {
    this.#held = undefined;
  }

  async #renew(): Promise<Held<T>> {
    const failure = this.#failure;
    if (failure !== undefined && this.deps.clock.monotonicMs() < failure.untilMs) {
      throw failure.error;
    }
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #ask(): Promise<Held<T>> {
    try {
      this.#held = this.#hold(await this.options.issue());
      this.#failure = undefined;
      return this.#held;
    } catch (error) {
      const why = error instanceof Error ? error.message : "unknown reason";
      const failed = new RetryableError("FERRY-K005", `${this.options.name}: ${why}`);
      const untilMs = this.deps.clock.monotonicMs() + PAUSE_AFTER_FAILURE_MS;
      this.#failure = { error: failed, untilMs };
      throw failed;
    }
  }

  #hold(issued: Issued<T>): Held<T> {
    if (issued.endsAtMs === undefined) {
      return { issued, renewAtMs: Infinity, endsAtMs: Infinity };
    }
    const { clock, random } = this.deps;
    const nowMs = clock.monotonicMs();
    const leftMs = Math.max(0, issued.endsAtMs - clock.now());
    const earlyMs = Math.min(this.options.earlyMs * (1 + random.next()), leftMs / 2);
    return { issued, renewAtMs: nowMs + leftMs - earlyMs, endsAtMs: nowMs + leftMs };
  }
}
