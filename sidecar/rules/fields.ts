/** Fields of objects, as field selectors name them. */
import { holds, type Selector } from "./selectors.js";
import type { StoredObject } from "../wire/stored-object.js";

/** A field's value as text; undefined: it is not there, or holds no single value. */
export type FieldValue = (object: StoredObject, path: string) => string | undefined;

/** The paths that can be read of a kind: "any" for what is stored as JSON. */
export type KnownFields = (group: string, kind: string) => readonly string[] | "any";

/** What the rules have to be told about values. */
export interface FieldAccess {
  readonly fieldValue: FieldValue;
  readonly knownFields: KnownFields;
}

/**
 * Does one of the selectors match? As with labels: NotIn and DoesNotExist match what has no such field, and a list
 * without any matches everything.
 */
export function anyFieldsMatch(
  selectors: readonly Selector[],
  object: StoredObject,
  fieldValue: FieldValue,
): boolean {
  if (selectors.length === 0) return true;
  return selectors.some((selector) =>
    selector.every((requirement) => holds(requirement, fieldValue(object, requirement.key))),
  );
}
