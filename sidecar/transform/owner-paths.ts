import type { Catalog } from "../keys/catalog.js";
import type { ObjectKey } from "../keys/resource.js";
import type { OwnerReference } from "../wire/stored-object.js";

/** One reference and where the owner lies. */
export interface OwnerAt {
  readonly reference: OwnerReference;
  readonly path: string;
}

/**
 * Where the owners of an object lie. A reference that cannot hold is left out: to a kind that nobody knows, or from a
 * cluster-scoped object to a namespaced one. (To another namespace none can be written: references have no namespace.)
 */
export function ownersOf(
  child: ObjectKey,
  references: readonly OwnerReference[],
  catalog: Catalog,
): readonly OwnerAt[] {
  return references.flatMap((reference) => {
    const slash = reference.apiVersion.indexOf("/");
    const group = slash === -1 ? "" : reference.apiVersion.slice(0, slash);
    const resource = catalog.byKind(group, reference.kind);
    if (resource === undefined) return [];
    if (!resource.namespaced) return [{ reference, path: `${resource.path}/${reference.name}` }];
    if (child.namespace === undefined) return [];
    return [{ reference, path: `${resource.path}/${child.namespace}/${reference.name}` }];
  });
}
