import type { Clock } from "../ports/clock.js";
import type { Change } from "./change.js";
import { ObjectIndex } from "./object-index.js";
import { SeenVersions } from "./seen-versions.js";
import { change, type Replacement, type Stored, type StoreMerge, type Version } from "./stored.js";

/**
 * What a watch has delivered, overlaid with what we have just written ourselves: readers never see a state older than their
 * own last write.
 *
 * The overlay without comparing versions:
 * 1. The answer to our write says which version it became; `assume` shows that to readers.
 * 2. Events that were on their way already are older; they change what lies beneath, not what readers see.
 * 3. The event with exactly the assumed version (or the DELETED of the assumed uid) ends the assumption; nothing changed for
 *    readers, so nothing is reported. If it came before the answer, nothing is assumed at all.
 * 4. A relist that started after the answer contains the write, so it ends the assumption too.
 *
 * Keys are "namespace/name", or "name" for cluster-scoped objects. Values are never edited.
 */
export class Store<T> {
  #base = new Map<string, Stored<T>>();
  readonly #assumed = new Map<string, Assumption<T>>();
  readonly #indexes = new Map<string, ObjectIndex<T>>();
  readonly #seen = new SeenVersions();
  /** Keys that the watch touched since a merge began, for each merge. */
  readonly #merges = new Set<Set<string>>();
  #size = 0;
  /** Counts assumptions and starts of relists, to know which came first. */
  #moment = 0;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    return this.stored(key)?.value;
  }

  has(key: string): boolean {
    return this.stored(key) !== undefined;
  }

  /** The object with its uid and version, as a write needs them for its preconditions. */
  stored(key: string): Stored<T> | undefined {
    const assumed = this.#assumed.get(key);
    return assumed === undefined ? this.#base.get(key) : assumed.stored;
  }

  *keys(): Generator<string> {
    for (const key of this.#base.keys()) if (this.has(key)) yield key;
    for (const key of this.#assumed.keys()) if (!this.#base.has(key) && this.has(key)) yield key;
  }

  *values(): Generator<T> {
    for (const key of this.keys()) {
      const stored = this.stored(key);
      if (stored !== undefined) yield stored.value;
    }
  }

  /** Declares an index; objects that are there already are indexed now. `valuesOf` must be pure. */
  index(name: string, valuesOf: (object: T) => readonly string[]): void {
    const index = new ObjectIndex(valuesOf);
    this.#indexes.set(name, index);
    for (const key of this.keys()) {
      const stored = this.stored(key);
      if (stored !== undefined) index.add(key, stored.value);
    }
  }

  /** Keys of the objects for which the index `name` gave `value`. */
  keysBy(name: string, value: string): readonly string[] {
    return [...(this.#indexes.get(name)?.keys(value) ?? [])];
  }

  /** Objects for which the index `name` gave `value`. */
  byIndex(name: string, value: string): readonly T[] {
    return this.keysBy(name, value).flatMap((key) => this.get(key) ?? []);
  }

  /** After our own write: is the watch past the version that the server answered, and so past all that was assumed before? */
  isPast(key: string, resourceVersion: string): boolean {
    if (!this.#seen.has(key, resourceVersion)) return false;
    this.#show(key, () => this.#assumed.delete(key));
    return true;
  }

  /** After our own write, with what the server answered. Not reported as a change: the writer knows. */
  assume(key: string, uid: string, resourceVersion: string, value: T): void {
    if (this.isPast(key, resourceVersion)) return;
    const base = this.#base.get(key);
    const known = base !== undefined && isSameVersion(base, { uid, resourceVersion });
    this.#show(key, () => {
      // Deleted first: the map's order is the order of time, so its first entry is the oldest.
      this.#assumed.delete(key);
      if (!known) this.#assumed.set(key, this.#assumption(uid, { uid, resourceVersion, value }));
    });
  }

  /** After our own delete of this uid was answered, or a patch that took the object out of the watch's selector. */
  assumeDeleted(key: string, uid: string): void {
    const assumed = this.#assumed.get(key);
    const expected = this.#base.get(key)?.uid === uid || assumed?.stored?.uid === uid;
    if (!expected) return;
    this.#show(key, () => {
      this.#assumed.delete(key);
      this.#assumed.set(key, this.#assumption(uid, undefined));
    });
  }

  /** Monotonic ms of the oldest assumption that nothing has confirmed yet. */
  get oldestAssumptionMs(): number | undefined {
    const [oldest] = this.#assumed.values();
    return oldest?.atMs;
  }

  /** The consumer no longer wants this object. It comes back with its next event if `keep` says so. Not reported. */
  drop(key: string): void {
    this.#show(key, () => {
      this.#base.delete(key);
      this.#assumed.delete(key);
    });
  }

  /** For the reflector: ADDED or MODIFIED. True when it shows just what is assumed: then nobody has to read it again. */
  confirms(key: string, version: Version): boolean {
    const assumed = this.#assumed.get(key)?.stored;
    if (assumed === undefined || !isSameVersion(assumed, version)) return false;
    this.#touch(key, version.resourceVersion);
    this.#base.set(key, assumed);
    this.#assumed.delete(key);
    return true;
  }

  /** For the reflector: ADDED or MODIFIED. `value` undefined: the object exists but is not kept. */
  observe(key: string, version: Version, value: T | undefined): Change<T> | undefined {
    const { uid, resourceVersion } = version;
    this.#touch(key, resourceVersion);
    const before = this.stored(key);
    this.#show(key, () => {
      if (value === undefined) this.#base.delete(key);
      else this.#base.set(key, { uid, resourceVersion, value });
      this.#confirm(key, version);
    });
    return change(key, before, this.stored(key), "dropped");
  }

  /**
   * For the reflector: DELETED.
   *
   * NB: it also tells that an object no longer matches the watch's selector, with the version that the object has from then
   * on. That version is not remembered as delivered: whoever reads the object may assume it.
   */
  observeDeleted(key: string, version: Version): Change<T> | undefined {
    for (const touched of this.#merges) touched.add(key);
    const before = this.stored(key);
    this.#show(key, () => {
      if (this.#base.get(key)?.uid === version.uid) this.#base.delete(key);
      if (this.#assumed.get(key)?.uid === version.uid) this.#assumed.delete(key);
    });
    return change(key, before, this.stored(key), "deleted");
  }

  /** For the reflector, before the first request of a relist. */
  beginReplace(): Replacement<T> {
    this.#moment += 1;
    const startedAt = this.#moment;
    const objects = new Map<string, Stored<T>>();
    const unkept = new Set<string>();
    return {
      add: (key, { uid, resourceVersion }, value) => {
        const base = this.#base.get(key);
        if (value === undefined) unkept.add(key);
        else if (base !== undefined && isSameVersion(base, { uid, resourceVersion }))
          objects.set(key, base);
        else objects.set(key, { uid, resourceVersion, value });
      },
      keepAsItIs: (key) => {
        const base = this.#base.get(key);
        if (base !== undefined) objects.set(key, base);
      },
      commit: () => this.#replace(objects, unkept, startedAt),
    };
  }

  /** For the reflector: begins to note which keys the watch touches, until `end`. */
  beginMerge(): StoreMerge<T> {
    const touched = new Set<string>();
    this.#merges.add(touched);
    return {
      add: (key, { uid, resourceVersion }, value) => {
        // What is in the base is the watch's business: the listed state may be older than that.
        if (touched.has(key) || this.#base.has(key)) return undefined;
        const before = this.stored(key);
        this.#show(key, () => {
          this.#base.set(key, { uid, resourceVersion, value });
          this.#confirm(key, this.#base.get(key));
        });
        return change(key, before, this.stored(key), "missing");
      },
      end: () => this.#merges.delete(touched),
    };
  }

  #replace(
    objects: Map<string, Stored<T>>,
    unkept: ReadonlySet<string>,
    startedAt: number,
  ): readonly Change<T>[] {
    const before = new Map<string, Stored<T> | undefined>();
    for (const [key, object] of objects) {
      if (this.#base.get(key) !== object) before.set(key, this.stored(key));
    }
    for (const key of this.#base.keys()) if (!objects.has(key)) before.set(key, this.stored(key));
    for (const key of this.#assumed.keys()) before.set(key, this.stored(key));

    this.#base = objects;
    for (const [key, { moment }] of this.#assumed) {
      if (moment < startedAt) this.#assumed.delete(key);
      else this.#confirm(key, objects.get(key));
    }
    const changes: Change<T>[] = [];
    for (const [key, previous] of before) {
      this.#reindex(key, previous, this.stored(key));
      const reported = change(
        key,
        previous,
        this.stored(key),
        unkept.has(key) ? "dropped" : "missing",
      );
      if (reported !== undefined) changes.push(reported);
    }
    return changes;
  }

  #assumption(uid: string, stored: Stored<T> | undefined): Assumption<T> {
    this.#moment += 1;
    return { uid, stored, moment: this.#moment, atMs: this.clock.monotonicMs() };
  }

  /** Ends an assumption when the server showed exactly what was assumed. */
  #confirm(key: string, shown: Version | undefined): void {
    const expected = this.#assumed.get(key)?.stored;
    if (expected === undefined || shown === undefined) return;
    if (isSameVersion(expected, shown)) this.#assumed.delete(key);
  }

  #touch(key: string, resourceVersion: string): void {
    this.#seen.add(key, resourceVersion);
    for (const touched of this.#merges) touched.add(key);
  }

  /** Every change of one key goes through here: what readers see, the indexes and the size stay one. */
  #show(key: string, mutate: () => void): void {
    const before = this.stored(key);
    mutate();
    this.#reindex(key, before, this.stored(key));
  }

  #reindex(key: string, before: Stored<T> | undefined, after: Stored<T> | undefined): void {
    if (before === after) return;
    if (before === undefined) this.#size += 1;
    if (after === undefined) this.#size -= 1;
    for (const index of this.#indexes.values()) {
      if (before !== undefined) index.remove(key, before.value);
      if (after !== undefined) index.add(key, after.value);
    }
  }
}

function isSameVersion(one: Version, other: Version): boolean {
  return one.uid === other.uid && one.resourceVersion === other.resourceVersion;
}

interface Assumption<T> {
  readonly uid: string;
  /** undefined: we deleted it. */
  readonly stored: Stored<T> | undefined;
  readonly moment: number;
  readonly atMs: number;
}
