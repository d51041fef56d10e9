/** How far the source is applied without a gap, while many changes are on their way at once. */

/** One change that was read and is not applied yet. */
export interface Ticket {
  readonly revision: bigint;
  /** Monotonic ms when it was read. */
  readonly readMs: number;
  isDone: boolean;
}

/** Enough that moving the rest down is rare. */
const COMPACT_AT = 1_024;

/**
 * Every change of the source at or below `mark` is acknowledged by the destination, or a debt. What is above may be too; doing it
 * again is harmless. Tickets are begun in the order of their revisions.
 */
export class LowWaterMark {
  #tickets: Ticket[] = [];
  #first = 0;
  #read: bigint;

  /** @param applied where the last one stood */
  constructor(applied: bigint) {
    this.#read = applied;
  }

  /** Everything at or below it is applied. */
  get mark(): bigint {
    const oldest = this.#oldest;
    if (oldest === undefined) return this.#read;
    const below = oldest.revision - 1n;
    return below < this.#read ? below : this.#read;
  }

  /** Newest revision of which all changes were begun. */
  get read(): bigint {
    return this.#read;
  }

  /** Age of the oldest change that is not applied; 0 when there is none. */
  lagMs(nowMs: number): number {
    const oldest = this.#oldest;
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.readMs);
  }

  begin(revision: bigint, readMs: number): Ticket {
    const ticket = { revision, readMs, isDone: false };
    this.#tickets.push(ticket);
    return ticket;
  }

  done(ticket: Ticket): void {
    ticket.isDone = true;
    while (this.#tickets[this.#first]?.isDone === true) this.#first += 1;
    if (this.#first < COMPACT_AT) return;
    this.#tickets = this.#tickets.slice(this.#first);
    this.#first = 0;
  }

  /** All changes at or below `revision` were begun: the watch has delivered them, or said that there are none. */
  readUpTo(revision: bigint): void {
    if (revision > this.#read) this.#read = revision;
  }

  get #oldest(): Ticket | undefined {
    return this.#tickets[this.#first];
  }
}
