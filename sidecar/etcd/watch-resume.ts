/** From which revision a watch goes on, and what of a response is handed over. Pure: the whole rule of not losing events. */
import type { WatchedEvent, WatchItem } from "./etcd.js";
import type { WatchResponse } from "./responses.js";

export class Resume {
  #next: bigint;
  /** Of a revision that may go on in the next piece of its response. */
  #fragments: WatchedEvent[] = [];

  constructor(from: bigint) {
    this.#next = from;
  }

  /** The first revision that has not been handed over: where a new stream begins. */
  get next(): bigint {
    return this.#next;
  }

  /** A new stream begins: pieces of the old one will come again. */
  restart(): void {
    this.#fragments = [];
  }

  /** @param trusted whether this server's progress is true */
  take(response: WatchResponse, trusted: boolean): WatchItem | undefined {
    const { header, events, created, fragment, hadEvents } = response;
    if (created) return undefined;
    if (!hadEvents && !fragment && this.#fragments.length === 0) {
      return trusted ? this.#progress(response) : undefined;
    }
    // A member that lags may send older events than were asked for (etcd#20221).
    this.#fragments.push(...events.filter(({ kv }) => kv.modRevision >= this.#next));
    const whole = this.#takeWhole(fragment);
    const last = whole.at(-1);
    if (last === undefined) return undefined;
    this.#next = last.kv.modRevision + 1n;
    return { kind: "events", header, events: whole };
  }

  /**
   * Whole revisions. While more pieces follow, the last revision may go on in the next one and stays here; the others do not
   * wait for it: a watch that catches up gets up to 1,000 revisions as pieces of one response, a gigabyte at worst.
   */
  #takeWhole(moreFollow: boolean): readonly WatchedEvent[] {
    const all = this.#fragments;
    const open = moreFollow ? all.at(-1)?.kv.modRevision : undefined;
    const end = all.findIndex(({ kv }) => kv.modRevision === open);
    this.#fragments = end === -1 ? [] : all.slice(end);
    return end === -1 ? all : all.slice(0, end);
  }

  #progress({ header }: WatchResponse): WatchItem {
    if (header.revision >= this.#next) this.#next = header.revision + 1n;
    return { kind: "progress", header, revision: header.revision };
  }
}
