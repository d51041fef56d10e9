/** Single objects that are not mirrored although their kind is: those of the cluster itself, or made by its controllers. */
import type { StoredResource } from "../keys/resource.js";
import { fieldValue } from "../wire/field-value.js";
import type { AllowClass, ObjectDenial } from "./deny.js";

/** Namespaces of the cluster itself: what lies in them describes the source. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([
  "default",
  "kube-node-lease",
  "kube-public",
  "kube-system",
]);

/** What denies single objects of this resource, nearest reason first. */
export function objectDenials({
  group,
  resource,
  namespaced,
}: StoredResource): readonly ObjectDenial[] {
  const own = OBJECTS.get(`${group}/${resource}`) ?? [];
  return namespaced ? [...own, IN_SYSTEM_NAMESPACE] : own;
}

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
