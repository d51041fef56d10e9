import type { ServiceKey } from "../domain/service-key.js";
import type { Author } from "../domain/stamp.js";
import type { Clock } from "../ports/clock.js";
import { ExpiringMap } from "../ports/expiring-map.js";
import type { Hint } from "../ports/hint.js";
import { rfc3339 } from "../ports/timestamps.js";

/** As long as the API server may take for a request, and the outbox for its way here. */
const KEEP_MS = 65_000;
const MAX_ENTRIES = 10_000;

/** What admission has announced a moment ago. Of deletions it is the only trace of who wanted them. */
export class Announced {
  readonly #changes: ExpiringMap<true>;
  readonly #deletions: ExpiringMap<Hint>;
  /** Who waits for the hint of a deletion. */
  readonly #awaited = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    const options = { clock, keepMs: KEEP_MS, maxEntries: MAX_ENTRIES };
    this.#changes = new ExpiringMap(options);
    this.#deletions = new ExpiringMap(options);
  }

  remember(hint: Hint): void {
    const { service, operation, changeId, uid } = hint;
    if (operation === "delete") {
      this.#deletions.set(`${service} ${uid}`, hint);
      for (const tell of this.#awaited.get(`${service} ${uid}`) ?? []) tell();
    } else if (changeId !== undefined) this.#changes.set(`${service} ${changeId}`, true);
  }

  has(service: ServiceKey, changeId: string): boolean {
    return this.#changes.get(`${service} ${changeId}`) === true;
  }

  deleterOf(service: ServiceKey, uid: string): Author {
    const hint = this.#deletions.get(`${service} ${uid}`);
    if (hint === undefined) return { kind: "unknown", last: undefined };
    const { changeId: id = "", by, admittedAtMs } = hint;
    return { kind: "known", change: { id, by, at: rfc3339(admittedAtMs) } };
  }

  /** The same as soon as it is heard of, or after `limit`. */
  async deleterWithin(service: ServiceKey, uid: string, limit: Promise<void>): Promise<Author> {
    const key = `${service} ${uid}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Each destination that had a mirror waits for itself.
    const waiting = this.#awaited.get(key) ?? new Set();
    this.#awaited.set(key, waiting.add(resolve));
    await Promise.race([promise, limit]);
    waiting.delete(resolve);
    if (waiting.size === 0) this.#awaited.delete(key);
    return this.deleterOf(service, uid);
  }
}
