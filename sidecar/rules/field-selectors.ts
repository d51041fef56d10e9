/** Selectors on fields of objects. What can be read of a kind, and how, is known in wire/. */
import type { StoredResource } from "../keys/resource.js";
import { fieldValue, knownFields } from "../wire/field-value.js";
import type { StoredObject } from "../wire/stored-object.js";
import { holds, type Selector } from "./selectors.js";

/**
 * Does one of the selectors match? As with labels: NotIn and DoesNotExist match what has no such field, and a list
 * without any matches everything.
 */
export function anyFieldsMatch(selectors: readonly Selector[], object: StoredObject): boolean {
  if (selectors.length === 0) return true;
  return selectors.some((selector) =>
    selector.every((requirement) => holds(requirement, fieldValue(object, requirement.key))),
  );
}

/** The paths that can be read of a built-in resource; "any" for the two whose objects are stored as JSON. */
export function selectablePaths({ group, kind, path }: StoredResource): readonly string[] | "any" {
  // They are custom resources at heart, which shows in their path too: it begins with the group.
  return path.startsWith(`${group}/`) ? "any" : knownFields(group, kind);
}
