/**
 * Where admission puts its hints before it answers, and from where they go to the leader.
 *
 * 1. `offer` only remembers: the answer to the API server waits for nobody.
 * 2. `run` delivers what the leader of the moment has not confirmed, one batch at a time: what is offered meanwhile is the next.
 * 3. Another leads: everything that is remembered is delivered again, see KeptHints.
 *
 * Nothing depends on it but the speed and the audit trail: what is never delivered is found by the leader's watch.
 */
import { OVER } from "../src/ports/aborted.js";
import type { Clock } from "../src/ports/clock.js";
import { RetryableError, TerminalError } from "../src/ports/errors.js";
import type { HandOffBatch, LeaderLink } from "../src/ports/hand-off.js";
import type { Hint, HintSink } from "../src/ports/hint.js";
import type { Log } from "../src/ports/log.js";
import type { Metrics } from "../src/ports/metrics.js";
import { boundedHint } from "./hand-off-message.js";
import { KeptHints } from "./kept-hints.js";

export interface OutboxParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly link: LeaderLink;
}

/** Between a delivery that failed and the next, doubled each time. */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
/** How often the leader is looked up while hints are kept, should nobody say that it has changed. */
const LOOK_MS = 1_000;

/** A delivery under way. */
interface Delivery {
  readonly leader: string;
  readonly cut: AbortController;
}

export class Outbox implements HintSink {
  readonly #kept: KeptHints;
  /** Whose confirmations count. */
  #leader: string | undefined;
  #delivery: Delivery | undefined;
  /** Ends the wait of `told`. */
  #told: AbortController | undefined;
  /** Ends the wait of `run`. */
  #wait: AbortController | undefined;
  #pauseMs = 0;
  #pauseUntilMs = -Infinity;
  /** To whom deliveries were last said to fail. */
  #failing: string | undefined;

  constructor(private readonly parts: OutboxParts) {
    const { clock, metrics } = parts;
    this.#kept = new KeptHints(clock, () => metrics.count("svc_ferry_outbox_resyncs_total", {}));
  }

  offer(hint: Hint): void {
    const kept = boundedHint(hint);
    if (kept === undefined || !this.#kept.offer(kept)) return;
    this.#measure();
    // What comes in a pause is delivered after it.
    if (!this.#isPausing()) this.#wait?.abort(OVER);
  }

  /** To be called when the link's `leader` has another value. */
  leaderChanged(): void {
    const delivery = this.#delivery;
    if (delivery !== undefined && delivery.leader !== this.parts.link.leader) delivery.cut.abort();
    this.#wait?.abort();
  }

  /** Delivers until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#delivery?.cut.abort();
      this.#wait?.abort();
    };
    signal.addEventListener("abort", end, { once: true });
    while (!signal.aborted) {
      this.#kept.forgetOld();
      this.#measure();
      this.#follow();
      if (this.#leader === undefined || !this.#kept.isPending || this.#isPausing()) {
        await this.#waitForWork();
      } else {
        await this.#deliver(this.#leader);
      }
    }
    signal.removeEventListener("abort", end);
  }

  /** Resolves when the leader of the moment knows all that was let pass, or after `ms`. */
  async told(ms: number): Promise<void> {
    if (!this.#kept.isPending) return;
    this.#told = new AbortController();
    await this.parts.clock.sleep(ms, this.#told.signal);
    this.#told = undefined;
  }

  #follow(): void {
    const { leader } = this.parts.link;
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#pauseMs = 0;
    this.#pauseUntilMs = -Infinity;
    this.#kept.offerAllAgain();
  }

  async #waitForWork(): Promise<void> {
    const { clock } = this.parts;
    const pauseMs = this.#isPausing() ? this.#pauseUntilMs - clock.monotonicMs() : LOOK_MS;
    this.#wait = new AbortController();
    const waitMs = this.#kept.isEmpty ? Infinity : Math.min(pauseMs, LOOK_MS);
    await clock.sleep(waitMs, this.#wait.signal);
    this.#wait = undefined;
  }

  /** The catch is this loop's own: a delivery that fails is made again. */
  async #deliver(leader: string): Promise<void> {
    const batch = this.#kept.batch();
    const cut = new AbortController();
    this.#delivery = { leader, cut };
    try {
      await this.parts.link.deliver(batch, cut.signal);
      this.#delivered(leader, batch);
    } catch (error) {
      // Cut off by us: the leader has changed, or the process ends.
      if (!cut.signal.aborted) this.#failed(leader, error);
    }
    this.#delivery = undefined;
  }

  #delivered(leader: string, batch: HandOffBatch): void {
    const { log, metrics } = this.parts;
    this.#kept.confirm(batch);
    if (!this.#kept.isPending) this.#told?.abort();
    this.#pauseMs = 0;
    metrics.count("svc_ferry_hand_off_total", { outcome: "delivered" });
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    log.info({ leader }, "hand-off works again");
  }

  #failed(leader: string, err: unknown): void {
    const { clock, log, metrics } = this.parts;
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, MIN_PAUSE_MS), MAX_PAUSE_MS);
    this.#pauseUntilMs = clock.monotonicMs() + this.#pauseMs;
    metrics.count("svc_ferry_hand_off_total", { outcome: "failed" });
    if (this.#failing === leader) return;
    this.#failing = leader;
    const isOurs = err instanceof RetryableError || err instanceof TerminalError;
    const code = isOurs ? err.code : "unknown";
    log.warn({ leader, code, err }, "hand-off fails, trying again; changes are found by the watch");
  }

  #isPausing(): boolean {
    return this.parts.clock.monotonicMs() < this.#pauseUntilMs;
  }

  #measure(): void {
    this.parts.metrics.set("svc_ferry_outbox_hints", {}, this.#kept.size);
  }
}
