/**
 * How many events back an answer to a write may come after its own event. The two are milliseconds apart; within these no
 * watch delivers a thousand events. What is forgotten too early is caught by the reflector, which relists when an
 * assumption stays unconfirmed.
 */
const REMEMBERED_EVENTS = 1_024;

/** The versions that a watch delivered last: tells an answer that comes after its event from one that comes before. */
export class SeenVersions {
  readonly #keys: string[] = [];
  readonly #resourceVersions: string[] = [];
  #next = 0;

  add(key: string, resourceVersion: string): void {
    this.#keys[this.#next] = key;
    this.#resourceVersions[this.#next] = resourceVersion;
    this.#next = (this.#next + 1) % REMEMBERED_EVENTS;
  }

  has(key: string, resourceVersion: string): boolean {
    let index = this.#resourceVersions.indexOf(resourceVersion);
    while (index !== -1 && this.#keys[index] !== key) {
      index = this.#resourceVersions.indexOf(resourceVersion, index + 1);
    }
    return index !== -1;
  }
}
