import { LedgerIndex, type Known } from "./index.js";

const PRESENT: Known = Object.freeze({
  sourceRevision: 0n,
  destinationRevision: 0n,
  rule: 0,
  isCurrent: false,
  isComparable: false,
  via: "etcd",
  content: 0,
});

/** A set of texts in 28 bytes each: by hash, so one that is not in it is taken for one that is, once in 40 million sets of a million. */
export class HashSet {
  readonly #index = new LedgerIndex();

  get size(): number {
    return this.#index.size;
  }

  has(text: string): boolean {
    return this.#index.has(text);
  }

  add(text: string): void {
    this.#index.set(text, PRESENT);
  }

  delete(text: string): void {
    this.#index.delete(text);
  }
}
