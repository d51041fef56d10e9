/** Coming from k8s-svc-sync: may this Service that is not ours become ours? */
import { isAdoptable, type ForeignService, type Ownership } from "../domain/ownership.js";
import { endpointsAddresses, parseService } from "../domain/parse.js";
import type { Candidate } from "../domain/plan.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import { parseContent, type SourceSlice } from "../domain/slice.js";
import { fill } from "../domain/target.js";
import type { KubeObject } from "../ports/kube-api.js";
import type { Applier } from "./applier.js";

export interface AdoptionRequest {
  readonly target: ServiceKey;
  readonly candidate: Candidate;
  readonly foreign: ForeignService;
  readonly sourceSlices: readonly SourceSlice[];
  readonly signal: AbortSignal;
}

/**
 * Reads the Service and its Endpoints anew (caches keep little of what is not ours) and applies the rule.
 *
 * @returns undefined when the Service must stay somebody else's
 */
export async function adoption(
  request: AdoptionRequest,
  applier: Applier,
): Promise<Extract<Ownership, { kind: "adoptable" }> | undefined> {
  const { target, candidate, foreign } = request;
  const ref = splitKey(target);
  const evidence = {
    mark: candidate.route.mark,
    targetNamespaceIsRoutes:
      ref.namespace === fill(candidate.route.target.namespace, candidate.service),
    sourceAddresses: addresses(request.sourceSlices),
    existingAddresses: [],
  };
  if (!isAdoptable(foreign, evidence)) return undefined;
  const [service, endpoints] = await Promise.all([
    applier.read("services", ref, request.signal),
    applier.read("endpoints", ref, request.signal),
  ]);
  if (service?.metadata.uid !== foreign.uid) return undefined;
  const existingAddresses = endpoints === undefined ? [] : endpointsAddresses(endpoints);
  if (!isAdoptable(foreign, { ...evidence, existingAddresses })) return undefined;
  return { kind: "adoptable", service: parseService(service, () => true) };
}

/** Endpoints under our mirror's name without our link: the predecessor's, a controller's, or a stranger's? */
export function endpointsMayBeTaken(
  object: KubeObject,
  sourceSlices: readonly SourceSlice[],
): boolean {
  const existing = endpointsAddresses(object);
  if (existing.length === 0) return true;
  const ours = new Set(addresses(sourceSlices));
  return (
    object.metadata.labels?.["endpoints.kubernetes.io/managed-by"] !== undefined ||
    existing.some((address) => ours.has(address))
  );
}

function addresses(slices: readonly SourceSlice[]): readonly string[] {
  return slices.flatMap((slice) =>
    parseContent(slice.content).endpoints.flatMap((endpoint) => endpoint.addresses),
  );
}

/** The source key of a candidate. */
export function candidateKey(candidate: Candidate): ServiceKey {
  return serviceKey(candidate.service.namespace, candidate.service.name);
}
