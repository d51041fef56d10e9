/**
 * Annotations that controllers write where an object lives. They say something of that cluster, so the mirror never compares
 * them and leaves the destination's in place on update; on create they come along from the source and are overwritten there.
 *
 * Left out on purpose: `pv.kubernetes.io/provisioned-by` (a volume cannot be deleted without it, and the source's is right), and
 * `kubectl.kubernetes.io/last-applied-configuration` (written by people's tools, so part of what they want).
 */

/** "group/Kind" -> annotations; the core group is "". */
const LOCAL: Readonly<Record<string, readonly string[]>> = {
  // The deployment controller counts roll-outs; its ReplicaSets carry the counter and the sizes it computed.
  "apps/Deployment": ["deployment.kubernetes.io/revision"],
  "apps/ReplicaSet": [
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
  ],
  // The API server keeps the former field templateGeneration here and counts it up with each change of the template.
  "apps/DaemonSet": ["deprecated.daemonset.template.generation"],
  // The job controller marked Jobs that it tracks with finalizers (until 1.27).
  "batch/Job": ["batch.kubernetes.io/job-tracking"],
  // In version 1 the autoscaler's status stands in annotations.
  "autoscaling/HorizontalPodAutoscaler": [
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
  ],
  // The volume controllers: what was bound to what, who provisions and resizes, on which node the first user runs.
  "/PersistentVolumeClaim": [
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "pv.kubernetes.io/migrated-to",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-resizer",
    "volume.kubernetes.io/selected-node",
  ],
  "/PersistentVolume": ["pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/migrated-to"],
  // The external attacher's name of the node.
  "storage.k8s.io/VolumeAttachment": ["csi.alpha.kubernetes.io/node-id"],
  // Leader election before Leases: the record of who leads in that cluster. Endpoints also tell when they last changed and were cut.
  "/ConfigMap": ["control-plane.alpha.kubernetes.io/leader"],
  "/Endpoints": [
    "control-plane.alpha.kubernetes.io/leader",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "endpoints.kubernetes.io/over-capacity",
  ],
  "discovery.k8s.io/EndpointSlice": ["endpoints.kubernetes.io/last-change-trigger-time"],
};

const LOCAL_BY_KIND = new Map(Object.entries(LOCAL));

/** For WireKind.localAnnotations, of whatever version. */
export function localAnnotations(group: string, kind: string): readonly string[] {
  return LOCAL_BY_KIND.get(`${group}/${kind}`) ?? [];
}
