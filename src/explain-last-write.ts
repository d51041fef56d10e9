import { splitKey, type ServiceKey } from "./domain/service-key.js";
import type { KubeApi, KubeObject } from "./ports/kube-api.js";
import { SERVICES } from "./ports/kube-resources.js";

/** As the API server calls whoever sends our User-Agent. Source: apiserver pkg/endpoints/handlers/create.go, managerOrUserAgent. */
const MANAGER = "svc-ferry";

/** When svc-ferry wrote this mirror last, RFC 3339: API servers keep that. undefined: never, or there is no such mirror. */
export async function lastWrite(
  api: KubeApi,
  target: ServiceKey,
  signal: AbortSignal,
): Promise<string | undefined> {
  const mirror = await api.get(SERVICES, splitKey(target), signal);
  return mirror && newest(mirror);
}

/** Whole seconds in UTC: the order of the texts is that of the times. */
function newest({ metadata }: KubeObject): string | undefined {
  const { managedFields = [] } = metadata as {
    readonly managedFields?: readonly { readonly manager?: string; readonly time?: string }[];
  };
  const times = managedFields.flatMap(({ manager, time }) =>
    manager === MANAGER ? (time ?? []) : [],
  );
  return times.toSorted().at(-1);
}
