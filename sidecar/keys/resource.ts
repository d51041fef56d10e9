/** A kind of object as etcd and the API name it, both ways. */

/** One stored resource. */
export interface StoredResource {
  /** "" for core. */
  readonly group: string;
  /** Plural, as in URLs: "secrets". */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Path below the kube prefix, no slash at either end: "secrets", "services/specs", "stable.example.com/crontabs". */
  readonly path: string;
  /** Versions that the API knows, newest first; a rule's version must be one of them, but decides nothing. */
  readonly versions: readonly string[];
  /** From a CRD: stored as JSON. */
  readonly custom: boolean;
}

/** What a key says. */
export interface ObjectKey {
  /** The whole etcd key, prefix included. */
  readonly key: string;
  readonly resource: StoredResource;
  /** undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
}
