import type { Entry } from "./entry.js";
import { Fifo } from "./fifo.js";
import type { WorkPriority } from "./work-options.js";

/** A bulk key is taken after this many live ones in a row: a flood of changes delays a resync but does not stop it. */
const LIVE_PER_BULK = 32;

/** The keys that can be taken now: live before bulk, first in, first out within each. */
export class ReadyLists<K, Note> {
  readonly #lists = { live: new Fifo<Entry<K, Note>>(), bulk: new Fifo<Entry<K, Note>>() };
  #liveInRow = 0;

  size(priority: WorkPriority): number {
    return this.#lists[priority].size;
  }

  first(priority: WorkPriority): Entry<K, Note> | undefined {
    return this.#lists[priority].first;
  }

  push(entry: Entry<K, Note>): void {
    this.#lists[entry.priority].push(entry);
  }

  remove(entry: Entry<K, Note>): void {
    this.#lists[entry.priority].remove(entry);
  }

  /** Takes the next entry out. */
  shift(): Entry<K, Note> | undefined {
    const live = this.#lists.live.first;
    const bulk = this.#lists.bulk.first;
    const entry = this.#liveInRow >= LIVE_PER_BULK ? (bulk ?? live) : (live ?? bulk);
    if (entry === undefined) return undefined;
    this.remove(entry);
    this.#liveInRow = entry.priority === "live" ? this.#liveInRow + 1 : 0;
    return entry;
  }
}
