/** How far the source is applied without a gap, while many changes are on their way at once. */

/** One change that was read and is not applied yet. */
export interface Ticket {
  readonly revision: bigint;
  /** Monotonic ms when it was read. */
  readonly readMs: number;
  isDone: boolean;
}

/**
 * The source is asked every 10 s. Where its last word is older than that and a few seconds for the answer, nobody knows what it holds by
 * now.
 */
const SILENT_MS = 15_000;
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
  #heardMs: number;

  /** @param applied where the last one stood. @param nowMs monotonic, as all times here */
  constructor(applied: bigint, nowMs: number) {
    this.#read = applied;
    this.#heardMs = nowMs;
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

  /** Age of the oldest change that is not applied, or of a silent source's last word, whichever is older; 0 when there is neither. */
  lagMs(nowMs: number): number {
    const silentMs = nowMs - this.#heardMs;
    const unheardMs = silentMs > SILENT_MS ? silentMs : 0;
    return Math.max(unheardMs, nowMs - (this.#oldest?.readMs ?? nowMs));
  }

  /** The source has said something, if only that nothing has happened. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
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
