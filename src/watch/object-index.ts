import { shared } from "../ports/shared-text.js";

/** Keys by what their objects say: one entry for each value that `valuesOf` gives for an object. */
export class ObjectIndex<T> {
  /** Nearly every value has one key, and a Set for each would be most of the index. */
  readonly #keysByValue = new Map<string, string | Set<string>>();

  /** `valuesOf` must be pure: it is asked again, about the same object, when that leaves. */
  constructor(private readonly valuesOf: (object: T) => readonly string[]) {}

  keys(value: string): Iterable<string> {
    const keys = this.#keysByValue.get(value) ?? [];
    return typeof keys === "string" ? [keys] : keys;
  }

  add(key: string, object: T): void {
    for (const value of this.valuesOf(object)) {
      const keys = this.#keysByValue.get(value);
      if (keys === undefined) this.#keysByValue.set(shared(value), key);
      else if (typeof keys !== "string") keys.add(key);
      else if (keys !== key) this.#keysByValue.set(value, new Set([keys, key]));
    }
  }

  remove(key: string, object: T): void {
    for (const value of this.valuesOf(object)) {
      const keys = this.#keysByValue.get(value);
      if (keys === key) this.#keysByValue.delete(value);
      if (keys === undefined || typeof keys === "string") continue;
      keys.delete(key);
      if (keys.size === 0) this.#keysByValue.delete(value);
    }
  }
}
