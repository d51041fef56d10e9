/**
 * A route says which Services travel where. Flags make one, `routes:` in the
 * configuration file make many.
 */

/** A label selector as the API server reads it, parsed. All requirements must hold. */
export interface Selector {
  /** What the user wrote, normalized: this text goes to the API server. */
  readonly text: string;
  readonly requirements: readonly Requirement[];
}

export interface Requirement {
  readonly key: string;
  readonly operator: "=" | "!=" | "in" | "notin" | "exists" | "!exists";
  /** Empty for exists and !exists. */
  readonly values: readonly string[];
}

/** The mark that every mirror of a route carries, e.g. `sync=true-external`. */
export interface Mark {
  readonly key: string;
  readonly value: string;
}

export interface Route {
  /** Unique; in logs, status and metrics. The flags' route is called "default". */
  readonly name: string;
  /** Name of a destination in the configuration. */
  readonly destination: string;
  /** Source namespaces; "all" watches every namespace. */
  readonly namespaces: readonly string[] | "all";
  readonly selector: Selector;
  readonly mark: Mark;
  readonly target: {
    /** Template of the destination namespace, of literal text, `{namespace}` and `{name}`. */
    readonly namespace: string;
    /** Template of the mirror's name, default "{name}". */
    readonly name: string;
    /** Namespaces that `svc-ferry.io/target-namespace` may name, beside what the template gives. Exact names, no patterns. */
    readonly allowedNamespaces: readonly string[];
  };
  /** Annotation keys that are copied to the mirror. */
  readonly copyAnnotations: readonly string[];
  /** Endpoint addresses outside all of these are dropped; empty: all are allowed. CIDR notation, both families. */
  readonly addressCidrs: readonly string[];
  readonly createNamespace: boolean;
  readonly paused: boolean;
}
