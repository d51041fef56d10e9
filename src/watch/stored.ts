import type { Change } from "./change.js";

/** Which object, and which state of it. */
export interface Version {
  readonly uid: string;
  /** Opaque; compared for equality only. */
  readonly resourceVersion: string;
}

/** One object and the version of it that `value` was made of. */
export interface Stored<T> extends Version {
  readonly value: T;
}

/** A relist on its way into the store: nothing is visible before `commit`. Forgotten, it changes nothing. */
export interface Replacement<T> {
  /** One listed object. `value` undefined: it exists but is not kept. */
  add(key: string, version: Version, value: T | undefined): void;
  /** Listed, but unreadable: what the store has of it stays. */
  keepAsItIs(key: string): void;
  /** Replaces everything at once and says what that changed for readers. Called once. */
  commit(): readonly Change<T>[];
}

/** A list of some objects on its way into the store, beside the watch. */
export interface StoreMerge<T> {
  /** One listed object; ignored when the watch knows better. */
  add(key: string, version: Version, value: T): Change<T> | undefined;
  /** Stops noting what the watch touches. Must be called. */
  end(): void;
}

/** What the step from `before` to `after` means for readers; undefined: nothing. */
export function change<T>(
  key: string,
  before: Stored<T> | undefined,
  after: Stored<T> | undefined,
  absence: "deleted" | "missing" | "dropped",
): Change<T> | undefined {
  if (after === undefined) {
    if (before === undefined) return undefined;
    const { value: previous } = before;
    return absence === "deleted"
      ? { kind: absence, key, previous, evidence: true }
      : { kind: absence, key, previous, evidence: false };
  }
  const { value } = after;
  if (before === undefined) return { kind: "set", key, value, previous: undefined };
  const { value: previous } = before;
  if (before.uid !== after.uid) return { kind: "replaced", key, value, previous };
  if (before.resourceVersion === after.resourceVersion) return undefined;
  return { kind: "set", key, value, previous };
}
