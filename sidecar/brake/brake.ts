/**
 * Holds mass deletions until a person has said that they are meant so: one relabelled Namespace, one reload, one lying source
 * must not empty a destination. What is held becomes debts; nothing is lost or forgotten.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { BrakeStatus } from "../status/mirror-status.js";

/** Few deletions are never a disaster, and a small installation must be able to shrink. */
const FREE_DELETIONS = 10;
const MAX_SHARE = 0.3;
/** Deletions in the source pass, but not so many of them within this time. */
const WINDOW_MS = 60_000;

/** Whether so many deletions of what is there need a person's word. All or none: a share of a mistake is a mistake. */
export function isMassDeletion(deletions: number, owned: number): boolean {
  return deletions > FREE_DELETIONS && deletions > owned * MAX_SHARE;
}

export class Brake {
  /** Monotonic ms of the deletions by events within the window, oldest first. */
  #events: number[] = [];
  readonly #causes = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly allowsAll: boolean,
  ) {}

  /** Something was held, and nobody has released it. */
  get isEngaged(): boolean {
    return this.#causes.size > 0;
  }

  /** @param held deletions that are owed as `braked`: where all of them are wanted again, or gone, nothing is held any more */
  status(held: number): BrakeStatus {
    const engaged = this.isEngaged && held > 0;
    return { engaged, causes: engaged ? [...this.#causes] : [], held: engaged ? held : 0 };
  }

  /**
   * May a sweep remove so many objects of one rule?
   * @param owned of the rule, the ones to be removed among them
   */
  allows(cause: string, deletions: number, owned: number): boolean {
    if (this.allowsAll || !isMassDeletion(deletions, owned)) return true;
    this.#causes.add(cause);
    return false;
  }

  /**
   * May one object go because of an event of the source?
   * @param owned all objects of the link, this one among them
   */
  allowsEvent(owned: number): boolean {
    if (this.allowsAll) return true;
    const nowMs = this.clock.monotonicMs();
    const fresh = this.#events.findIndex((atMs) => atMs > nowMs - WINDOW_MS);
    if (fresh !== 0) this.#events = fresh === -1 ? [] : this.#events.slice(fresh);
    const gone = this.#events.length;
    if (isMassDeletion(gone + 1, owned + gone)) {
      this.#causes.add("events");
      return false;
    }
    this.#events.push(nowMs);
    return true;
  }

  /** A person has said that all of this is meant so. */
  release(): void {
    this.#causes.clear();
    this.#events = [];
  }

  /** What was held in an earlier process still is. */
  restore(held: number): void {
    if (held > 0) this.#causes.add("restart");
  }
}
