/**
 * What became different for those who read a Store. `key` is "namespace/name", or "name" for cluster-scoped objects.
 *
 * A change is a doorbell as well as news: by the time it is reported the store already shows `value`.
 */
export type Change<T> =
  /** New (`previous` undefined), or the same object with a new version. */
  | {
      readonly kind: "set";
      readonly key: string;
      readonly value: T;
      readonly previous: T | undefined;
    }
  /**
   * The name stayed, the object did not: `previous` was deleted and `value`, with another uid, created, both while nobody
   * watched. Nothing of `previous` may be taken for granted.
   */
  | { readonly kind: "replaced"; readonly key: string; readonly value: T; readonly previous: T }
  /** A watch said DELETED: the object is gone, or no longer matches the selector of the watch. */
  | {
      readonly kind: "deleted";
      readonly key: string;
      readonly previous: T;
      readonly evidence: true;
    }
  /** A relist no longer has it. That is no evidence of a deletion: GET the object before anything is deleted because of it. */
  | {
      readonly kind: "missing";
      readonly key: string;
      readonly previous: T;
      readonly evidence: false;
    }
  /** It exists, but `keep` no longer wants it. */
  | {
      readonly kind: "dropped";
      readonly key: string;
      readonly previous: T;
      readonly evidence: false;
    };
