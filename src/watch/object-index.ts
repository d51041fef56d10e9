/** Keys by what their objects say: one entry for each value that `valuesOf` gives for an object. */
export class ObjectIndex<T> {
  readonly #keysByValue = new Map<string, Set<string>>();

  /** `valuesOf` must be pure: it is asked again, about the same object, when that leaves. */
  constructor(private readonly valuesOf: (object: T) => readonly string[]) {}

  keys(value: string): Iterable<string> {
    return this.#keysByValue.get(value) ?? [];
  }

  add(key: string, object: T): void {
    for (const value of this.valuesOf(object)) {
      const keys = this.#keysByValue.get(value);
      if (keys === undefined) this.#keysByValue.set(value, new Set([key]));
      else keys.add(key);
    }
  }

  remove(key: string, object: T): void {
    for (const value of this.valuesOf(object)) {
      const keys = this.#keysByValue.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysByValue.delete(value);
    }
  }
}
