/** Single objects that are not mirrored although their kind is: those of the cluster itself, or made by its controllers. */
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import { fieldValue } from "../wire/field-value.js";
import type { StoredObject } from "../wire/stored-object.js";
import type { AllowClass, Denial, ObjectDenial } from "./deny.js";

/** Namespaces of the cluster itself: what lies in them describes the source. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([
  "default",
  "kube-node-lease",
  "kube-public",
  "kube-system",
]);

/** What can deny single objects of this resource; the first reason that is not lifted counts. */
export function objectDenials({
  group,
  resource,
  namespaced,
}: StoredResource): readonly ObjectDenial[] {
  const own = OBJECTS.get(`${group}/${resource}`);
  return [...(own === undefined ? [] : [own]), ...(namespaced ? [inSystemNamespace] : [])];
}

type Condition = (key: ObjectKey, object: StoredObject) => boolean;

function denied(unlockedBy: AllowClass | undefined, why: string, when: Condition): ObjectDenial {
  const denial: Denial = { why, unlockedBy };
  return (key, object) => (when(key, object) ? denial : undefined);
}

const inSystemNamespace = denied(
  "system-namespaces",
  "it lies in a namespace of the cluster itself; a rule with that very `namespace:` mirrors it",
  ({ namespace }) => namespace !== undefined && SYSTEM_NAMESPACES.has(namespace),
);

const SOURCE_CA = "it holds the certificate authority or the settings of the source cluster";

/** ConfigMaps that describe their cluster, by namespace. `kube-root-ca.crt` is in every one. */
const CLUSTER_CONFIG_MAPS: ReadonlySet<string> = new Set([
  "kube-public/cluster-info",
  "kube-system/extension-apiserver-authentication",
  "kube-system/kubeadm-config",
  "kube-system/kubelet-config",
]);

const apiServerService = denied(
  undefined,
  "it is the API server's own Service",
  ({ namespace, name }) => namespace === "default" && name === "kubernetes",
);

/** The default roles are found by their label, which the API server reconciles by, and by their name. */
const bootstrapRole = denied(
  "cluster-internals",
  "each API server keeps its own default roles",
  ({ name }, { meta }) =>
    name.startsWith("system:") || meta.labels["kubernetes.io/bootstrapping"] === "rbac-defaults",
);

const SECRET_TYPES: ReadonlyMap<string, Denial> = new Map([
  [
    "kubernetes.io/service-account-token",
    {
      why: "it is signed by the source's key for a ServiceAccount's uid; the destination deletes it",
      unlockedBy: undefined,
    },
  ],
  [
    "bootstrap.kubernetes.io/token",
    { why: "it lets nodes join the source", unlockedBy: "bootstrap-tokens" },
  ],
  [
    "helm.sh/release.v1",
    {
      why: "it says what Helm installed in the source, not in the destination",
      unlockedBy: "helm-releases",
    },
  ],
]);

/** By group and plural. */
const OBJECTS: ReadonlyMap<string, ObjectDenial> = new Map([
  [
    "/configmaps",
    denied(
      undefined,
      SOURCE_CA,
      ({ namespace, name }) =>
        name === "kube-root-ca.crt" || CLUSTER_CONFIG_MAPS.has(`${namespace ?? ""}/${name}`),
    ),
  ],
  ["/secrets", (_, object) => SECRET_TYPES.get(fieldValue(object, "type") ?? "")],
  [
    "/serviceaccounts",
    denied(
      "default-service-accounts",
      "a controller makes it in every namespace",
      ({ name }) => name === "default",
    ),
  ],
  [
    "/namespaces",
    denied("system-namespaces", "it is a namespace of the cluster itself", ({ name }) =>
      SYSTEM_NAMESPACES.has(name),
    ),
  ],
  ["/services", apiServerService],
  ["/endpoints", apiServerService],
  ["discovery.k8s.io/endpointslices", apiServerService],
  ["rbac.authorization.k8s.io/clusterroles", bootstrapRole],
  ["rbac.authorization.k8s.io/clusterrolebindings", bootstrapRole],
  [
    "scheduling.k8s.io/priorityclasses",
    denied("cluster-internals", "each API server keeps its own system classes", ({ name }) =>
      name.startsWith("system-"),
    ),
  ],
  [
    "certificates.k8s.io/clustertrustbundles",
    denied(undefined, SOURCE_CA, ({ name }) => name.startsWith("kubernetes.io:")),
  ],
  [
    "batch/jobs",
    denied("controller-created", "a CronJob makes it, in each cluster its own", (_, { meta }) =>
      meta.ownerReferences.some(({ kind }) => kind === "CronJob"),
    ),
  ],
]);
