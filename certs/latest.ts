/** The value of the moment and those who want to hear of each later one. */
export class Latest<T> {
  #value: T | undefined;
  readonly #listeners = new Set<(value: T) => void>();

  current(): T | undefined {
    return this.#value;
  }

  /** Calls `listener` with each later one, in the tick in which it changes. The answer ends that. */
  onChange(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }
}
