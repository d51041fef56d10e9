/** Which IP families a cluster gives to Services, as well as that can be asked. */
import type { IpFamily } from "./domain/objects.js";
import { parseService, parseServiceCidr } from "./domain/parse.js";
import { type ErrorCode, RetryableError, TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import { SERVICE_CIDRS, SERVICES } from "./ports/kube-resources.js";

/**
 * Primary family first. `default/kubernetes` has that one only; the ranges tell both. Where they may not be read, or are no
 * objects yet (before Kubernetes 1.33), a second family is learnt from the first Service that has it.
 *
 * @throws RetryableError when the cluster does not answer
 */
export async function clusterFamilies(
  api: KubeApi,
  signal: AbortSignal,
): Promise<readonly IpFamily[]> {
  const ref = { namespace: "default", name: "kubernetes" };
  const service = await api.get(SERVICES, ref, signal);
  const primary = service && parseService(service, () => false).spec.ipFamilies;
  return [...new Set([...(primary ?? ["IPv4"]), ...(await rangeFamilies(api, signal))])];
}

/** 403, and the plain 404 of a group that is not served. */
const NOT_SERVED: ReadonlySet<ErrorCode> = new Set(["FERRY-K006", "FERRY-K007"]);

async function rangeFamilies(api: KubeApi, signal: AbortSignal): Promise<readonly IpFamily[]> {
  try {
    const ranges = await api.get(SERVICE_CIDRS, { name: "kubernetes" }, signal);
    return ranges === undefined ? [] : parseServiceCidr(ranges);
  } catch (error) {
    const isRefused = error instanceof RetryableError && NOT_SERVED.has(error.code);
    if (isRefused || error instanceof TerminalError) return [];
    throw error;
  }
}
