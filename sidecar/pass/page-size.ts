/** etcd counts keys, not bytes: a page of a thousand objects may be half a megabyte, or more than the client takes. */

const FIRST_KEYS = 64;
const MOST_KEYS = 1_000;
/** Large enough that round trips do not count, small enough that two pages in memory do not either. */
const WANTED_BYTES = 2 * 1024 * 1024;
/** Weight of the newest page in the moving average. */
const WEIGHT = 0.3;

/** How many keys the next page of one resource should have. */
export class PageSize {
  #keys = FIRST_KEYS;
  #bytesPerKey: number | undefined;

  get keys(): number {
    return this.#keys;
  }

  /** A page came with so many keys of so many bytes together. */
  saw(keys: number, bytes: number): void {
    if (keys === 0) return;
    const average = bytes / keys;
    const before = this.#bytesPerKey ?? average;
    this.#bytesPerKey = before + WEIGHT * (average - before);
    const wanted = Math.floor(WANTED_BYTES / Math.max(1, this.#bytesPerKey));
    // Never more than twice as many at once: the keys that come may be larger than those that were.
    this.#keys = Math.max(1, Math.min(wanted, this.#keys * 2, MOST_KEYS));
  }

  /** The page was larger than a message may be. @returns false: a single key is too large */
  tooLarge(): boolean {
    if (this.#keys === 1) return false;
    this.#keys = Math.max(1, Math.floor(this.#keys / 2));
    return true;
  }
}
