/** From which revision a watch goes on, and what of a response is handed over. Pure: the whole rule of not losing events. */
import type { WatchedEvent, WatchItem } from "./etcd.js";
import type { WatchResponse } from "./responses.js";

export class Resume {
  #next: bigint;
  /** Of a response that comes in pieces. */
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
    if (fragment) return undefined;
    const all = this.#fragments;
    this.#fragments = [];
    const last = all.at(-1);
    if (last === undefined) return undefined;
    this.#next = last.kv.modRevision + 1n;
    return { kind: "events", header, events: all };
  }

  #progress({ header }: WatchResponse): WatchItem {
    if (header.revision >= this.#next) this.#next = header.revision + 1n;
    return { kind: "progress", header, revision: header.revision };
  }
}
