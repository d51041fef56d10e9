/**
 * What is not mirrored although a rule selects it, each with its reason: objects that would harm the destination, that its
 * own controllers make, or that say who the source cluster is.
 *
 * Some are never mirrored. The others belong to a class that a rule's `allow:` names. What a key alone says (master leases,
 * the allocators' ranges) is no object for the catalog, and whatever hangs on an etcd lease is left out where keys are read.
 */
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import { fieldValue } from "../wire/field-value.js";
import type { StoredObject } from "../wire/stored-object.js";

/** What `allow:` of a rule can name. Part of the configuration's API: docs/mirror-rules.md explains each. */
export const ALLOW_CLASSES = [
  "workloads",
  "controller-created",
  "volumes",
  "admission",
  "system-namespaces",
  "default-service-accounts",
  "bootstrap-tokens",
  "helm-releases",
  "cluster-internals",
] as const;

export type AllowClass = (typeof ALLOW_CLASSES)[number];

export interface Denial {
  /** Follows the kind in a sentence: "a Node belongs to …". */
  readonly why: string;
  /** The class that lifts it; "destination-api": a way to the destination's API server does; undefined: nothing does. */
  readonly unlockedBy: AllowClass | "destination-api" | undefined;
}

/** Denies some objects of a resource. */
export interface ObjectDenial extends Denial {
  applies(key: ObjectKey, object: StoredObject): boolean;
}

/** Why no object of this resource is mirrored; undefined: it depends on the object. */
export function kindDenial({ group, resource }: StoredResource): Denial | undefined {
  return KINDS.get(`${group}/${resource}`);
}

/** What denies single objects of this resource, nearest reason first. */
export function objectDenials({
  group,
  resource,
  namespaced,
}: StoredResource): readonly ObjectDenial[] {
  const own = OBJECTS.get(`${group}/${resource}`) ?? [];
  return namespaced ? [...own, IN_SYSTEM_NAMESPACE] : own;
}

/** The reason with what lifts it, one sentence. */
export function denialText({ why, unlockedBy }: Denial): string {
  if (unlockedBy === undefined) return `${why}; nothing lifts this`;
  if (unlockedBy === "destination-api") {
    return `${why}; give --dest-kubeconfig, and no \`via: etcd\``;
  }
  return `${why}; \`allow: [${unlockedBy}]\` lifts this`;
}

/** Namespaces of the cluster itself: what lies in them describes the source. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([
  "default",
  "kube-node-lease",
  "kube-public",
  "kube-system",
]);

function kinds(
  unlockedBy: AllowClass | undefined,
  why: string,
  ...resources: readonly string[]
): readonly (readonly [string, Denial])[] {
  return resources.map((resource) => [resource, { why, unlockedBy }] as const);
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

const IN_SYSTEM_NAMESPACE: ObjectDenial = {
  why: "it lies in a namespace of the cluster itself; a rule with that very `namespace:` mirrors it",
  unlockedBy: "system-namespaces",
  applies: ({ namespace }) => namespace !== undefined && SYSTEM_NAMESPACES.has(namespace),
};

const SOURCE_CA = "it holds the certificate authority or the settings of the source cluster";

/** ConfigMaps that describe their cluster, by namespace. `kube-root-ca.crt` is in every one. */
const CLUSTER_CONFIG_MAPS: ReadonlySet<string> = new Set([
  "kube-public/cluster-info",
  "kube-system/extension-apiserver-authentication",
  "kube-system/kubeadm-config",
  "kube-system/kubelet-config",
]);

const API_SERVER_SERVICE: ObjectDenial = {
  why: "it is the API server's own Service",
  unlockedBy: undefined,
  applies: ({ namespace, name }) => namespace === "default" && name === "kubernetes",
};

/** The default roles are found by their label, which the API server reconciles by, and by their name. */
const BOOTSTRAP_ROLE: ObjectDenial = {
  why: "each API server keeps its own default roles",
  unlockedBy: "cluster-internals",
  applies: ({ name }, { meta }) =>
    name.startsWith("system:") || meta.labels["kubernetes.io/bootstrapping"] === "rbac-defaults",
};

const OBJECTS: ReadonlyMap<string, readonly ObjectDenial[]> = new Map<string, ObjectDenial[]>([
  [
    "/configmaps",
    [
      {
        why: SOURCE_CA,
        unlockedBy: undefined,
        applies: ({ namespace, name }) =>
          name === "kube-root-ca.crt" || CLUSTER_CONFIG_MAPS.has(`${namespace ?? ""}/${name}`),
      },
    ],
  ],
  [
    "/secrets",
    [
      secretsOfType(
        "kubernetes.io/service-account-token",
        "it is signed by the source's key for a ServiceAccount's uid; the destination deletes it",
        undefined,
      ),
      secretsOfType(
        "bootstrap.kubernetes.io/token",
        "it lets nodes join the source",
        "bootstrap-tokens",
      ),
      secretsOfType(
        "helm.sh/release.v1",
        "it says what Helm installed in the source, not in the destination",
        "helm-releases",
      ),
    ],
  ],
  [
    "/serviceaccounts",
    [
      {
        why: "a controller makes it in every namespace",
        unlockedBy: "default-service-accounts",
        applies: ({ name }) => name === "default",
      },
    ],
  ],
  [
    "/namespaces",
    [
      {
        why: "it is a namespace of the cluster itself",
        unlockedBy: "system-namespaces",
        applies: ({ name }) => SYSTEM_NAMESPACES.has(name),
      },
    ],
  ],
  ["/services", [API_SERVER_SERVICE]],
  ["/endpoints", [API_SERVER_SERVICE]],
  ["discovery.k8s.io/endpointslices", [API_SERVER_SERVICE]],
  ["rbac.authorization.k8s.io/clusterroles", [BOOTSTRAP_ROLE]],
  ["rbac.authorization.k8s.io/clusterrolebindings", [BOOTSTRAP_ROLE]],
  [
    "scheduling.k8s.io/priorityclasses",
    [
      {
        why: "each API server keeps its own system classes",
        unlockedBy: "cluster-internals",
        applies: ({ name }) => name.startsWith("system-"),
      },
    ],
  ],
  [
    "certificates.k8s.io/clustertrustbundles",
    [
      {
        why: SOURCE_CA,
        unlockedBy: undefined,
        applies: ({ name }) => name.startsWith("kubernetes.io:"),
      },
    ],
  ],
  [
    "batch/jobs",
    [
      {
        why: "a CronJob makes it, in each cluster its own",
        unlockedBy: "controller-created",
        applies: (_, { meta }) => meta.ownerReferences.some(({ kind }) => kind === "CronJob"),
      },
    ],
  ],
]);

function secretsOfType(
  type: string,
  why: string,
  unlockedBy: AllowClass | undefined,
): ObjectDenial {
  return {
    why,
    unlockedBy,
    applies: (_, object) => fieldValue(object, "type") === type,
  };
}
