/**
 * One writer per link, in standalone mode too: a rolling update runs two for a while.
 *
 * The fence is a key, bound to a lease, that is made by a transaction on "there is none". Every transaction of the mirror compares
 * that the key's create_revision is still ours, so a process that was paused for longer than its lease writes nothing: etcd
 * itself has removed the key. Neither the value nor mod_revision would do: both may change while it is ours.
 *
 * API writes are not fenced by etcd. Hence `permit()`: false as soon as the lease may have run out, by our own clock.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EtcdError, type Etcd, type GrantedLease } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import type { Keyspace } from "../link/keyspace.js";
import type { FenceStatus } from "../status/mirror-status.js";
import { HeldFence } from "./held-fence.js";

/** Asked for; what etcd grants counts. Short, because a standby waits as long; etcd's own minimum is about 2 s. */
const DEFAULT_TTL_SECONDS = 10;
/** Between two looks at a fence that somebody else holds. */
const LOOK_MS = 500;

export interface FenceOptions {
  readonly etcd: Etcd;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keyspace;
  /** What others are told: pod and process. */
  readonly identity: string;
  readonly ttlSeconds?: number;
}

export class Fence {
  #holder: string | undefined;
  #trouble: string | undefined;
  #held: HeldFence | undefined;

  constructor(private readonly options: FenceOptions) {}

  get status(): FenceStatus {
    const held = this.#held?.permit() === true;
    return {
      held,
      holder: held ? this.options.identity : this.#holder,
      trouble: held ? undefined : this.#trouble,
    };
  }

  /**
   * Waits until the fence is ours. Whatever goes wrong is told by `status` and tried again.
   * @param onOther called each time that another process is seen to hold it
   * @throws the signal's reason, nothing else
   */
  async acquire(signal: AbortSignal, onOther?: () => void): Promise<HeldFence> {
    for (;;) {
      signal.throwIfAborted();
      const held = await this.#attempt(signal);
      if (held !== undefined) return held;
      if (this.#holder !== undefined) onOther?.();
      await this.options.clock.sleep(LOOK_MS, signal);
    }
  }

  async #attempt(signal: AbortSignal): Promise<HeldFence | undefined> {
    try {
      const holder = await this.#look(signal);
      this.#saw(holder);
      if (holder !== undefined) return undefined;
      return await this.#take(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EtcdError)) throw error;
      this.#failed(error);
      return undefined;
    }
  }

  /** A look first: a lease that is granted for nothing would be a write every half second. */
  async #look(signal: AbortSignal): Promise<string | undefined> {
    const { etcd, keys } = this.options;
    const { kvs } = await etcd.range({ key: keys.fence }, { signal });
    return kvs[0]?.value.toString("utf8");
  }

  async #take(signal: AbortSignal): Promise<HeldFence | undefined> {
    const { etcd, clock, keys, identity, ttlSeconds = DEFAULT_TTL_SECONDS } = this.options;
    const askedMs = clock.monotonicMs();
    const lease = await etcd.grantLease(ttlSeconds, { signal });
    const value = Buffer.from(identity, "utf8");
    const created = await etcd.txn(
      transaction(
        [{ key: keys.fence, target: "create", is: "=", value: 0n }],
        [{ kind: "put", key: keys.fence, value, lease: lease.id }],
        [{ kind: "get", key: keys.fence }],
      ),
      { signal },
    );
    if (!created.succeeded) {
      await this.#giveBack(lease, signal);
      return undefined;
    }
    this.#trouble = undefined;
    this.#held = new HeldFence(this.options, {
      lease,
      createRevision: created.header.revision,
      sentMs: askedMs,
    });
    return this.#held;
  }

  async #giveBack(lease: GrantedLease, signal: AbortSignal): Promise<void> {
    try {
      await this.options.etcd.revokeLease(lease.id, { signal });
    } catch {
      // Nothing hangs on it: it runs out by itself.
    }
  }

  #saw(holder: string | undefined): void {
    if (holder !== undefined && holder !== this.#holder) {
      const { keys, log } = this.options;
      log.info({ link: keys.link, holder }, "another process writes this link, waiting");
    }
    this.#holder = holder;
    this.#trouble = undefined;
  }

  #failed(error: EtcdError): void {
    if (this.#trouble === error.kind) return;
    this.#trouble = error.kind;
    const { keys, log } = this.options;
    log.warn(
      { link: keys.link, code: error.kind, err: error },
      "fence cannot be taken, trying again",
    );
  }
}
