/** One right that svc-ferry asks of a cluster's RBAC, and what it depends on. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** Which part of svc-ferry asks; a role may leave out what a configuration does not turn on. */
export type Feature =
  /** Nothing works without. */
  | "core"
  /** Events on Services; without the right they are dropped and counted. */
  | "events"
  /** `createNamespace` of a route: on for `--dst-ns`. */
  | "create-namespace"
  /** `--endpoints` other than `endpoints`. */
  | "slices"
  /** `--endpoints` other than `slices`. */
  | "endpoints"
  /** Finding mirrors that a former configuration left elsewhere; without the right a warning says that they stay. */
  | "strays"
  /**
   * Telling a namespace that has gone, and its Role with it, from a right that is missing; without it mirrors of a deleted
   * namespace stay, and a missing one holds up its destination.
   */
  | "gone-namespaces"
  /** Learning a second IP family before a Service shows it; without the right it is learnt then. */
  | "families"
  /** `--webhook=on`. */
  | "webhook"
  /** The same where the Secret was not installed empty, as the manifests do it: nobody else is asked for this right. */
  | "missing-secret"
  /** `--webhook=on` with `--certs-mode=self`: svc-ferry tells API servers of its CA. */
  | "ca-bundle"
  /** `--kubeconfig-secret`: a token of the kubeconfig renews itself. Other credentials do without. */
  | "renewal";

/** Where a right has to hold. */
type RightPlace =
  /** A cluster-scoped resource, or a namespaced one in all namespaces. */
  | "cluster"
  /** Each namespace of the routes: of their sources in the source, of their targets in a destination. All, when a route says so. */
  | "routes"
  /** The namespace of the Lease: `--leader-election-namespace` in the source; in a destination the first mapped one. */
  | "lease"
  /** The namespace of the ServiceAccount that svc-ferry is in a destination. */
  | "account"
  /** The namespace `default`. */
  | "default";

/** Which objects; undefined: any. RBAC cannot restrict `create` by name, but for subresources, whose path has the name. */
type RightNames =
  | "kube-system"
  | "kubernetes"
  /** `--leader-election-name`. */
  | "lease"
  /** The link, by which the Lease in a destination is called. */
  | "link"
  /** Each mapped namespace, when they can be told beforehand. */
  | "mapped-namespaces"
  /** `svc-ferry-webhook-tls`. */
  | "webhook-secret"
  /** `--webhook-configuration`. */
  | "webhook-configuration"
  /** The ServiceAccount that svc-ferry is in a destination. */
  | "account"
  /** `--kubeconfig-secret`. */
  | "kubeconfig-secret";

export interface Right {
  readonly cluster: "source" | "destination";
  readonly place: RightPlace;
  /** "" is core/v1. */
  readonly group: string;
  /** With "/" before a subresource, as in roles. */
  readonly resource: string;
  readonly verbs: readonly Verb[];
  readonly names?: RightNames;
  readonly feature: Feature;
  /** What is done with it, for people who grant it. */
  readonly why: string;
}
