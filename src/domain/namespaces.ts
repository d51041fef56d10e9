/** Which namespaces of a destination the routes may write to: what has to be watched there. */
import type { Reason } from "./codes.js";
import type { Route } from "./route.js";
import { fill } from "./target.js";

/** "all" when a template depends on what the source has. */
export function targetNamespaces(routes: readonly Route[]): readonly string[] | "all" {
  const found = new Set<string>();
  for (const route of routes) {
    const template = route.target.namespace;
    const depends =
      template.includes("{name}") ||
      (template.includes("{namespace}") && route.namespaces === "all");
    if (depends) return "all";
    const sources = route.namespaces === "all" ? [""] : route.namespaces;
    for (const namespace of sources) found.add(fill(template, { namespace, name: "" }));
    for (const namespace of route.target.allowedNamespaces) found.add(namespace);
  }
  return [...found];
}

/** Where the link's Lease lies in a destination: its first mapped namespace; `default` when that is not fixed. */
export function leaseNamespace(routes: readonly Route[]): string {
  const namespaces = targetNamespaces(routes);
  return namespaces === "all" ? "default" : (namespaces[0] ?? "default");
}

/** Why nothing is written to a destination at all when the Lease's namespace is not there, said of each of its Services. */
export function homelessLease(namespace: string): Reason {
  return {
    code: "namespace-missing",
    message: `namespace ${namespace} does not exist in the destination, and it is the first that the routes map to: the Lease of this installation's link lies there, and without it nothing is written to any namespace; create it, or let the route do so (createNamespace: true)`,
  };
}
