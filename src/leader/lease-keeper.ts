import type { Clock } from "../ports/clock.js";
import type { LeaseCause } from "../ports/destination-lease.js";
import { RetryableError, TerminalError, type ErrorCode } from "../ports/errors.js";
import type { KubeApi } from "../ports/kube-api.js";
import { NAMESPACES } from "../ports/kube-resources.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import { LeaseLock, type Attempt } from "./lease-lock.js";
import { within } from "./within.js";

/** How one process takes part in the election for one Lease. Durations in ms, each longer than the next. */
export interface LeaseOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly leaseNamespace: string;
  readonly leaseName: string;
  /** The pod's name, as holderIdentity. */
  readonly identity: string;
  /** New in each process: two processes of one identity never both hold the Lease. */
  readonly processId: string;
  /** Published on the Lease while it is ours, e.g. the hand-off address. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Nobody else takes the Lease before it was silent for this long. client-go: 15 s. */
  readonly durationMs: number;
  /** The holder gives up when no renewal succeeded for this long. client-go: 10 s. */
  readonly renewDeadlineMs: number;
  /** Between two renewals. client-go: 2 s. */
  readonly retryPeriodMs: number;
  /** Make the Lease's namespace if it is missing. Default false. */
  readonly createNamespace?: boolean | undefined;
  /**
   * Ask for the Lease's namespace when RBAC says no: a Role in a namespace that is missing is missing, too, and it is the namespace
   * that somebody has to make. Needs `get` on it. Default false.
   */
  readonly asksForNamespace?: boolean | undefined;
}

/** What an attempt came to when failures count as an outcome: "failed" carries the FERRY code, or "unknown". */
export type Outcome = Attempt | { readonly kind: "failed"; readonly code: ErrorCode | "unknown" };

/** Sources of the factor: client-go tools/leaderelection, JitterFactor. */
const JITTER_FACTOR = 1.2;
/** A stop takes 5 s at most: 2.5 s for writes under way and this, when the cluster of the Lease does not answer. */
const MAX_RELEASE_MS = 1_500;

/** A LeaseLock with patience: no call hangs, none throws, and each new cause of failure is logged once, with the way out. */
export class LeaseKeeper {
  readonly lock: LeaseLock;
  #cause: LeaseCause;

  constructor(private readonly options: LeaseOptions) {
    const { api, clock, leaseNamespace, leaseName, identity, processId, durationMs } = options;
    this.lock = new LeaseLock({
      api,
      clock,
      namespace: leaseNamespace,
      name: leaseName,
      candidate: { identity, processId, annotations: options.annotations ?? {} },
      durationMs,
    });
  }

  /** Why the last attempt failed; undefined: it did not. */
  get cause(): LeaseCause {
    return this.#cause;
  }

