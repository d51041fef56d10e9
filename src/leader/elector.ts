import { LeaseKeeper, type LeaseOptions, type Outcome } from "./lease-keeper.js";

/** One leadership of this process, from the moment the Lease is ours to the moment it may not be. */
export interface Term {
  /** Aborts when the term ends: begin nothing more, finish what is on its way, return. */
  readonly signal: AbortSignal;
  /** Counts the terms of this process from 1. */
  readonly number: number;
  /**
   * Whether a write may start now. Synchronous and without a timer behind it: a process that was stopped for longer than its
   * Lease gets false with its first instruction. True after `signal` as long as the Lease is surely ours, for writes that wait
   * for a connection.
   */
  permit(): boolean;
}

/** Who holds the Lease, as last seen. */
export interface Leader {
  readonly identity: string;
  readonly processId: string;
  /** What it publishes, e.g. the hand-off address. */
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339 by the leader's own clock; for people. */
  readonly renewTime: string;
  readonly transitions: number;
  readonly isUs: boolean;
  /** It was seen to renew within its duration. */
  readonly isLive: boolean;
}

export interface ElectorOptions extends LeaseOptions {
  /** Another process leads than before, as far as this one has seen. */
  readonly onLeader?: (() => void) | undefined;
}

/** A stop lasts 5 s at most, and what is told must come before the end. */
const FOLLOW_MS = 250;

/** Why a term ends though nobody asked for it. */
type LeaseEnd = "taken" | "not renewed in time";

/**
 * One leader among the replicas, by client-go's Lease protocol.
 *
 * Invariant: of two electors on one Lease, `permit` is true for one at most, whatever their wall clocks say and however long either
 * was stopped.
 */
export class Elector {
  readonly #keeper: LeaseKeeper;
  #terms = 0;
  /** The term that lasts. */
  #term: number | undefined;
  #lastLeader: Leader | undefined;

  constructor(private readonly options: ElectorOptions) {
    this.#keeper = new LeaseKeeper(options);
  }

  /** undefined: nobody, or not looked yet. */
  get leader(): Leader | undefined {
    const observation = this.#keeper.lock.observation;
    if (observation === undefined || observation.record.holder === "") return undefined;
    const { record, annotations, isOurs, isLive } = observation;
    return {
      identity: record.holder,
      processId: record.processId,
      annotations,
      renewTime: record.renewTime,
      transitions: record.transitions,
      isUs: isOurs,
      isLive,
    };
  }

  /** This process leads. */
  get isLeading(): boolean {
    return this.#term !== undefined;
  }

  /** Why the Lease cannot be used: a FERRY code, "no-namespace" or "unknown"; undefined: it can. */
  get cause(): string | undefined {
    return this.#keeper.cause;
  }

  /**
   * Acquires the Lease, calls `lead`, renews meanwhile, and so on until `signal` aborts. Then: the term's signal aborts, `lead`
   * ends, the Lease is released (a follower takes over within a look), the promise resolves. Never rejects.
   *
   * `lead` must end soon after its signal; no other term begins before. When it ends or throws without being asked to, the Lease is
   * released and the election goes on.
   */
  async run(signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const outcome = await this.#keeper.acquireOrRenew(signal);
      this.#tellLeader();
      if (outcome.kind === "held" && !signal.aborted) await this.#lead(signal, lead);
      // A stop releases once, below: where nobody answers, each attempt takes all the time that it has.
      if (signal.aborted) break;
      if (outcome.kind === "held") await this.#keeper.release();
      await this.options.clock.sleep(this.#keeper.pauseMs(outcome), signal);
    }
    await this.#keeper.release();
  }

  /** Looks who leads without wanting to, for what a process that stops has still to tell. Until `signal` aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#keeper.observe(signal);
      this.#tellLeader();
      await this.options.clock.sleep(FOLLOW_MS, signal);
    }
  }

  async #lead(signal: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    const { identity, log } = this.options;
    this.#terms += 1;
    const number = this.#terms;
    this.#term = number;
    const ended = new AbortController();
    const left = new AbortController();
    const stop = (): void => ended.abort();
    signal.addEventListener("abort", stop, { once: true });
    const permit = (): boolean => this.#term === number && this.#keeper.lock.permit();
    log.debug({ identity, term: number }, "term began");
    const renewing = this.#renew(ended, left.signal);
    try {
      await lead({ signal: ended.signal, number, permit });
    } catch (err) {
      log.error({ term: number, err }, "leading failed, stepping down");
    } finally {
      signal.removeEventListener("abort", stop);
      ended.abort();
      left.abort();
      await renewing;
      this.#term = undefined;
    }
    log.debug({ identity, term: number }, "term ended");
  }

  /** Renews until `lead` has `left`, beyond the term's signal: what is on its way then is still covered. */
  async #renew(ended: AbortController, left: AbortSignal): Promise<void> {
    const { clock, log, retryPeriodMs } = this.options;
    let end: LeaseEnd | undefined;
    let renewedMs = this.#keeper.lock.renewedMs ?? clock.monotonicMs();
    while (end === undefined) {
      await clock.sleep(retryPeriodMs, left);
      if (left.aborted) return;
      const outcome = await this.#renewOnce(renewedMs, left);
      renewedMs = this.#keeper.lock.renewedMs ?? renewedMs;
      end = this.#whyOver(outcome, renewedMs);
    }
    if (left.aborted) return;
    log.warn({ reason: end, leader: this.leader?.identity }, "leadership lost");
    ended.abort();
  }

  /** One attempt that leaves time for another. undefined: it is too late for any. */
  async #renewOnce(renewedMs: number, left: AbortSignal): Promise<Outcome | undefined> {
    const { clock, renewDeadlineMs } = this.options;
    const remainingMs = renewedMs + renewDeadlineMs - clock.monotonicMs();
    if (remainingMs <= 0) return undefined;
    return this.#keeper.acquireOrRenew(left, Math.min(remainingMs, renewDeadlineMs / 2));
  }

  /** undefined: the Lease is still ours, or there is time left to renew it. */
  #whyOver(outcome: Outcome | undefined, renewedMs: number): LeaseEnd | undefined {
    if (outcome?.kind === "lost" || outcome?.kind === "held-elsewhere") return "taken";
    const { clock, renewDeadlineMs } = this.options;
    return clock.monotonicMs() >= renewedMs + renewDeadlineMs ? "not renewed in time" : undefined;
  }

  #tellLeader(): void {
    const { leader } = this;
    if (leader === undefined || leader.processId === this.#lastLeader?.processId) return;
    const isNewName = leader.identity !== this.#lastLeader?.identity;
    this.#lastLeader = leader;
    if (isNewName) this.options.log.info({ leader: leader.identity }, "new leader");
    this.options.onLeader?.();
  }
}
