/** Every label and annotation that svc-ferry writes or reads, and which of the users' keys travel. */
import type { StringMap } from "./objects.js";

const PREFIX = "svc-ferry.io/";

/**
 * Whose an object is: the installation's link, as a label the selector of every sweep. Services carry it as an annotation
 * too, so that a mirror whose label somebody removed is still known and healed.
 */
export const LINK_LABEL = `${PREFIX}link`;
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
export const MANAGED_BY = "svc-ferry";

export const SOURCE_CLUSTER_ANNOTATION = `${PREFIX}source-cluster`;
/** "namespace/name" of the source Service (on slices: of the source slice). */
export const SOURCE_ANNOTATION = `${PREFIX}source`;
export const SOURCE_UID_ANNOTATION = `${PREFIX}source-uid`;
/** "name@digest" of the route that made the mirror. */
export const ROUTE_ANNOTATION = `${PREFIX}route`;
/** The users' keys that we wrote: "l:<label>,a:<annotation>". */
export const KEYS_ANNOTATION = `${PREFIX}keys`;

/** The last change that mattered: its id, who made it, when, and the signature that binds these to the content. */
export const CHANGE_ID_ANNOTATION = `${PREFIX}change-id`;
export const CHANGED_BY_ANNOTATION = `${PREFIX}changed-by`;
export const CHANGED_AT_ANNOTATION = `${PREFIX}changed-at`;
export const STAMP_ANNOTATION = `${PREFIX}stamp`;

export const TARGET_NAME_ANNOTATION = `${PREFIX}target-name`;
export const TARGET_NAMESPACE_ANNOTATION = `${PREFIX}target-namespace`;
export const PAUSED_ANNOTATION = `${PREFIX}paused`;
/** On the Lease in the source: how many deletions one sweep may do although the brake would block them. */
export const ALLOW_MASS_DELETE_ANNOTATION = `${PREFIX}allow-mass-delete`;
/** On the Lease in the source: where its holder takes the hints of other replicas, "host:port". */
export const HAND_OFF_ANNOTATION = `${PREFIX}hand-off`;
/** On the Secret with the certificates: what a person wants rotated now. */
export const ROTATE_ANNOTATION = `${PREFIX}rotate`;
/** On a Service of a dry run: `doctor` asks who answers admission, and how the answer is told from others. */
export const PROBE_ANNOTATION = `${PREFIX}probe`;
export const TAKEOVER_ANNOTATION = `${PREFIX}takeover`;
export const RELEASE_TO_ANNOTATION = `${PREFIX}release-to`;

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const SLICE_MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const SLICE_MANAGED_BY = "svc-ferry.io";
export const SLICE_CONTROLLER = "endpointslice-controller.k8s.io";
export const SLICE_MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io";
export const SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror";
export const HEADLESS_LABEL = "service.kubernetes.io/headless";
/** Set by the destination's endpoints controller on what it writes (Kubernetes 1.33 and later). */
export const ENDPOINTS_MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
export const OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity";

/** Does an annotation of ours, or one that a route copies, have to be kept in memory? */
export function isOurAnnotation(key: string): boolean {
  return key.startsWith(PREFIX);
}

/**
 * The source's labels that a mirror carries: not the keys of any route's selector (a mirror must never be selected
 * itself), nothing that belongs to Kubernetes, Helm, Argo CD or Flux (their owners would take the mirror for theirs).
 */
export function copiedLabels(labels: StringMap, selectorKeys: ReadonlySet<string>): StringMap {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !selectorKeys.has(key) && isCopiedLabel(key)),
  );
}

const NEVER_COPIED = new Set([MANAGED_BY_LABEL, "app.kubernetes.io/instance", "heritage", "chart"]);
const FOREIGN_DOMAINS = [
  "kubernetes.io",
  "k8s.io",
  "helm.sh",
  "argoproj.io",
  "fluxcd.io",
  "svc-ferry.io",
];

/** May a mirror carry this label of its source, unless a route selects by it? */
export function isCopiedLabel(key: string): boolean {
  if (NEVER_COPIED.has(key)) return false;
  const slash = key.indexOf("/");
  if (slash < 0) return true;
  const domain = key.slice(0, slash);
  if (domain === "app.kubernetes.io") return true;
  return !FOREIGN_DOMAINS.some((owner) => domain === owner || domain.endsWith(`.${owner}`));
}

/** "name@digest" -> its parts; undefined when the mirror carries no route. */
export function routeOf(annotations: StringMap): { name: string; digest: string } | undefined {
  const value = annotations[ROUTE_ANNOTATION];
  const at = value?.lastIndexOf("@") ?? -1;
  if (value === undefined || at < 0) return undefined;
  return { name: value.slice(0, at), digest: value.slice(at + 1) };
}

/** The users' keys recorded on a mirror. */
export function recordedKeys(annotations: StringMap): { labels: string[]; annotations: string[] } {
  const entries = (annotations[KEYS_ANNOTATION] ?? "").split(",").filter((entry) => entry !== "");
  const of = (kind: string): string[] =>
    entries.filter((entry) => entry.startsWith(`${kind}:`)).map((entry) => entry.slice(2));
  return { labels: of("l"), annotations: of("a") };
}

/** The value of KEYS_ANNOTATION for these keys, sorted so that equal sets give equal text. */
export function keysRecord(labels: readonly string[], annotations: readonly string[]): string {
  return [...labels.map((key) => `l:${key}`), ...annotations.map((key) => `a:${key}`)]
    .sort()
    .join(",");
}
