/**
 * How many events back an answer to a write may come after its own event. The two are milliseconds apart; within these no
 * watch delivers a thousand events. What is forgotten too early is caught by the reflector, which relists when an
 * assumption stays unconfirmed.
 */
const REMEMBERED_EVENTS = 1_024;

/** The versions that a watch delivered last: tells an answer that comes after its event from one that comes before. */
export class SeenVersions {
  /** The oldest first. A version is one state of one object. */
  readonly #keyByVersion = new Map<string, string>();

  add(key: string, resourceVersion: string): void {
    this.#keyByVersion.delete(resourceVersion);
    this.#keyByVersion.set(resourceVersion, key);
    const [oldest] = this.#keyByVersion.keys();
    if (this.#keyByVersion.size > REMEMBERED_EVENTS && oldest !== undefined) {
      this.#keyByVersion.delete(oldest);
    }
  }

  has(key: string, resourceVersion: string): boolean {
    return this.#keyByVersion.get(resourceVersion) === key;
  }
}
