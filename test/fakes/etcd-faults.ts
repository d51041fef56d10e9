/** What a test does to the calls of a fake etcd. Nothing of it is on at the start. */
import { EtcdError, type EtcdErrorKind } from "../../sidecar/etcd/etcd.js";

/** Calls by what they are; "range" is `revision` too, "lease" all three of them. */
export type EtcdCall = "range" | "txn" | "lease" | "members" | "compact";

/** Calls that wait for the test. */
export interface Held {
  /** How many wait now. */
  readonly waiting: number;
  /** Lets all go on, and later ones pass. */
  release(): void;
}

export class EtcdFaults {
  #failures: { readonly kind: EtcdErrorKind; left: number; readonly of: EtcdCall | undefined }[] =
    [];
  #lostAnswers = 0;
  #outage = false;
  readonly #holds = new Set<Hold>();

  /** The next `count` calls (of one sort, or of any) fail with `kind`, without having done anything. */
  failNext(count: number, kind: EtcdErrorKind, of?: EtcdCall): void {
    this.#failures.push({ kind, left: count, of });
  }

  /** The next `count` transactions are done, but their caller hears `unknown-outcome`. */
  loseAnswers(count: number): void {
    this.#lostAnswers += count;
  }

  /** From now on calls of this sort wait, before they do anything, until the test releases them. */
  hold(of: EtcdCall): Held {
    const hold = new Hold(of, () => this.#holds.delete(hold));
    this.#holds.add(hold);
    return hold;
  }

  get outage(): boolean {
    return this.#outage;
  }

  /** For FakeEtcd.outage, which also ends the streams. */
  setOutage(outage: boolean): void {
    this.#outage = outage;
  }

  /**
   * Before a call does anything.
   * @throws EtcdError what the test wants; the signal's reason when that aborts meanwhile
   */
  async before(call: EtcdCall, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const hold of this.#holds) if (hold.of === call) await hold.pass(signal);
    if (this.#outage) throw unavailable();
    const failure = this.#failures.find(({ of }) => of === undefined || of === call);
    if (failure === undefined) return;
    failure.left--;
    if (failure.left === 0) this.#failures = this.#failures.filter((one) => one !== failure);
    throw new EtcdError(failure.kind, `${failure.kind}, as the test wants it`);
  }

  /** After a transaction was done. @throws EtcdError unknown-outcome when its answer is lost */
  afterTxn(): void {
    if (this.#lostAnswers === 0) return;
    this.#lostAnswers--;
    throw new EtcdError("unknown-outcome", "the answer was lost, as the test wants it");
  }
}

class Hold implements Held {
  readonly #released: Promise<void>;
  #release: () => void = () => {};
  #waiting = 0;

  constructor(
    readonly of: EtcdCall,
    private readonly onRelease: () => void,
  ) {
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  get waiting(): number {
    return this.#waiting;
  }

  release(): void {
    this.onRelease();
    this.#release();
  }

  async pass(signal: AbortSignal): Promise<void> {
    this.#waiting++;
    let onAbort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener("abort", onAbort);
    });
    await Promise.race([this.#released, aborted]);
    signal.removeEventListener("abort", onAbort);
    this.#waiting--;
    signal.throwIfAborted();
  }
}

function unavailable(): EtcdError {
  return new EtcdError("unavailable", "the server is down, as the test wants it");
}
