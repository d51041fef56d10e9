import type { Clock } from "../ports/clock.js";
import type { Random } from "../ports/random.js";
import { DelayLine } from "./delay-line.js";
import { newEntry, type Entry } from "./entry.js";
import { ReadyLists } from "./ready-lists.js";
import type { WorkOptions, WorkPriority } from "./work-options.js";

/** One key handed out. Whoever took it calls `done` or `retry` exactly once. */
export interface WorkItem<K, Note> {
  readonly key: K;
  readonly note: Note | undefined;
  /** Attempts that failed since the last success; 0 on the first. */
  readonly failures: number;
  readonly priority: WorkPriority;
  /** Monotonic ms of the oldest add that this item stands for, retries included. */
  readonly addedAtMs: number;
}

export interface WorkQueueOptions<Note> {
  readonly clock: Clock;
  /** For the jitter of the backoff; without it there is none. */
  readonly random?: Random | undefined;
  /** First backoff. Default 5 ms. Source: client-go util/workqueue/default_rate_limiters.go. */
  readonly baseDelayMs?: number | undefined;
  /** Longest backoff. Default 30 s: with client-go's 1,000 s a key would stay stale for a quarter of an hour after an outage. */
  readonly maxDelayMs?: number | undefined;
  /** Pure. `older` was added first. */
  readonly mergeNotes: (older: Note, newer: Note) => Note;
}

/**
 * Keys to work on: each once, however often it was added.
 *
 * Invariant: a key is in one place: ready, waiting for its time, or in flight (then `again` holds what was added meanwhile).
 * Invariant: a key in flight is not handed out a second time; what is added meanwhile counts from `done` or `retry` on.
 * Invariant: a key that nobody wants any more leaves no trace, its failures included.
 */
export class WorkQueue<K extends string, Note> {
  readonly #clock: Clock;
  readonly #random: Random | undefined;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #mergeNotes: (older: Note, newer: Note) => Note;

  readonly #entries = new Map<K, Entry<K, Note>>();
  readonly #ready = new ReadyLists<K, Note>();
  readonly #waiting: DelayLine<Entry<K, Note>>;
  readonly #takers = new Set<(item: WorkItem<K, Note> | undefined) => void>();
  #inFlight = 0;
  #closed = false;

