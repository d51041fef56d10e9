/**
 * Which built-in kinds have a status in their protobuf form, where it is field 3 of the object. The table is needed: field 3 of
 * other kinds is something else, of a Secret its type, of a ConfigMap its binaryData.
 *
 * How the list was made: of all messages with `ObjectMeta metadata` in the generated.proto files of k8s.io/api v0.36.3,
 * those with `status = 3`: 75 of the 79 with a status. The other four (three SelfSubjectReview and PodStatusResult, where it
 * is field 2) are never stored. The extract with all fields of all these messages is test/fixtures/wire/api-messages.txt; a
 * unit test compares it with this table.
 */
import type { StoredObject } from "./stored-object.js";

/** Field number of the status in the object's message. */
export const PROTOBUF_STATUS = 3;

const KINDS: readonly (readonly [apiVersion: string, kinds: readonly string[]])[] = [
  ["admissionregistration.k8s.io/v1", ["ValidatingAdmissionPolicy"]],
  ["admissionregistration.k8s.io/v1alpha1", ["ValidatingAdmissionPolicy"]],
  ["admissionregistration.k8s.io/v1beta1", ["ValidatingAdmissionPolicy"]],
  ["apps/v1", ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]],
  ["apps/v1beta1", ["Deployment", "Scale", "StatefulSet"]],
  ["apps/v1beta2", ["DaemonSet", "Deployment", "ReplicaSet", "Scale", "StatefulSet"]],
  ["authentication.k8s.io/v1", ["TokenRequest", "TokenReview"]],
  ["authentication.k8s.io/v1beta1", ["TokenReview"]],
  [
    "authorization.k8s.io/v1",
    [
      "LocalSubjectAccessReview",
      "SelfSubjectAccessReview",
      "SelfSubjectRulesReview",
      "SubjectAccessReview",
    ],
  ],
  [
    "authorization.k8s.io/v1beta1",
    [
      "LocalSubjectAccessReview",
      "SelfSubjectAccessReview",
      "SelfSubjectRulesReview",
      "SubjectAccessReview",
    ],
  ],
  ["autoscaling/v1", ["HorizontalPodAutoscaler", "Scale"]],
  ["autoscaling/v2", ["HorizontalPodAutoscaler"]],
  ["batch/v1", ["CronJob", "Job"]],
  ["batch/v1beta1", ["CronJob"]],
  ["certificates.k8s.io/v1", ["CertificateSigningRequest"]],
  ["certificates.k8s.io/v1beta1", ["CertificateSigningRequest", "PodCertificateRequest"]],
  ["extensions/v1beta1", ["DaemonSet", "Deployment", "Ingress", "ReplicaSet", "Scale"]],
  ["flowcontrol.apiserver.k8s.io/v1", ["FlowSchema", "PriorityLevelConfiguration"]],
  ["flowcontrol.apiserver.k8s.io/v1beta1", ["FlowSchema", "PriorityLevelConfiguration"]],
  ["flowcontrol.apiserver.k8s.io/v1beta2", ["FlowSchema", "PriorityLevelConfiguration"]],
  ["flowcontrol.apiserver.k8s.io/v1beta3", ["FlowSchema", "PriorityLevelConfiguration"]],
  ["imagepolicy.k8s.io/v1alpha1", ["ImageReview"]],
  ["internal.apiserver.k8s.io/v1alpha1", ["StorageVersion"]],
  ["networking.k8s.io/v1", ["Ingress", "ServiceCIDR"]],
  ["networking.k8s.io/v1beta1", ["Ingress", "ServiceCIDR"]],
  ["policy/v1", ["PodDisruptionBudget"]],
  ["policy/v1beta1", ["PodDisruptionBudget"]],
  ["resource.k8s.io/v1", ["ResourceClaim"]],
  ["resource.k8s.io/v1alpha3", ["DeviceTaintRule", "ResourcePoolStatusRequest"]],
  ["resource.k8s.io/v1beta1", ["ResourceClaim"]],
  ["resource.k8s.io/v1beta2", ["DeviceTaintRule", "ResourceClaim"]],
  ["scheduling.k8s.io/v1alpha2", ["PodGroup"]],
  ["storage.k8s.io/v1", ["VolumeAttachment"]],
  ["storage.k8s.io/v1alpha1", ["VolumeAttachment"]],
  ["storage.k8s.io/v1beta1", ["VolumeAttachment"]],
  ["storagemigration.k8s.io/v1beta1", ["StorageVersionMigration"]],
  [
    "v1",
    [
      "Namespace",
      "Node",
      "PersistentVolume",
      "PersistentVolumeClaim",
      "Pod",
      "ReplicationController",
      "ResourceQuota",
      "Service",
    ],
  ],
];

const KINDS_BY_API_VERSION = new Map(
  KINDS.map(([apiVersion, kinds]) => [apiVersion, new Set(kinds)]),
);

/** The object's protobuf form has a status. A kind that a newer server adds counts as one without: its field 3 is left alone. */
export function hasProtobufStatus({
  apiVersion,
  kind,
}: Pick<StoredObject, "apiVersion" | "kind">): boolean {
  return KINDS_BY_API_VERSION.get(apiVersion)?.has(kind) ?? false;
}
