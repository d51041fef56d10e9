/**
 * What a replica remembers of the changes that it let pass: one hint for each Service, for as long as the change can still be
 * stored, whether a leader has it or not. A leader may be killed after it took it, and the next one has to be told again.
 */
import type { ServiceKey } from "../src/domain/service-key.js";
import type { Clock } from "../src/ports/clock.js";
import { MAX_BATCH_HINTS, type HandOffBatch } from "../src/ports/hand-off.js";
import type { Hint } from "../src/ports/hint.js";

/** The API server gives a request 60 s, with all its retries; what is not stored by then never is. */
const KEEP_MS = 65_000;
/** Some 10 MB. Beyond it nothing grows: that hints were lost is all that is kept of them. */
const MAX_KEYS = 10_000;

/** "No more fit", told to each leader once in `KEEP_MS` however long the flood lasts. */
interface Loss {
  readonly untilMs: number;
  isTold: boolean;
  /** Something was lost after this was last put into a batch. */
  hasMore: boolean;
}

export class KeptHints {
  /** The oldest first. */
  readonly #keptByService = new Map<
    ServiceKey,
    { readonly hint: Hint; readonly untilMs: number }
  >();
  /** Those that the leader of the moment has not confirmed, the oldest first. */
  readonly #pendingByService = new Map<ServiceKey, Hint>();
  #loss: Loss | undefined;

  /** @param onLoss hints begin to be lost, or go on to be after one `KEEP_MS` */
  constructor(
    private readonly clock: Clock,
    private readonly onLoss: () => void,
  ) {}

  get size(): number {
    return this.#keptByService.size;
  }

  /** There is nothing that comes to its time. */
  get isEmpty(): boolean {
    return this.size === 0 && this.#loss === undefined;
  }

  /** The leader has something to be told. */
  get isPending(): boolean {
    return this.#pendingByService.size > 0 || this.#loss?.isTold === false;
  }

  /** Takes the place of an earlier one of the same Service. False: it says nothing new. */
  offer(hint: Hint): boolean {
    this.forgetOld();
    const { service } = hint;
    const before = this.#keptByService.get(service);
    if (before !== undefined && isSame(before.hint, hint)) return false;
    if (before === undefined && this.size >= MAX_KEYS) return this.#lose();
    this.#remove(service);
    this.#keptByService.set(service, { hint, untilMs: this.clock.monotonicMs() + KEEP_MS });
    this.#pendingByService.set(service, hint);
    return true;
  }

  forgetOld(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [service, { untilMs }] of this.#keptByService) {
      if (untilMs > nowMs) break;
      this.#remove(service);
    }
    const loss = this.#loss;
    if (loss === undefined || !loss.isTold || loss.untilMs > nowMs) return;
    this.#loss = undefined;
    if (loss.hasMore) this.#lose();
  }

  /** Another leads: nothing counts as confirmed. */
  offerAllAgain(): void {
    this.#pendingByService.clear();
    for (const [service, { hint }] of this.#keptByService)
      this.#pendingByService.set(service, hint);
    if (this.#loss !== undefined) this.#loss.isTold = false;
  }

  /** What to deliver next, the oldest first. */
  batch(): HandOffBatch {
    const hints: Hint[] = [];
    for (const hint of this.#pendingByService.values()) {
      if (hints.push(hint) === MAX_BATCH_HINTS) break;
    }
    const resync = this.#loss?.isTold === false;
    if (this.#loss !== undefined && resync) this.#loss.hasMore = false;
    return { hints, resync };
  }

  /** The leader has taken it; but for what was replaced meanwhile, that is done. */
  confirm({ hints, resync }: HandOffBatch): void {
    for (const hint of hints) {
      if (this.#pendingByService.get(hint.service) === hint) {
        this.#pendingByService.delete(hint.service);
      }
    }
    if (resync && this.#loss !== undefined) this.#loss.isTold = true;
  }

  /** True: that is news. */
  #lose(): boolean {
    if (this.#loss !== undefined) {
      this.#loss.hasMore = true;
      return false;
    }
    this.#loss = { untilMs: this.clock.monotonicMs() + KEEP_MS, isTold: false, hasMore: false };
    this.onLoss();
    return true;
  }

  #remove(service: ServiceKey): void {
    this.#keptByService.delete(service);
    this.#pendingByService.delete(service);
  }
}

/** One conflict inside the API server runs the whole admission chain again. */
function isSame(one: Hint, other: Hint): boolean {
  return (
    one.changeId === other.changeId &&
    one.operation === other.operation &&
    one.uid === other.uid &&
    one.by === other.by
  );
}
