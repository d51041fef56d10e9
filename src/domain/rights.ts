/**
 * The one table of what svc-ferry asks of each cluster's RBAC, right by right, and what each is good for. `doctor` asks
 * for every one of them; the roles that are shipped grant these and no other.
 */
import type { Right } from "./right.js";

const SOURCE = "source";
const DESTINATION = "destination";
const CORE = "";
const DISCOVERY = "discovery.k8s.io";
const COORDINATION = "coordination.k8s.io";
const ADMISSION = "admissionregistration.k8s.io";
const READ = ["get", "list", "watch"] as const;

const IDENTITY = {
  place: "cluster",
  group: CORE,
  resource: "namespaces",
  verbs: ["get"],
  names: "kube-system",
  feature: "core",
  why: "know the cluster by the UID of kube-system",
} as const;

/** Nobody needs it who may look into all namespaces: that right does not go with one of them. */
const GONE_NAMESPACES = {
  place: "cluster",
  group: CORE,
  resource: "namespaces",
  verbs: ["get"],
  names: "mapped-namespaces",
  feature: "gone-namespaces",
} as const;

/** Both Leases, the leader's and the link's, are kept alike. RBAC knows no names for a create. */
const KEEP_LEASE = {
  place: "lease",
  group: COORDINATION,
  resource: "leases",
  feature: "core",
} as const;

const SOURCE_RIGHTS: readonly Right[] = [
  { cluster: SOURCE, ...IDENTITY },
  {
    cluster: SOURCE,
    ...GONE_NAMESPACES,
    why: "prove that Services went with their namespace, which took along the Role that lets one ask for them",
  },
  {
    cluster: SOURCE,
    place: "routes",
    group: CORE,
    resource: "services",
    verbs: READ,
    feature: "core",
    why: "see which Services are selected; ask for one before its mirror is deleted",
  },
  {
    cluster: SOURCE,
    place: "routes",
    group: DISCOVERY,
    resource: "endpointslices",
    verbs: READ,
    feature: "core",
    why: "see the endpoints of selected Services; ask for one before its copy is deleted",
  },
  {
    cluster: SOURCE,
    ...KEEP_LEASE,
    verbs: ["get", "update"],
    names: "lease",
    why: "hold the leader's Lease",
  },
  { cluster: SOURCE, ...KEEP_LEASE, verbs: ["create"], why: "make the leader's Lease" },
  {
    cluster: SOURCE,
    place: "routes",
    group: CORE,
    resource: "events",
    verbs: ["create", "patch"],
    feature: "events",
    why: "tell of a Service what became of it",
  },
  {
    cluster: SOURCE,
    place: "lease",
    group: CORE,
    resource: "events",
    verbs: ["create", "patch"],
    feature: "events",
    why: "tell of blocked deletions, on the Lease",
  },
  {
    cluster: SOURCE,
    place: "lease",
    group: CORE,
    resource: "secrets",
    verbs: [...READ, "update"],
    names: "webhook-secret",
    feature: "webhook",
    why: "keep and load certificates and keys",
  },
  {
    cluster: SOURCE,
    place: "lease",
    group: CORE,
    resource: "secrets",
    verbs: ["create"],
    feature: "missing-secret",
    why: "make that Secret where nobody installed an empty one",
  },
  {
    cluster: SOURCE,
    place: "lease",
    group: CORE,
    resource: "secrets",
    verbs: ["get", "update"],
    names: "kubeconfig-secret",
    feature: "renewal",
    why: "keep a destination's renewed token for the next start",
  },
  ...["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].flatMap(
    (resource): readonly Right[] => [
      {
        cluster: SOURCE,
        place: "cluster",
        group: ADMISSION,
        resource,
        verbs: READ,
        names: "webhook-configuration",
        feature: "webhook",
        why: "see whether API servers trust what is served",
      },
      {
        cluster: SOURCE,
        place: "cluster",
        group: ADMISSION,
        resource,
        verbs: ["patch"],
        names: "webhook-configuration",
        feature: "ca-bundle",
        why: "fill in caBundle",
      },
    ],
  ),
];

const DESTINATION_RIGHTS: readonly Right[] = [
  { cluster: DESTINATION, ...IDENTITY },
  {
    cluster: DESTINATION,
    place: "routes",
    group: CORE,
    resource: "services",
    verbs: [...READ, "create", "patch", "delete"],
    feature: "core",
    why: "see which names are free; keep mirrors",
  },
  {
    cluster: DESTINATION,
    place: "routes",
    group: DISCOVERY,
    resource: "endpointslices",
    verbs: [...READ, "delete"],
    feature: "core",
    why: "see what lies under a mirror's name; remove what nothing wants",
  },
  {
    cluster: DESTINATION,
    place: "routes",
    group: DISCOVERY,
    resource: "endpointslices",
    verbs: ["create", "patch"],
    feature: "slices",
    why: "keep the endpoints of mirrors",
  },
  {
    cluster: DESTINATION,
    place: "routes",
    group: CORE,
    resource: "endpoints",
    verbs: [...READ, "delete"],
    feature: "core",
    why: "see what lies under a mirror's name; remove what nothing wants",
  },
  {
    cluster: DESTINATION,
    place: "routes",
    group: CORE,
    resource: "endpoints",
    verbs: ["create", "patch"],
    feature: "endpoints",
    why: "keep the endpoints of mirrors for those who read core/v1 Endpoints",
  },
  {
    cluster: DESTINATION,
    ...KEEP_LEASE,
    verbs: ["get", "update"],
    names: "link",
    why: "hold the link, so that no second installation writes under it",
  },
  { cluster: DESTINATION, ...KEEP_LEASE, verbs: ["create"], why: "make the link's Lease" },
  {
    cluster: DESTINATION,
    place: "default",
    group: CORE,
    resource: "services",
    verbs: ["get"],
    names: "kubernetes",
    feature: "core",
    why: "learn the cluster's IP family",
  },
  {
    cluster: DESTINATION,
    place: "cluster",
    group: "networking.k8s.io",
    resource: "servicecidrs",
    verbs: ["get"],
    names: "kubernetes",
    feature: "families",
    why: "learn a second IP family",
  },
  {
    cluster: DESTINATION,
    place: "cluster",
    group: CORE,
    resource: "services",
    verbs: ["list"],
    feature: "strays",
    why: "find mirrors that a former configuration left in other namespaces",
  },
  {
    cluster: DESTINATION,
    place: "cluster",
    group: CORE,
    resource: "namespaces",
    verbs: ["create"],
    feature: "create-namespace",
    why: "make a missing namespace; what is allowed in the mapped namespaces must then be allowed in it as well",
  },
  {
    cluster: DESTINATION,
    ...GONE_NAMESPACES,
    why: "go on without a namespace that is missing; tell it from one that is being deleted (doctor)",
  },
  {
    cluster: DESTINATION,
    place: "account",
    group: CORE,
    resource: "serviceaccounts/token",
    verbs: ["create"],
    names: "account",
    feature: "renewal",
    why: "renew its own token before that ends",
  },
];

/** Source first. */
export const RIGHTS: readonly Right[] = [...SOURCE_RIGHTS, ...DESTINATION_RIGHTS];
