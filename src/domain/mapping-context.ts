/** What decides where Services go, made of an installation's facts: the same for the core and for whoever explains it. */
import { targetNamespaces } from "./namespaces.js";
import type { Route } from "./route.js";
import type { MappingContext } from "./target.js";

export interface MappingFacts {
  readonly routes: readonly Route[];
  /** Of the installation itself: the Lease's. */
  readonly ownNamespace: string;
  /** Destinations that turned out to be the source cluster itself. */
  readonly selfDestinations: ReadonlySet<string>;
}

/** What lies where routes write in the source itself is never a source. */
export function mappingContext({
  routes,
  ownNamespace,
  selfDestinations,
}: MappingFacts): MappingContext {
  const own = targetNamespaces(
    routes.filter(({ destination }) => selfDestinations.has(destination)),
  );
  return {
    routes,
    ownNamespaces: new Set([ownNamespace]),
    // Where everything may be a target, labels and annotations still tell mirrors apart.
    ownTargetNamespaces: new Set(own === "all" ? [] : own),
  };
}
