/**
 * What is to be cancelled when a signal aborts: one listener per signal, not one per call. Sixty-four calls are under way on the
 * signal of one fence, and each listener that is added or removed is looked for among all others.
 */
export class Cancellations {
  readonly #cancelsBySignal = new WeakMap<AbortSignal, Cancels>();

  /** @returns takes `cancel` out again; to be called when the call has ended */
  add(signal: AbortSignal, cancel: () => void): () => void {
    let cancels = this.#cancelsBySignal.get(signal);
    if (cancels === undefined) {
      cancels = new Cancels(signal);
      this.#cancelsBySignal.set(signal, cancels);
    }
    return cancels.add(cancel);
  }
}

/** All calls of one signal. Listens only while one is under way, so that a signal is not kept by us. */
class Cancels {
  readonly #cancels = new Set<() => void>();
  readonly #cancelAll = (): void => {
    for (const cancel of this.#cancels) cancel();
  };

  constructor(private readonly signal: AbortSignal) {}

  add(cancel: () => void): () => void {
    this.#cancels.add(cancel);
    if (this.#cancels.size === 1) this.signal.addEventListener("abort", this.#cancelAll);
    return () => {
      this.#cancels.delete(cancel);
      if (this.#cancels.size === 0) this.signal.removeEventListener("abort", this.#cancelAll);
    };
  }
}
