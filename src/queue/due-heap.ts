/** What a DueHeap needs of its elements. `heapIndex` belongs to the heap: -1 while outside. */
export interface Due {
  /** Monotonic ms at which the element's time has come. */
  dueMs: number;
  heapIndex: number;
}

/**
 * Elements by the time at which they are due, earliest first: push and remove are O(log n).
 *
 * Elements know their place, so that one can leave early without a stale entry staying behind until its time comes.
 */
export class DueHeap<E extends Due> {
  readonly #elements: E[] = [];

  get size(): number {
    return this.#elements.length;
  }

  get first(): E | undefined {
    return this.#elements[0];
  }

  push(element: E): void {
    this.#elements.push(element);
    this.#rise(element, this.#elements.length - 1);
  }

  /** The element must be in this heap. To change `dueMs`: remove, change, push. */
  remove(element: E): void {
    const index = element.heapIndex;
    const last = this.#elements.pop();
    element.heapIndex = -1;
    if (last === undefined || last === element) return;
    this.#rise(last, index);
    this.#sink(last, last.heapIndex);
  }

  clear(): void {
    this.#elements.length = 0;
  }

  #rise(element: E, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#elements[above];
      if (parent === undefined || parent.dueMs <= element.dueMs) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(element, index);
  }

  #sink(element: E, from: number): void {
    let index = from;
    for (;;) {
      const left = this.#elements[2 * index + 1];
      const right = this.#elements[2 * index + 2];
      const child =
        right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= element.dueMs) break;
      const below = child.heapIndex;
      this.#place(child, index);
      index = below;
    }
    this.#place(element, index);
  }

  #place(element: E, index: number): void {
    this.#elements[index] = element;
    element.heapIndex = index;
  }
}
