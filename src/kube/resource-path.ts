/** Where a resource lives below an API server's address. */

import { TerminalError } from "../ports/errors.js";
import type { ObjectRef, Resource } from "../ports/kube-api.js";

/** Values of one query string; undefined is left out. */
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Path of all objects of a kind. `namespace` undefined: over all namespaces, or a cluster-scoped kind.
 * @throws TerminalError FERRY-K011 for a name that cannot be a path segment
 */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const api =
    resource.group === ""
      ? `/api/${segment(resource.version)}`
      : `/apis/${segment(resource.group)}/${segment(resource.version)}`;
  const scope =
    resource.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : "";
  return `${api}${scope}/${segment(resource.plural)}`;
}

/**
 * Path of one object.
 * @throws TerminalError FERRY-K011 when the name is empty or the namespace of a namespaced kind is missing: such a path
 * would name the whole collection, and a DELETE would empty it
 */
export function objectPath(resource: Resource, ref: ObjectRef): string {
  if (resource.namespaced && ref.namespace === undefined) {
    throw new TerminalError("FERRY-K011", `${resource.plural} ${ref.name}: no namespace given`);
  }
  return `${collectionPath(resource, ref.namespace)}/${segment(ref.name)}`;
}

/** The path with its query string. */
export function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

/** NB: encodeURIComponent leaves dots alone, and servers clean "." and ".." out of paths. */
function segment(text: string): string {
  if (text === "" || text === "." || text === "..") {
    throw new TerminalError("FERRY-K011", `"${text}" cannot be part of an API path`);
  }
  return encodeURIComponent(text);
}
