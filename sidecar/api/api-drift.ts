/**
 * What an API server would change of an object, or has changed. Raw writes are compared by their bytes; what a server was given has
 * been defaulted and allocated since, so only the server itself can tell whether it means the same.
 */
import type { KubeObject, WriteResult } from "../../src/ports/kube-api.js";

/** Enough for a log line; a person looks at the object then. */
const MAX_PATHS = 20;
/** A server's own, of whatever write. */
const METADATA = new Set(["resourceVersion", "generation", "managedFields"]);

/** Somebody else has written it. */
export function isTouchedSince(leftAt: string | undefined, { metadata }: KubeObject): boolean {
  return leftAt !== undefined && leftAt !== metadata.resourceVersion;
}

/** Fields that are other than before. None when the server did not do it: what it says then is told by whoever really asks it to. */
export function changedBy(result: WriteResult, before: KubeObject): readonly string[] {
  if (result.kind !== "done" || result.object === undefined) return [];
  return differingFields(before, result.object);
}

/** Where they differ, as `spec.ports[0].port`: at most 20 paths, never a value. Status is not looked at. */
function differingFields(before: KubeObject, after: KubeObject): readonly string[] {
  const { status: _before, ...was } = { status: undefined, ...before };
  const { status: _after, ...is } = { status: undefined, ...after };
  const paths: string[] = [];
  for (const path of differing(was, is, "")) {
    if (paths.push(path) === MAX_PATHS) break;
  }
  return paths;
}

function* differing(a: unknown, b: unknown, path: string): Generator<string, void> {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    for (const [at, element] of a.entries()) yield* differing(element, b[at], `${path}[${at}]`);
  } else if (isMap(a) && isMap(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (path === "metadata" && METADATA.has(key)) continue;
      yield* differing(a[key], b[key], below(path, key));
    }
  } else if (JSON.stringify(a) !== JSON.stringify(b)) {
    yield path;
  }
}

function below(path: string, key: string): string {
  if (path === "") return key;
  return /^\w+$/.test(key) ? `${path}.${key}` : `${path}[${key}]`;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
