/**
 * Every resource that Kubernetes itself stores, releases 1.33 to 1.37, and where in etcd.
 *
 * The rule: `<plural>/`, without the group. The exceptions are `specialResourcePrefixes` of the API server
 * (pkg/kubeapiserver/default_storage_factory_builder.go) and the two groups that are custom resources at heart
 * (apiextensions.k8s.io, apiregistration.k8s.io), which keep the group in their path. What each release stores is listed in
 * test/integration/etcd/data.go of kubernetes/kubernetes; test/integration/sidecar/keys.test.ts asks a real API server.
 */
import type { StoredResource } from "./resource.js";

/** One row: plural, kind, scope, versions newest first, and the path where it is not the plural. */
type Row = readonly [
  resource: string,
  kind: string,
  scope: "namespaced" | "cluster",
  versions: string,
  path?: string,
];

/**
 * Versions are all that a release since 1.16 has served, newest first: a rule may name any of them, because objects are found
 * by group and kind. What never existed is a mistake.
 */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  "": [
    ["namespaces", "Namespace", "cluster", "v1"],
    ["configmaps", "ConfigMap", "namespaced", "v1"],
    ["secrets", "Secret", "namespaced", "v1"],
    ["serviceaccounts", "ServiceAccount", "namespaced", "v1"],
    ["services", "Service", "namespaced", "v1", "services/specs"],
    ["endpoints", "Endpoints", "namespaced", "v1", "services/endpoints"],
    ["pods", "Pod", "namespaced", "v1"],
    ["podtemplates", "PodTemplate", "namespaced", "v1"],
    ["replicationcontrollers", "ReplicationController", "namespaced", "v1", "controllers"],
    ["limitranges", "LimitRange", "namespaced", "v1"],
    ["resourcequotas", "ResourceQuota", "namespaced", "v1"],
    ["persistentvolumeclaims", "PersistentVolumeClaim", "namespaced", "v1"],
    ["persistentvolumes", "PersistentVolume", "cluster", "v1"],
    ["nodes", "Node", "cluster", "v1", "minions"],
    ["events", "Event", "namespaced", "v1"],
  ],
  // The same objects as the core group's, stored as v1 Event.
  "events.k8s.io": [["events", "Event", "namespaced", "v1 v1beta1"]],
  apps: [
    ["deployments", "Deployment", "namespaced", "v1 v1beta2 v1beta1"],
    ["statefulsets", "StatefulSet", "namespaced", "v1 v1beta2 v1beta1"],
    ["daemonsets", "DaemonSet", "namespaced", "v1 v1beta2"],
    ["replicasets", "ReplicaSet", "namespaced", "v1 v1beta2"],
    ["controllerrevisions", "ControllerRevision", "namespaced", "v1 v1beta2 v1beta1"],
  ],
  batch: [
    ["jobs", "Job", "namespaced", "v1"],
    ["cronjobs", "CronJob", "namespaced", "v1 v1beta1"],
  ],
  autoscaling: [
    ["horizontalpodautoscalers", "HorizontalPodAutoscaler", "namespaced", "v2 v2beta2 v2beta1 v1"],
  ],
  policy: [
    ["poddisruptionbudgets", "PodDisruptionBudget", "namespaced", "v1 v1beta1"],
    // Gone since 1.25; sources that old are still copied from.
    ["podsecuritypolicies", "PodSecurityPolicy", "cluster", "v1beta1", "podsecuritypolicy"],
  ],
  "rbac.authorization.k8s.io": [
    ["roles", "Role", "namespaced", "v1 v1beta1"],
    ["rolebindings", "RoleBinding", "namespaced", "v1 v1beta1"],
    ["clusterroles", "ClusterRole", "cluster", "v1 v1beta1"],
    ["clusterrolebindings", "ClusterRoleBinding", "cluster", "v1 v1beta1"],
  ],
  "networking.k8s.io": [
    ["ingresses", "Ingress", "namespaced", "v1 v1beta1", "ingress"],
    ["ingressclasses", "IngressClass", "cluster", "v1 v1beta1"],
    ["networkpolicies", "NetworkPolicy", "namespaced", "v1"],
    ["ipaddresses", "IPAddress", "cluster", "v1 v1beta1 v1alpha1"],
    ["servicecidrs", "ServiceCIDR", "cluster", "v1 v1beta1 v1alpha1"],
  ],
  "discovery.k8s.io": [["endpointslices", "EndpointSlice", "namespaced", "v1 v1beta1"]],
  "coordination.k8s.io": [
    ["leases", "Lease", "namespaced", "v1 v1beta1"],
    ["leasecandidates", "LeaseCandidate", "namespaced", "v1 v1beta1 v1alpha2 v1alpha1"],
  ],
  "storage.k8s.io": [
    ["storageclasses", "StorageClass", "cluster", "v1 v1beta1"],
    ["volumeattachments", "VolumeAttachment", "cluster", "v1 v1beta1 v1alpha1"],
    ["volumeattributesclasses", "VolumeAttributesClass", "cluster", "v1 v1beta1 v1alpha1"],
    ["csidrivers", "CSIDriver", "cluster", "v1 v1beta1"],
    ["csinodes", "CSINode", "cluster", "v1 v1beta1"],
    ["csistoragecapacities", "CSIStorageCapacity", "namespaced", "v1 v1beta1 v1alpha1"],
  ],
  "scheduling.k8s.io": [
    ["priorityclasses", "PriorityClass", "cluster", "v1 v1beta1 v1alpha1"],
    ["workloads", "Workload", "namespaced", "v1 v1beta1 v1alpha3 v1alpha2 v1alpha1"],
    ["podgroups", "PodGroup", "namespaced", "v1 v1beta1 v1alpha3 v1alpha2 v1alpha1"],
  ],
  "node.k8s.io": [["runtimeclasses", "RuntimeClass", "cluster", "v1 v1beta1 v1alpha1"]],
  "certificates.k8s.io": [
    ["certificatesigningrequests", "CertificateSigningRequest", "cluster", "v1 v1beta1"],
    ["clustertrustbundles", "ClusterTrustBundle", "cluster", "v1 v1beta1 v1alpha1"],
    ["podcertificaterequests", "PodCertificateRequest", "namespaced", "v1 v1beta1 v1alpha1"],
  ],
  "flowcontrol.apiserver.k8s.io": [
    ["flowschemas", "FlowSchema", "cluster", "v1 v1beta3 v1beta2 v1beta1 v1alpha1"],
    [
      "prioritylevelconfigurations",
      "PriorityLevelConfiguration",
      "cluster",
      "v1 v1beta3 v1beta2 v1beta1 v1alpha1",
    ],
  ],
  "admissionregistration.k8s.io": [
    ["validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "cluster", "v1 v1beta1"],
    ["mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "cluster", "v1 v1beta1"],
    ["validatingadmissionpolicies", "ValidatingAdmissionPolicy", "cluster", "v1 v1beta1 v1alpha1"],
    [
      "validatingadmissionpolicybindings",
      "ValidatingAdmissionPolicyBinding",
      "cluster",
      "v1 v1beta1 v1alpha1",
    ],
    ["mutatingadmissionpolicies", "MutatingAdmissionPolicy", "cluster", "v1 v1beta1 v1alpha1"],
    [
      "mutatingadmissionpolicybindings",
      "MutatingAdmissionPolicyBinding",
      "cluster",
      "v1 v1beta1 v1alpha1",
    ],
  ],
  "resource.k8s.io": [
    ["deviceclasses", "DeviceClass", "cluster", "v1 v1beta2 v1beta1 v1alpha3"],
    ["resourceclaims", "ResourceClaim", "namespaced", "v1 v1beta2 v1beta1 v1alpha3"],
    [
      "resourceclaimtemplates",
      "ResourceClaimTemplate",
      "namespaced",
      "v1 v1beta2 v1beta1 v1alpha3",
    ],
    ["resourceslices", "ResourceSlice", "cluster", "v1 v1beta2 v1beta1 v1alpha3"],
    ["devicetaintrules", "DeviceTaintRule", "cluster", "v1 v1beta2 v1beta1 v1alpha3"],
    ["resourcepoolstatusrequests", "ResourcePoolStatusRequest", "cluster", "v1beta1 v1alpha3"],
  ],
  "storagemigration.k8s.io": [
    ["storageversionmigrations", "StorageVersionMigration", "cluster", "v1 v1beta1 v1alpha1"],
  ],
  "internal.apiserver.k8s.io": [["storageversions", "StorageVersion", "cluster", "v1alpha1"]],
  "apiextensions.k8s.io": [
    [
      "customresourcedefinitions",
      "CustomResourceDefinition",
      "cluster",
      "v1 v1beta1",
      "apiextensions.k8s.io/customresourcedefinitions",
    ],
  ],
  "apiregistration.k8s.io": [
    ["apiservices", "APIService", "cluster", "v1 v1beta1", "apiregistration.k8s.io/apiservices"],
  ],
};

/** In the order of the table; where two groups share a path (events), the one that is stored comes first. */
export const BUILTIN_RESOURCES: readonly StoredResource[] = Object.freeze(
  Object.entries(ROWS).flatMap(([group, rows]) => rows.map((row) => resourceOf(group, row))),
);

/** Groups whose kinds are all in the table. A CRD cannot be in one of those without a dot. */
export const BUILTIN_GROUPS: ReadonlySet<string> = new Set(Object.keys(ROWS));

function resourceOf(
  group: string,
  [resource, kind, scope, versions, path = resource]: Row,
): StoredResource {
  return Object.freeze({
    group,
    resource,
    kind,
    namespaced: scope === "namespaced",
    path,
    versions: Object.freeze(versions.split(" ")),
    custom: false,
  });
}
