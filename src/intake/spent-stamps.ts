import type { Service } from "../domain/objects.js";
import { keyOf, type ServiceKey } from "../domain/service-key.js";
import type { Author } from "../domain/stamp.js";

/**
 * Stamps that a change past the webhook has left behind. What a stamp is about may come back, by a second such change: its
 * signature would fit again, and name somebody who did neither.
 *
 * Fed with every version that the source's watch brings, on every replica: whoever leads next has seen the same.
 */
export class SpentStamps {
  readonly #spent = new Map<ServiceKey, string>();

  /**
   * @param author as the signature alone tells; undefined, or of a key that is not known here: nothing is learnt
   */
  observed(service: Service, author: Author | undefined): void {
    const key = keyOf(service);
    if (author?.kind === "unknown" && author.last !== undefined) {
      this.#spent.set(key, author.last.id);
    } else if (author?.kind === "known" && this.#spent.get(key) !== author.change.id) {
      this.#spent.delete(key);
    }
  }

  /** It is gone. */
  forget(service: ServiceKey): void {
    this.#spent.delete(service);
  }

  /** The author, unless the stamp is spent. */
  checked(service: Service, author: Author): Author {
    const isSpent = author.kind === "known" && this.#spent.get(keyOf(service)) === author.change.id;
    return isSpent ? { kind: "unknown", last: author.change } : author;
  }
}
