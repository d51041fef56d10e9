/** Reads one object through the API, in a version that the destination serves. */
import { RetryableError } from "../../src/ports/errors.js";
import type { KubeApi, KubeObject, Resource } from "../../src/ports/kube-api.js";
import type { StoredResource } from "../keys/resource.js";
import type { ApiObject } from "./api-writer.js";

export interface ApiReading {
  readonly kind: "read";
  readonly resource: Resource;
  /** undefined: there is no such object. */
  readonly object: KubeObject | undefined;
}

/**
 * The first version that is served decides. A resource in a version that is not is answered with a plain 404, without a Status:
 * FERRY-K007. So no right to discovery is needed, and the read is needed anyway.
 * @throws RetryableError, TerminalError as KubeApi.get
 */
export async function readServed(
  api: Pick<KubeApi, "get">,
  { resource, namespace, name }: ApiObject,
  versions: readonly string[],
  signal: AbortSignal,
): Promise<ApiReading | { readonly kind: "not-served" }> {
  for (const version of versions) {
    const named = resourceOf(resource, version);
    try {
      return {
        kind: "read",
        resource: named,
        object: await api.get(named, { namespace, name }, signal),
      };
    } catch (error) {
      if (!(error instanceof RetryableError) || error.code !== "FERRY-K007") throw error;
    }
  }
  return { kind: "not-served" };
}

export function resourceOf(stored: StoredResource, version: string): Resource {
  const { group, resource: plural, kind, namespaced } = stored;
  return { group, version, plural, kind, namespaced };
}

/** "apps/v1" -> "v1". */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}
