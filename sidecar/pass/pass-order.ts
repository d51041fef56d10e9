import type { Catalog } from "../keys/catalog.js";
import type { StoredResource } from "../keys/resource.js";
import { compareKeys } from "../link/keyspace.js";
import type { Ruleset } from "../rules/ruleset.js";

/** The resources that rules may want, in groups: a group begins when everything of the one before is acknowledged. */
export function passOrder(
  rules: Ruleset,
  catalog: Catalog,
): readonly (readonly StoredResource[])[] {
  const groups = new Map<number, StoredResource[]>();
  const paths = new Set<string>();
  for (const resource of catalog.resources) {
    const order = rules.orderOf(resource);
    // Two groups of the API may share their objects; their keys are read once.
    if (order === undefined || paths.has(resource.path)) continue;
    paths.add(resource.path);
    const rank = rankOf(resource) ?? order;
    groups.set(rank, [...(groups.get(rank) ?? []), resource]);
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([, resources]) => resources.toSorted((a, b) => compareKeys(a.path, b.path)));
}

/** Nothing can be written into a Namespace, or of a CRD, that is not there. */
function rankOf({ group, resource }: StoredResource): number | undefined {
  if (group === "" && resource === "namespaces") return -2;
  if (group === "apiextensions.k8s.io" && resource === "customresourcedefinitions") return -1;
  return undefined;
}
