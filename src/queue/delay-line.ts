import { OVER } from "../ports/aborted.js";
import type { Clock } from "../ports/clock.js";
import { DueHeap, type Due } from "./due-heap.js";

/**
 * Elements that wait for their time. However many they are, one `clock.sleep` runs at a time, until the earliest is due;
 * with the last element it ends, so an idle queue holds no timer.
 */
export class DelayLine<E extends Due> {
  readonly #heap = new DueHeap<E>();
  /** Ends the current sleep; undefined while the loop does not run. */
  #alarm: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();

  /** `onDue` gets each element in the order of `dueMs`; it may push again but must not throw. */
  constructor(
    private readonly clock: Clock,
    private readonly onDue: (element: E, nowMs: number) => void,
  ) {}

  get size(): number {
    return this.#heap.size;
  }

  push(element: E): void {
    this.#heap.push(element);
    if (this.#alarm === undefined) this.#loop = this.#run();
    else if (this.#heap.first === element) this.#alarm.abort(OVER);
  }

  remove(element: E): void {
    this.#heap.remove(element);
    if (this.#heap.size === 0) this.#alarm?.abort(OVER);
  }

  /** Drops everything. Resolves when the loop has ended. */
  async close(): Promise<void> {
    this.#heap.clear();
    this.#alarm?.abort(OVER);
    await this.#loop;
  }

  async #run(): Promise<void> {
    for (let first = this.#heap.first; first !== undefined; first = this.#heap.first) {
      const now = this.clock.monotonicMs();
      if (first.dueMs <= now) {
        this.#heap.remove(first);
        this.onDue(first, now);
      } else {
        this.#alarm = new AbortController();
        await this.clock.sleep(first.dueMs - now, this.#alarm.signal);
      }
    }
    this.#alarm = undefined;
  }
}
