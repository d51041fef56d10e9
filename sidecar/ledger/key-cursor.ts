import { prefixEnd, type KeyValue, type RangeOptions, type RangeResult } from "../etcd/etcd.js";
import { compareKeys } from "../link/keyspace.js";

/** Keys without values are short: 1,000 of them are 100 kB. */
const PAGE_KEYS = 1_000;

/** Walks the keys of a range of the destination in order, beside something that is walked in the same order. */
export class KeyCursor {
  #page: readonly KeyValue[] = [];
  #at = 0;
  #from: string | undefined;
  readonly #end: string;

  /** @param range what is put before a path to make a key, and where the paths begin and end */
  constructor(
    private readonly read: (options: RangeOptions) => Promise<RangeResult>,
    private readonly base: string,
    range: { readonly prefix: string; readonly after?: string | undefined },
  ) {
    this.#from = base + (range.after === undefined ? range.prefix : `${range.after}\0`);
    this.#end = prefixEnd(base + range.prefix);
  }

  /** Takes all paths before `path`; undefined: all that are left. */
  async *before(path: string | undefined): AsyncGenerator<string, void> {
    for (;;) {
      const current = await this.#current();
      if (current === undefined) return;
      const here = current.key.slice(this.base.length);
      if (path !== undefined && compareKeys(here, path) >= 0) return;
      this.#at += 1;
      yield here;
    }
  }

  /** Takes the key of this path, if it is next. */
  async take(path: string): Promise<KeyValue | undefined> {
    const current = await this.#current();
    if (current?.key !== this.base + path) return undefined;
    this.#at += 1;
    return current;
  }

  /** False: nothing at or before `path` is left, which is known without reading. */
  mayReach(path: string): boolean {
    const next = this.#page[this.#at];
    if (next === undefined) return this.#from !== undefined;
    return compareKeys(next.key.slice(this.base.length), path) <= 0;
  }

  async #current(): Promise<KeyValue | undefined> {
    while (this.#at === this.#page.length) {
      if (this.#from === undefined) return undefined;
      const page = await this.read({
        key: this.#from,
        rangeEnd: this.#end,
        limit: PAGE_KEYS,
        keysOnly: true,
      });
      this.#page = page.kvs;
      this.#at = 0;
      const last = page.kvs.at(-1);
      this.#from = page.more && last !== undefined ? `${last.key}\0` : undefined;
    }
    return this.#page[this.#at];
  }
}
