/**
 * The store under the fake API server: one revision counter for everything, a
 * history that can be compacted, and snapshots that can be restored.
 */
import type { StoredObject } from "./stored-object.js";

/** One write. `after` is undefined for a deletion, `before` for a creation. */
export class Change {
  #gone: StoredObject | undefined;

  constructor(
    readonly revision: number,
    readonly collection: string,
    /** "namespace/name" or "name". */
    readonly key: string,
    readonly before: StoredObject | undefined,
    readonly after: StoredObject | undefined,
  ) {}

  /** What a DELETED event carries: the previous object with this write's revision (measured, also for selector transitions). */
  get gone(): StoredObject | undefined {
    this.#gone ??= this.before?.at(this.revision);
    return this.#gone;
  }
}

/** The state at one revision; only `restore` looks inside. */
export interface Snapshot {
  readonly revision: number;
  readonly collections: ReadonlyMap<string, ReadonlyMap<string, StoredObject>>;
}

type Collection = Map<string, StoredObject>;

export class MemoryEtcd {
  #revision = 1;
  #compacted = 0;
  #collections = new Map<string, Collection>();
  readonly #history = new Map<string, Change[]>();
  readonly #sorted = new Map<
    string,
    { readonly revision: number; readonly objects: StoredObject[] }
  >();
  readonly #listeners: ((change: Change) => void)[] = [];
  readonly #restoreListeners: (() => void)[] = [];

  get revision(): number {
    return this.#revision;
  }

  /** Everything up to here is known only as the state at this revision. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  /** Called with each change, after it is stored, in the tick of the write. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** Called after a restore, once everything is as the snapshot was. */
  onRestore(listener: () => void): void {
    this.#restoreListeners.push(listener);
  }

  get(collection: string, key: string): StoredObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  get collections(): readonly string[] {
    return [...this.#collections.keys()];
  }

  /** All objects of a collection, unordered. */
  values(collection: string): Iterable<StoredObject> {
    return this.#collections.get(collection)?.values() ?? [];
  }

  /** The collection as it was at `revision`, in the order of keys. The caller has seen that it is not compacted. */
  sortedAt(collection: string, revision: number): readonly StoredObject[] {
    const cached = this.#sorted.get(collection);
    if (cached?.revision === revision) return cached.objects;
    const then: Collection = new Map(this.#collections.get(collection));
    const changes = this.#history.get(collection) ?? [];
    for (let i = changes.length - 1; i >= 0; i -= 1) {
      const change = changes[i];
      if (change === undefined || change.revision <= revision) break;
      if (change.before === undefined) then.delete(change.key);
      else then.set(change.key, change.before);
    }
    const keys = [...then.keys()].toSorted();
    const objects = keys.flatMap((key) => then.get(key) ?? []);
    this.#sorted.set(collection, { revision, objects });
    return objects;
  }

  /** Stores what `build` makes for the new revision. */
  put(collection: string, key: string, build: (revision: number) => StoredObject): StoredObject {
    const revision = ++this.#revision;
    const after = build(revision);
    const objects = this.#collections.get(collection) ?? new Map<string, StoredObject>();
    this.#collections.set(collection, objects);
    const before = objects.get(key);
    objects.set(key, after);
    this.#record(new Change(revision, collection, key, before, after));
    return after;
  }

  remove(collection: string, key: string): void {
    const before = this.get(collection, key);
    if (before === undefined) return;
    const revision = ++this.#revision;
    this.#collections.get(collection)?.delete(key);
    this.#record(new Change(revision, collection, key, before, undefined));
  }

  /** Changes above `revision`, oldest first. */
  changesSince(collection: string, revision: number): readonly Change[] {
    const changes = this.#history.get(collection) ?? [];
    let from = changes.length;
    while (from > 0 && (changes[from - 1]?.revision ?? 0) > revision) from -= 1;
    return changes.slice(from);
  }

  /** Forgets the history up to the current revision. */
  compact(): void {
    this.#compacted = this.#revision;
    this.#history.clear();
    this.#sorted.clear();
  }

  snapshot(): Snapshot {
    const collections = new Map([...this.#collections].map(([name, all]) => [name, new Map(all)]));
    return { revision: this.#revision, collections };
  }

  /**
   * Becomes what the snapshot was: revisions go backwards and will be given out again to other writes.
   * The history before it is gone, as it is after `etcdutl snapshot restore`.
   */
  restore(snapshot: Snapshot): void {
    this.#collections = new Map(
      [...snapshot.collections].map(([name, all]) => [name, new Map(all)]),
    );
    this.#revision = snapshot.revision;
    this.#compacted = snapshot.revision;
    this.#history.clear();
    this.#sorted.clear();
    for (const listener of this.#restoreListeners) listener();
  }

  #record(change: Change): void {
    const changes = this.#history.get(change.collection) ?? [];
    this.#history.set(change.collection, changes);
    changes.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}
