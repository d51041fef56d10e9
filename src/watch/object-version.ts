import type { KubeObject } from "../ports/kube-api.js";
import { shared } from "../ports/shared-text.js";
import type { Version } from "./stored.js";

/** An object's key and version; undefined when the server sent it without name, uid or version, which the API forbids. */
export function versionOf(object: KubeObject): (Version & { readonly key: string }) | undefined {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  if (!name || !uid || !resourceVersion) return undefined;
  const key = shared(namespace ? `${namespace}/${name}` : name);
  return { key, uid, resourceVersion };
}

/**
 * Whether a collection's version lies before another one of the same collection and server; undefined when one of them is no
 * number.
 *
 * The one place where versions are compared: to find a server whose etcd was restored from an older snapshot. A watch from a
 * version that such a server has not reached yet delivers nothing, without any error.
 */
export function isOlder(version: string, than: string): boolean | undefined {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return undefined;
  return BigInt(version) < BigInt(than);
}
