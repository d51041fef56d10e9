import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { KubeApi, KubeObject, ObjectRef, WriteResult } from "../ports/kube-api.js";
import {
  claimed,
  isHeldBy,
  LEASES,
  newLease,
  readLease,
  released,
  safetyMarginMs,
  type Candidate,
  type Claim,
  type LeaseRecord,
} from "./lease-record.js";

export interface LeaseLockOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  readonly candidate: Candidate;
  readonly durationMs: number;
}

/** What one attempt to acquire or renew came to. Failures are thrown. */
export type Attempt =
  | { readonly kind: "held" }
  /** Somebody else holds it and has shown life within its duration. */
  | { readonly kind: "held-elsewhere"; readonly holder: string }
  /** It was ours, and somebody else has held it since ("" when that one has released it already). The next attempt begins anew. */
  | { readonly kind: "lost"; readonly holder: string }
  /** Somebody wrote it between our read and our write: read again. */
  | { readonly kind: "raced" }
  /** The Lease's namespace does not exist. */
  | { readonly kind: "no-namespace" };

/** The Lease as it was last seen. */
export interface Observation {
  readonly record: LeaseRecord;
  readonly annotations: Readonly<Record<string, string>>;
  /** It is ours. */
  readonly isOurs: boolean;
  /** Its holder may still rely on it. */
  readonly isLive: boolean;
}

/**
 * One Lease and one candidate: client-go's protocol, one step at a time. Source: client-go tools/leaderelection.
 *
 * 1. Whoever holds the Lease renews it with the version that it wrote last; whoever wrote in between makes that fail.
 * 2. Whoever does not hold it watches the record: when that has not changed for the duration that it names, by the observer's own
 *    monotonic clock, its holder is gone and the Lease is taken, again with the version that was read.
 *
 * Invariant: `permit` was false for at least the margin before anybody else can be at step 2's end. The holder counts from the
 * moment in which its last successful request was *sent*, the others from the later moment in which they first saw it.
 */
export class LeaseLock {
  #lease: KubeObject | undefined;
  #record: LeaseRecord | undefined;
  /** Monotonic ms at which `#record` was first seen. */
  #observedMs = 0;
  /** Monotonic ms at which the request was sent that made the Lease ours; undefined: it is not. */
  #renewedMs: number | undefined;
  /** A claim was sent and not answered: the Lease may be ours without our knowing. */
  #isUnanswered = false;

  constructor(private readonly options: LeaseLockOptions) {}

  /** Monotonic ms at which the last successful renewal was sent; undefined while the Lease is not ours. */
  get renewedMs(): number | undefined {
    return this.#renewedMs;
  }

