import { splitKey, type ServiceKey } from "../domain/service-key.js";

/** Names in the list; ten thousand would be no line. */
const MAX_LISTED = 20;

/** The ancestor's "currently tracking" list: every Service counts, the latest are named. */
export class Tracking {
  readonly #all = new Set<ServiceKey>();
  #latest: ServiceKey[] = [];

  has(source: ServiceKey): boolean {
    return this.#all.has(source);
  }

  add(source: ServiceKey): void {
    this.#all.add(source);
    this.#latest = [...this.#latest, source].slice(-MAX_LISTED);
  }

  delete(source: ServiceKey): void {
    this.#all.delete(source);
    this.#latest = this.#latest.filter((one) => one !== source);
  }

  clear(): void {
    this.#all.clear();
    this.#latest = [];
  }

  /** "[a, b]", or "[…, y, z and 3 more]". */
  toString(): string {
    const names = this.#latest.map((key) => splitKey(key).name).join(", ");
    const more = this.#all.size - this.#latest.length;
    return more > 0 ? `[${names}, … and ${more} more]` : `[${names}]`;
  }
}
