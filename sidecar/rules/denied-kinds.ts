/**
 * Kinds of which no object is mirrored, but where a class lifts it. Reasons with their sources: kubernetes/kubernetes
 * pkg/controller and pkg/registry (garbage collector, allocators' repair loops, volume binder), and the threads that
 * production wrote: kubernetes#86812, etcd#16431.
 */
import type { StoredResource } from "../keys/resource.js";
import type { AllowClass, Denial } from "./deny.js";

/** Why no object of this resource is mirrored; undefined: it depends on the object. */
export function kindDenial({ group, resource }: StoredResource): Denial | undefined {
  return KINDS.get(`${group}/${resource}`);
}

const KINDS: ReadonlyMap<string, Denial> = new Map([
  ...kinds(
    undefined,
    "leases of the source take leadership and signs of life from the destination's own controllers and nodes",
    "coordination.k8s.io/leases",
    "coordination.k8s.io/leasecandidates",
  ),
  ...kinds(
    undefined,
    "events hang on an etcd lease: copied without it they stay for ever and fill the quota",
    "/events",
    "events.k8s.io/events",
  ),
  ...kinds(
    undefined,
    "addresses belong to the destination's own allocator, which repairs what it finds",
    "networking.k8s.io/ipaddresses",
    "networking.k8s.io/servicecidrs",
  ),
  ...kinds(
    undefined,
    "it belongs to a machine of the source: in the destination it is dead at once, and pods are evicted for it",
    "/nodes",
    "storage.k8s.io/csinodes",
    "storage.k8s.io/volumeattachments",
    "resource.k8s.io/resourceslices",
  ),
  ...kinds(
    undefined,
    "an aggregated API without its backend breaks discovery and blocks garbage collection and the end of namespaces",
    "apiregistration.k8s.io/apiservices",
  ),
  ...kinds(
    "controller-created",
    "controllers make it from another object, so it would be there twice, or be collected at once",
    "/pods",
    "/endpoints",
    "apps/replicasets",
    "apps/controllerrevisions",
    "discovery.k8s.io/endpointslices",
  ),
  ...kinds(
    "workloads",
    "it runs at once in the destination, beside the one in the source",
    "/replicationcontrollers",
    "apps/deployments",
    "apps/statefulsets",
    "apps/daemonsets",
    "batch/jobs",
    "batch/cronjobs",
    "scheduling.k8s.io/workloads",
    "scheduling.k8s.io/podgroups",
  ),
  ...kinds(
    "volumes",
    "claims bind by uid, and one volume attached to two clusters loses its data",
    "/persistentvolumes",
    "/persistentvolumeclaims",
  ),
  ...kinds(
    "admission",
    "admission without its backend blocks every write in the destination",
    "admissionregistration.k8s.io/validatingwebhookconfigurations",
    "admissionregistration.k8s.io/mutatingwebhookconfigurations",
    "admissionregistration.k8s.io/validatingadmissionpolicies",
    "admissionregistration.k8s.io/validatingadmissionpolicybindings",
    "admissionregistration.k8s.io/mutatingadmissionpolicies",
    "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
    "policy/podsecuritypolicies",
  ),
  ...kinds(
    "cluster-internals",
    "each cluster keeps its own: the API server or its nodes make it or act on it",
    "flowcontrol.apiserver.k8s.io/flowschemas",
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
    "internal.apiserver.k8s.io/storageversions",
    "storagemigration.k8s.io/storageversionmigrations",
    "certificates.k8s.io/certificatesigningrequests",
    "certificates.k8s.io/podcertificaterequests",
    "node.k8s.io/runtimeclasses",
    "resource.k8s.io/resourcepoolstatusrequests",
  ),
]);

/** By group and plural. */
function kinds(
  unlockedBy: AllowClass | undefined,
  why: string,
  ...resources: readonly string[]
): readonly (readonly [string, Denial])[] {
  return resources.map((resource) => [resource, { why, unlockedBy }] as const);
}