  /** Whether a write that starts now is safe. Looks at the clock at each call: a process that was stopped gets false. */
  permit(): boolean {
    const { clock, durationMs } = this.options;
    if (this.#renewedMs === undefined) return false;
    return clock.monotonicMs() <= this.#renewedMs + durationMs - safetyMarginMs(durationMs);
  }

  /** undefined before the first look. */
  get observation(): Observation | undefined {
    if (this.#lease === undefined || this.#record === undefined) return undefined;
    return {
      record: this.#record,
      annotations: this.#lease.metadata.annotations ?? {},
      isOurs: this.#isOurs(),
      isLive: this.#record.holder !== "" && this.expiresInMs > 0,
    };
  }

  /** ms until the observed record is too old to be relied on; 0 or less: it is. */
  get expiresInMs(): number {
    const { clock, durationMs } = this.options;
    const seconds = this.#record?.durationSeconds;
    const lastsMs = seconds === undefined ? durationMs : seconds * 1_000;
    return this.#observedMs + lastsMs - clock.monotonicMs();
  }

  /**
   * Acquires the Lease if it is free or has run out, renews it if it is ours.
   * @throws RetryableError, TerminalError what the API says; the Lease may have been written nevertheless
   */
  async acquireOrRenew(signal: AbortSignal): Promise<Attempt> {
    if (this.#lease !== undefined && this.#renewedMs !== undefined) {
      const attempt = await this.#claim(this.#lease, signal);
      if (attempt.kind === "held") return attempt;
    }
    const lease = await this.observe(signal);
    if (lease === undefined) return this.#create(signal);
    const { holder } = readLease(lease);
    if (!this.#isOurs()) {
      if (this.#renewedMs !== undefined) {
        this.#renewedMs = undefined;
        return { kind: "lost", holder };
      }
      if (holder !== "" && this.expiresInMs > 0) return { kind: "held-elsewhere", holder };
    }
    return this.#claim(lease, signal);
  }

  /** Reads the Lease, for its own sake: a follower that observes early can take over early. */
  async observe(signal: AbortSignal): Promise<KubeObject | undefined> {
    const lease = await this.options.api.get(LEASES, this.#ref(), signal);
    if (lease === undefined) this.#forget();
    else this.#see(lease);
    return lease;
  }

  /** Gives the Lease up if it is, or may be, ours. From the call on `permit` is false. @throws as `acquireOrRenew` */
  async release(signal: AbortSignal): Promise<void> {
    const known = this.#renewedMs === undefined ? undefined : this.#lease;
    this.#renewedMs = undefined;
    if (known === undefined && !this.#isUnanswered) return;
    if (known !== undefined && (await this.#writeRelease(known, signal))) return;
    // Its version is not the one that we remember: a claim whose answer got lost, or somebody else.
    const lease = await this.observe(signal);
    if (lease !== undefined && this.#isOurs()) await this.#writeRelease(lease, signal);
  }

  async #writeRelease(lease: KubeObject, signal: AbortSignal): Promise<boolean> {
    const result = await this.options.api.replace(LEASES, released(lease, this.#newClaim()), {
      signal,
      priority: "live",
    });
    if (result.kind !== "done") return false;
    if (result.object !== undefined) this.#see(result.object);
    return true;
  }

  async #claim(lease: KubeObject, signal: AbortSignal): Promise<Attempt> {
    const { api, clock } = this.options;
    const sentMs = clock.monotonicMs();
    const object = claimed(lease, this.#newClaim());
    const result = await this.#answered(api.replace(LEASES, object, { signal, priority: "live" }));
    switch (result.kind) {
      case "done":
        return this.#held(result.object, sentMs);
      case "conflict":
      case "not-found":
      case "already-exists":
        return { kind: "raced" };
      case "terminating":
      case "invalid":
        throw new TerminalError("FERRY-K011", `the Lease cannot be written: ${result.message}`);
    }
  }

  async #create(signal: AbortSignal): Promise<Attempt> {
    const { api, clock, namespace, name } = this.options;
    const sentMs = clock.monotonicMs();
    const object = newLease(namespace, name, this.#newClaim());
    const result = await this.#answered(api.create(LEASES, object, { signal, priority: "live" }));
    switch (result.kind) {
      case "done":
        return this.#held(result.object, sentMs);
      case "conflict":
      case "already-exists":
        return { kind: "raced" };
      // One that ends is as good as gone: what helps is the same, a little later.
      case "not-found":
      case "terminating":
        return { kind: "no-namespace" };
      case "invalid":
        throw new TerminalError("FERRY-K011", `the Lease cannot be created: ${result.message}`);
    }
  }

  /** Notes whether a claim may have been stored although it failed. */
  async #answered(claim: Promise<WriteResult>): Promise<WriteResult> {
    this.#isUnanswered = true;
    try {
      const result = await claim;
      this.#isUnanswered = false;
      return result;
    } catch (error) {
      const isOurs = error instanceof RetryableError || error instanceof TerminalError;
      const status = isOurs ? (error.status ?? 0) : 0;
      if (status >= 400 && status < 500) this.#isUnanswered = false;
      throw error;
    }
  }

  #held(lease: KubeObject | undefined, sentMs: number): Attempt {
    // Without the stored object its version is not known: the next renewal reads it.
    if (lease === undefined) this.#lease = undefined;
    else this.#see(lease);
    this.#renewedMs = sentMs;
    return { kind: "held" };
  }

  #see(lease: KubeObject): void {
    const record = readLease(lease);
    const isNew = this.#record === undefined || !isSameRecord(this.#record, record);
    if (isNew) this.#observedMs = this.options.clock.monotonicMs();
    this.#record = record;
    this.#lease = lease;
  }

  #forget(): void {
    this.#lease = undefined;
    this.#record = undefined;
    this.#renewedMs = undefined;
  }

  #isOurs(): boolean {
    return this.#record !== undefined && isHeldBy(this.#record, this.options.candidate);
  }

  #newClaim(): Claim {
    const { candidate, durationMs, clock } = this.options;
    return { candidate, durationMs, nowMs: clock.now() };
  }

  #ref(): ObjectRef {
    return { namespace: this.options.namespace, name: this.options.name };
  }
}

/** Any field that changes is a sign of life, however odd the holder's clock may be. */
function isSameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holder === b.holder &&
    a.processId === b.processId &&
    a.durationSeconds === b.durationSeconds &&
    a.acquireTime === b.acquireTime &&
    a.renewTime === b.renewTime &&
    a.transitions === b.transitions
  );
}
