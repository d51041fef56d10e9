/** What a Fifo needs of its elements: room for its own two pointers. */
export interface Linked<E> {
  before: E | undefined;
  after: E | undefined;
}

/**
 * A first-in, first-out list whose elements can leave from the middle in O(1).
 *
 * A Set looks the same, but finding its first element skips the holes that deletions left: taking 100,000 keys one by one
 * becomes quadratic.
 *
 * Invariant: an element is in one Fifo at most; whoever owns the element knows which.
 */
export class Fifo<E extends Linked<E>> {
  #first: E | undefined;
  #last: E | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): E | undefined {
    return this.#first;
  }

  push(element: E): void {
    element.before = this.#last;
    element.after = undefined;
    if (this.#last === undefined) this.#first = element;
    else this.#last.after = element;
    this.#last = element;
    this.#size += 1;
  }

  /** The element must be in this list. */
  remove(element: E): void {
    if (element.before === undefined) this.#first = element.after;
    else element.before.after = element.after;
    if (element.after === undefined) this.#last = element.before;
    else element.after.before = element.before;
    element.before = undefined;
    element.after = undefined;
    this.#size -= 1;
  }
}
