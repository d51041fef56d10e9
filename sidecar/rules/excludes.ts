/**
 * Exceptions of a rule: an object is excluded when one of them matches, and each part that is given must match. A part
 * that is not given matches everything, so a name without a namespace is that name in every namespace of the rule.
 */
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import { chooses } from "./name-resolution.js";
import type { Exclude } from "./rule.js";
import { anyMatches, type Labels } from "./selectors.js";

/** Those of a rule that can concern a resource at all. */
export function excludesFor(
  excludes: readonly Exclude[],
  resource: StoredResource,
): readonly Exclude[] {
  return excludes.filter(({ kind }) => kind === undefined || chooses(kind, resource));
}

/** @param exclude one of `excludesFor` the object's resource */
export function excludes(exclude: Exclude, key: ObjectKey, labels: Labels): boolean {
  const { name, namespace, labelSelectors } = exclude;
  return (
    (name === undefined || name === key.name) &&
    (namespace === undefined || namespace === key.namespace) &&
    anyMatches(labelSelectors, labels)
  );
}