  acquireOrRenew(signal: AbortSignal, limitMs = this.#requestMs): Promise<Outcome> {
    return this.#attempt(signal, limitMs, async (cut) => {
      const attempt = await this.#orHomeless(() => this.lock.acquireOrRenew(cut), cut);
      if (attempt.kind !== "no-namespace" || this.options.createNamespace !== true) return attempt;
      return this.#createNamespace(cut);
    });
  }

  /** One look, for those who do not want the Lease yet. */
  async observe(signal: AbortSignal): Promise<void> {
    await this.#attempt(signal, this.#requestMs, async (cut) => {
      return this.#orHomeless(async () => {
        await this.lock.observe(cut);
        return { kind: "raced" };
      }, cut);
    });
  }

  /** Not cut by the process's own end, which is when it is needed; short, because that end waits for it. */
  async release(): Promise<void> {
    const { clock, log } = this.options;
    try {
      await within({ clock, ms: Math.min(this.#requestMs, MAX_RELEASE_MS) }, (cut) =>
        this.lock.release(cut),
      );
    } catch (err) {
      // Nobody is hurt: the others wait until it has run out.
      log.warn({ ...this.#fields(), err }, "lease not released");
    }
  }

  /** ms until the next attempt. */
  pauseMs(outcome: Outcome): number {
    const { random, retryPeriodMs } = this.options;
    switch (outcome.kind) {
      case "held":
        return retryPeriodMs;
      case "held-elsewhere":
        // Four looks per renewal at most, two at least: a release is noticed soon, and the take-over of a holder that died is late by
        // half a period instead of client-go's 2.2. Once it has run out, every further moment without a leader is waste.
        return Math.max(1, Math.min(this.lock.expiresInMs, this.#lookMs()));
      case "raced":
      case "lost":
        return this.#lookMs();
      case "no-namespace":
      case "failed":
        return retryPeriodMs * (1 + JITTER_FACTOR * random.next());
    }
  }

  /** A request is given half of the deadline, so that one that hangs leaves time for another. Source: client-go resourcelock. */
  get #requestMs(): number {
    return this.options.renewDeadlineMs / 2;
  }

  #lookMs(): number {
    return this.options.retryPeriodMs * (0.25 + 0.25 * this.options.random.next());
  }

  async #attempt(
    signal: AbortSignal,
    limitMs: number,
    work: (cut: AbortSignal) => Promise<Attempt>,
  ): Promise<Outcome> {
    const { clock } = this.options;
    try {
      const attempt = await within({ clock, ms: limitMs, parent: signal }, work);
      if (attempt.kind === "no-namespace") this.#failed("no-namespace", undefined);
      else this.#works();
      return attempt;
    } catch (error) {
      const isOurs = error instanceof RetryableError || error instanceof TerminalError;
      const code = isOurs ? error.code : "unknown";
      if (!signal.aborted) this.#failed(code, error);
      return { kind: "failed", code };
    }
  }

  /** A refusal in a namespace that is not there is told as what it comes from. @throws what the attempt throws */
  async #orHomeless(attempt: () => Promise<Attempt>, signal: AbortSignal): Promise<Attempt> {
    try {
      return await attempt();
    } catch (error) {
      const isRefused = error instanceof RetryableError && error.code === "FERRY-K006";
      if (!isRefused || !(await this.#lacksNamespace(signal))) throw error;
      return { kind: "no-namespace" };
    }
  }

  async #lacksNamespace(signal: AbortSignal): Promise<boolean> {
    const { api, leaseNamespace: name, asksForNamespace } = this.options;
    if (asksForNamespace !== true) return false;
    try {
      return (await api.get(NAMESPACES, { name }, signal)) === undefined;
    } catch {
      return false; // then the refusal is all that is known
    }
  }

  async #createNamespace(signal: AbortSignal): Promise<Attempt> {
    const { api, leaseNamespace } = this.options;
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: leaseNamespace } };
    await api.create(NAMESPACES, namespace, { signal, priority: "live" });
    return { kind: "raced" };
  }

  #failed(cause: NonNullable<LeaseCause>, err: unknown): void {
    if (cause === this.#cause) return;
    this.#cause = cause;
    const fix = wayOut(cause, this.options);
    const fields = { ...this.#fields(), code: cause, fix, ...(err === undefined ? {} : { err }) };
    if (fix === undefined) this.options.log.warn(fields, "lease cannot be reached, trying again");
    else this.options.log.error(fields, "lease cannot be used, trying again");
  }

  #works(): void {
    if (this.#cause === undefined) return;
    this.#cause = undefined;
    this.options.log.info(this.#fields(), "lease can be used again");
  }

  #fields(): { readonly cluster: string; readonly lease: string } {
    const { api, leaseNamespace, leaseName } = this.options;
    return { cluster: api.cluster, lease: `${leaseNamespace}/${leaseName}` };
  }
}

/** What a person must do; undefined: waiting helps. */
function wayOut(cause: string, { leaseNamespace, leaseName }: LeaseOptions): string | undefined {
  switch (cause) {
    case "no-namespace":
      return `create the namespace ${leaseNamespace}`;
    case "FERRY-K005":
      return "renew the credentials of this cluster's kubeconfig or ServiceAccount";
    case "FERRY-K006":
      return `allow get, create and update on leases.coordination.k8s.io in namespace ${leaseNamespace}`;
    case "FERRY-K011":
      return `look at the Lease ${leaseNamespace}/${leaseName}: the server refuses what is written to it`;
    default:
      return undefined;
  }
}
