/** One waiter: due at a monotonic ms; equal times wake in the order of registration. */
export interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of waiters. Cancelled ones stay inside until they come up, so cancelling is cheap. */
export class TimerHeap {
  readonly #heap: Timer[] = [];
  readonly #waiting = new Set<Timer>();
  readonly #cancelled = new Set<Timer>();
  #order = 0;

  get size(): number {
    return this.#heap.length - this.#cancelled.size;
  }

  add(dueMs: number, run: () => void): Timer {
    const timer: Timer = { dueMs, order: this.#order++, run };
    this.#heap.push(timer);
    this.#waiting.add(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  }

  /** Without effect on one that has been taken. */
  cancel(timer: Timer): void {
    if (this.#waiting.has(timer)) this.#cancelled.add(timer);
  }

  peek(): Timer | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (!this.#cancelled.delete(top)) return top;
      this.#waiting.delete(top);
      this.#pop();
    }
    return undefined;
  }

  take(): Timer | undefined {
    const top = this.peek();
    if (top === undefined) return undefined;
    this.#waiting.delete(top);
    this.#pop();
    return top;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLater(parent, at)) return;
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const child = this.#later(left, left + 1) ? left + 1 : left;
      if (child >= this.#heap.length || !this.#swapIfLater(at, child)) return;
      at = child;
    }
  }

  /** Whether `a` is due after `b`; false when one of them does not exist. */
  #later(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return false;
    return (
      first.dueMs > second.dueMs || (first.dueMs === second.dueMs && first.order > second.order)
    );
  }

  #swapIfLater(parent: number, child: number): boolean {
    const upper = this.#heap[parent];
    const lower = this.#heap[child];
    if (upper === undefined || lower === undefined || !this.#later(parent, child)) return false;
    this.#heap[parent] = lower;
    this.#heap[child] = upper;
    return true;
  }
}
