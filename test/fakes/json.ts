/** JSON values as the fake server keeps them: frozen and shared, never edited. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the other side of a wire gets: a copy of its own, without the keys whose value is undefined. */
export function wireCopy<T>(value: T): T {
  return copy(value) as T;
}

/** Equal as JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

/** Freezes the whole value and answers it; parts that are frozen already are not walked again. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

/** JSON merge patch, RFC 7386: null removes, objects merge, all else replaces. Shares what the patch does not touch. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** The object without keys whose value is undefined, null, "", false, [] or {}: what Go's omitempty leaves out. */
export function omitEmpty<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value))) as T;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : copy(item)));
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) if (part !== undefined) result[key] = copy(part);
  return result;
}
