import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EtcdError, type Compare, type Etcd, type GrantedLease } from "../etcd/etcd.js";
import type { Keyspace } from "../link/keyspace.js";
import { untilGone } from "./fence-watch.js";

/** Another process may write the link now, or an operator has taken it away: nothing more is written in this term. */
export class FenceLost extends Error {
  override readonly name = "FenceLost";
  constructor(readonly why: "expired" | "taken" | "released") {
    super(`the fence of this link is ${why}`);
  }
}

interface Parts {
  readonly etcd: Etcd;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keyspace;
}

interface Taken {
  readonly lease: GrantedLease;
  /** Of the fence key: what every transaction compares. */
  readonly createRevision: bigint;
  /** Monotonic ms before the lease was asked for. */
  readonly sentMs: number;
}

/** Clocks that run at slightly different speeds, and the way to the server. */
const MARGIN_MS = 1_000;
/** Keep-alives within one TTL: two may be lost. */
const KEEP_ALIVES_PER_TTL = 3;
/** A stop waits no longer for the lease to be given back. */
const RELEASE_MS = 1_500;

/** The fence while it is ours: one term of writing. */
export class HeldFence {
  readonly createRevision: bigint;
  /** True as the first compare of every transaction. */
  readonly compare: Compare;
  readonly #lost = new AbortController();
  readonly #keeping: Promise<unknown>;
  readonly #leaseId: bigint;
  #deadlineMs: number;

  constructor(
    private readonly parts: Parts,
    taken: Taken,
  ) {
    this.createRevision = taken.createRevision;
    this.compare = {
      key: parts.keys.fence,
      target: "create",
      is: "=",
      value: taken.createRevision,
    };
    this.#leaseId = taken.lease.id;
    this.#deadlineMs = deadline(taken.sentMs, taken.lease.ttlSeconds);
    this.#keeping = Promise.all([this.#keep(taken.lease.ttlSeconds), this.#watch()]);
  }

  /** Aborts with FenceLost when the fence is no longer ours. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Whether a write may start now. Asked at the last moment before each; needs no timer to become false: a process that was
   * stopped and goes on finds it false.
   */
  permit(): boolean {
    if (this.#lost.signal.aborted) return false;
    if (this.parts.clock.monotonicMs() < this.#deadlineMs) return true;
    this.lose("expired");
    return false;
  }

  /** Somebody has proof that it is not ours any more (a compare failed). */
  lose(why: FenceLost["why"]): void {
    if (this.#lost.signal.aborted) return;
    this.parts.log.warn({ link: this.parts.keys.link, why }, "fence lost, no more writes");
    this.#lost.abort(new FenceLost(why));
  }

  /** Gives it back at once, so that the next one need not wait for the lease to run out. Never throws. */
  async release(): Promise<void> {
    const wasHeld = !this.#lost.signal.aborted;
    if (wasHeld) this.#lost.abort(new FenceLost("released"));
    await this.#keeping;
    if (!wasHeld) return;
    const limit = new AbortController();
    const over = new AbortController();
    const timer = this.parts.clock.sleep(RELEASE_MS, over.signal).then(() => limit.abort());
    try {
      await this.parts.etcd.revokeLease(this.#leaseId, { signal: limit.signal });
    } catch {
      // Nobody is hurt: the others wait until it has run out.
    } finally {
      over.abort();
      await timer;
    }
  }

  /** Whoever seals the link takes the key and leaves the lease: an idle mirror would not hear of it otherwise. */
  async #watch(): Promise<void> {
    const { etcd, clock, keys } = this.parts;
    const watched = { etcd, clock, key: keys.fence, createRevision: this.createRevision };
    if (await untilGone(watched, this.signal)) this.lose("taken");
  }

  async #keep(ttlSeconds: number): Promise<void> {
    const { clock } = this.parts;
    const everyMs = (ttlSeconds * 1_000) / KEEP_ALIVES_PER_TTL;
    while (!this.#lost.signal.aborted) {
      await clock.sleep(Math.min(everyMs, this.#leftMs()), this.#lost.signal);
      if (!this.permit()) return;
      await this.#keepOnce();
    }
  }

  /** The deadline follows from when the keep-alive was *sent*: the server may have renewed at any moment since. */
  async #keepOnce(): Promise<void> {
    const { etcd, clock } = this.parts;
    const sentMs = clock.monotonicMs();
    try {
      const left = await this.#withinDeadline((signal) =>
        etcd.keepAlive(this.#leaseId, { signal }),
      );
      if (left === undefined) return;
      if (left <= 0) this.lose("expired");
      else this.#deadlineMs = deadline(sentMs, left);
    } catch (error) {
      if (error instanceof EtcdError && error.kind === "lease-not-found") this.lose("expired");
      // Anything else is tried again, until the deadline.
      else await clock.sleep(Math.min(MARGIN_MS, this.#leftMs()), this.#lost.signal);
    }
  }

  /** A keep-alive that hangs must not keep the deadline from being noticed. @returns undefined when it was over first */
  async #withinDeadline(
    call: (signal: AbortSignal) => Promise<number>,
  ): Promise<number | undefined> {
    const cut = new AbortController();
    const stop = (): void => cut.abort(this.#lost.signal.reason);
    this.#lost.signal.addEventListener("abort", stop, { once: true });
    const over = new AbortController();
    const timer = this.parts.clock.sleep(this.#leftMs(), over.signal).then(() => cut.abort());
    try {
      return await call(cut.signal);
    } catch (error) {
      if (!cut.signal.aborted) throw error;
      this.permit();
      return undefined;
    } finally {
      this.#lost.signal.removeEventListener("abort", stop);
      over.abort();
      await timer;
    }
  }

  #leftMs(): number {
    return Math.max(0, this.#deadlineMs - this.parts.clock.monotonicMs());
  }
}

function deadline(sentMs: number, ttlSeconds: number): number {
  return sentMs + ttlSeconds * 1_000 - MARGIN_MS;
}
