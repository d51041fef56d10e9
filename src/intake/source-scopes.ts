/** What has to be watched in the source for a set of routes. */
import type { Route, Selector } from "../domain/route.js";

export interface ScopeOfServices {
  /** undefined: all. */
  readonly namespace: string | undefined;
  readonly selector: Selector;
}

/** One watch per namespace and selector, however many routes share them. */
export function serviceScopes(routes: readonly Route[]): readonly ScopeOfServices[] {
  const found = new Map<string, ScopeOfServices>();
  for (const route of routes) {
    const namespaces = route.namespaces === "all" ? [undefined] : route.namespaces;
    for (const namespace of namespaces) {
      const { selector } = route;
      found.set(`${namespace ?? ""} ${selector.text}`, { namespace, selector });
    }
  }
  return [...found.values()];
}

/** Where slices are. */
export function sourceNamespaces(routes: readonly Route[]): readonly string[] | "all" {
  const found = new Set<string>();
  for (const { namespaces } of routes) {
    if (namespaces === "all") return "all";
    for (const namespace of namespaces) found.add(namespace);
  }
  return [...found];
}