  constructor(options: WorkQueueOptions<Note>) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 30_000;
    this.#mergeNotes = options.mergeNotes;
    this.#waiting = new DelayLine(options.clock, (entry, now) => this.#makeReady(entry, now));
  }

  /** Keys that can be taken now. */
  get size(): number {
    return this.#ready.size("live") + this.#ready.size("bulk");
  }

  /** Keys whose time has not come: backoff, Retry-After, addAfter. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Keys of one priority that can be taken now. */
  depth(priority: WorkPriority): number {
    return this.#ready.size(priority);
  }

  /** For how many ms the first ready key of this priority has been waiting to be taken; 0 when there is none. */
  oldestMs(priority: WorkPriority): number {
    const first = this.#ready.first(priority);
    return first === undefined ? 0 : this.#clock.monotonicMs() - first.readyAtMs;
  }

  /**
   * Makes the key available now. On a key that waits: a live add ends an ordinary backoff, as client-go's Add does (something
   * changed, so the next attempt may succeed), but never a Retry-After that a server asked for; a bulk add brings no news and
   * leaves a backoff as it is. The failures count on.
   */
  add(key: K, options: WorkOptions<Note>): void {
    this.addAfter(key, 0, options);
  }

  /** As `add`, `delayMs` from now. The earlier of two times counts. */
  addAfter(key: K, delayMs: number, options: WorkOptions<Note>): void {
    if (this.#closed) return;
    const now = this.#clock.monotonicMs();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const created = newEntry<K, Note>(key, now, options);
      this.#entries.set(key, created);
      this.#schedule(created, now + delayMs, now);
      return;
    }
    switch (entry.place) {
      case "in-flight":
        return this.#addAgain(entry, now + delayMs, options, now);
      case "ready":
        return this.#joinReady(entry, options);
      case "waiting":
        return this.#joinWaiting(entry, now + delayMs, options, now);
    }
  }

  /** The next key, live before bulk, in the order in which they became ready. undefined when `signal` aborts or the queue closes. */
  take(signal: AbortSignal): Promise<WorkItem<K, Note> | undefined> {
    if (this.#closed || signal.aborted) return Promise.resolve(undefined);
    const item = this.#next();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => {
      const give = (given: WorkItem<K, Note> | undefined): void => {
        signal.removeEventListener("abort", abort);
        this.#takers.delete(give);
        resolve(given);
      };
      const abort = (): void => give(undefined);
      signal.addEventListener("abort", abort, { once: true });
      this.#takers.add(give);
    });
  }

  /** This attempt needs no other: it succeeded, or no retry can help. The failures are forgotten. */
  done(key: K): void {
    const entry = this.#land(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const { again } = entry;
    if (again !== undefined && !this.#closed) {
      const renewed = newEntry<K, Note>(key, again.addedAtMs, again);
      this.#entries.set(key, renewed);
      this.#schedule(renewed, again.dueMs, this.#clock.monotonicMs());
    }
  }

  /**
   * This attempt failed: the key comes back with its note after `baseDelayMs` · 2^failures, up to `maxDelayMs`, less a jitter of
   * up to half of it, and not before `afterMs` (a server's Retry-After). A live add during the attempt cuts the backoff short.
   */
  retry(key: K, options: { readonly afterMs?: number | undefined } = {}): void {
    const entry = this.#land(key);
    if (entry === undefined) return;
    if (this.#closed) {
      this.#entries.delete(key);
      return;
    }
    const now = this.#clock.monotonicMs();
    const { again } = entry;
    let dueMs = now + this.#backoffMs(entry.failures);
    entry.failures += 1;
    entry.notBeforeMs = now + (options.afterMs ?? 0);
    entry.again = undefined;
    if (again !== undefined) entry.note = this.#merged(entry.note, again.note);
    if (again?.priority === "live") {
      entry.priority = "live";
      dueMs = Math.min(dueMs, again.dueMs);
    }
    this.#schedule(entry, Math.max(dueMs, entry.notBeforeMs), now);
  }

  /** The key has nothing to wait for any more. One that is in flight stays so. */
  drop(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.place === "in-flight") return;
    if (entry.place === "ready") this.#ready.remove(entry);
    else this.#waiting.remove(entry);
    this.#entries.delete(key);
  }

  /** Drops what is queued and hands out nothing more; keys in flight may still land. Resolves when the timer has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const give of this.#takers) give(undefined);
    for (const [key, entry] of this.#entries) {
      if (entry.place === "ready") this.#ready.remove(entry);
      if (entry.place !== "in-flight") this.#entries.delete(key);
    }
    await this.#waiting.close();
  }

  #addAgain(entry: Entry<K, Note>, dueMs: number, options: WorkOptions<Note>, now: number): void {
    const { again } = entry;
    entry.again = {
      priority: again?.priority === "live" ? "live" : options.priority,
      note: this.#merged(again?.note, options.note),
      addedAtMs: again?.addedAtMs ?? now,
      dueMs: Math.min(again?.dueMs ?? dueMs, dueMs),
    };
  }

  #joinReady(entry: Entry<K, Note>, options: WorkOptions<Note>): void {
    entry.note = this.#merged(entry.note, options.note);
    if (entry.priority === "live" || options.priority === "bulk") return;
    this.#ready.remove(entry);
    entry.priority = "live";
    this.#ready.push(entry);
  }

  #joinWaiting(
    entry: Entry<K, Note>,
    dueMs: number,
    options: WorkOptions<Note>,
    now: number,
  ): void {
    entry.note = this.#merged(entry.note, options.note);
    if (options.priority === "live") entry.priority = "live";
    else if (entry.failures > 0) return;
    const earliestMs = Math.max(dueMs, entry.notBeforeMs);
    if (earliestMs >= entry.dueMs) return;
    this.#waiting.remove(entry);
    this.#schedule(entry, earliestMs, now);
  }

  /** Puts an entry that is in no list where it belongs. */
  #schedule(entry: Entry<K, Note>, dueMs: number, now: number): void {
    if (dueMs <= now) {
      this.#makeReady(entry, now);
      return;
    }
    entry.place = "waiting";
    entry.dueMs = dueMs;
    this.#waiting.push(entry);
  }

  #makeReady(entry: Entry<K, Note>, now: number): void {
    entry.place = "ready";
    entry.readyAtMs = now;
    entry.notBeforeMs = 0;
    this.#ready.push(entry);
    const [give] = this.#takers;
    if (give !== undefined) give(this.#next());
  }

  #next(): WorkItem<K, Note> | undefined {
    const entry = this.#ready.shift();
    if (entry === undefined) return undefined;
    entry.place = "in-flight";
    this.#inFlight += 1;
    const { key, note, failures, priority, addedAtMs } = entry;
    return { key, note, failures, priority, addedAtMs };
  }

  /** undefined: the key is not in flight, so it landed before; the second call changes nothing. */
  #land(key: K): Entry<K, Note> | undefined {
    const entry = this.#entries.get(key);
    if (entry?.place !== "in-flight") return undefined;
    this.#inFlight -= 1;
    return entry;
  }

  #backoffMs(failures: number): number {
    const fullMs = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** failures);
    return fullMs - ((this.#random?.next() ?? 0) * fullMs) / 2;
  }

  #merged(older: Note | undefined, newer: Note | undefined): Note | undefined {
    if (older === undefined || newer === undefined) return newer ?? older;
    return this.#mergeNotes(older, newer);
  }
}
