/**
 * The one table of settings. From each entry follow the flag (`--src-ns`, also `-src-ns`), the environment variable
 * (`SVC_FERRY_SRC_NS`), the key in the `--config` file (`srcNs`: the key of this table), the help and the checks.
 * Precedence: flag, environment, file, default.
 */
import { COMMON_SETTINGS } from "./common-settings.js";
import { optional, withDefault, type Setting } from "./setting.js";
import {
  bindAddress,
  duration,
  hostAddress,
  integer,
  labelSelector,
  labelValue,
  line,
  mark,
  namespaceName,
  objectName,
  oneOf,
  template,
  toggle,
} from "./value-types.js";

/** Names and defaults of the first nine are k8s-svc-sync's and stay as they are. */
export const SETTINGS = {
  kubeconfig: optional(
    "kubeconfig",
    line("path"),
    "kubeconfig file that holds both contexts; without one ~/.kube/config",
    "KUBECONFIG",
  ),
  srcContext: withDefault("src-context", line("context"), "local-cluster", "context of the source"),
  dstContext: withDefault(
    "dst-context",
    line("context"),
    "external-cluster",
    "context of the destination",
  ),
  srcNs: withDefault("src-ns", namespaceName, "default", "namespace in the source"),
  dstNs: withDefault(
    "dst-ns",
    template,
    "prod-test",
    "namespace in the destination; may hold {namespace}",
  ),
  syncLabel: withDefault(
    "sync-label",
    labelSelector,
    "sync=true",
    "label selector of the Services that travel",
  ),
  leaderElectionNamespace: withDefault(
    "leader-election-namespace",
    namespaceName,
    "k8s-sync",
    "namespace of the Lease",
  ),
  leaderElectionName: withDefault(
    "leader-election-name",
    objectName,
    "k8s-svc-sync-leader",
    "name of the Lease",
  ),
  podName: optional("pod-name", line("name"), "identity in the Lease and in the log", "HOSTNAME"),

  inCluster: withDefault(
    "in-cluster",
    toggle,
    "off",
    "reach the source by the pod's own ServiceAccount; --src-context then only names it",
  ),
  kubeconfigSecret: optional(
    "kubeconfig-secret",
    objectName,
    "Secret beside the Lease that the kubeconfig is mounted from: a token that was renewed is kept there",
  ),
  link: optional(
    "link",
    labelValue,
    "whose the mirrors are; without one made from the Lease and the source's identity",
  ),
  markLabel: optional(
    "mark-label",
    mark,
    'label of every mirror; without one the selector\'s key=value with "-external" added',
  ),
  createNamespace: optional(
    "create-namespace",
    toggle,
    "create missing destination namespaces; without it on for --dst-ns, off for routes of the file",
  ),
  endpoints: withDefault(
    "endpoints",
    oneOf("slices", "endpoints", "both"),
    "both",
    "which objects carry a mirror's addresses",
  ),
  adopt: withDefault(
    "adopt",
    oneOf("on", "off", "report"),
    "on",
    "take over mirrors that k8s-svc-sync left",
  ),
  allowMassDelete: withDefault(
    "allow-mass-delete",
    toggle,
    "off",
    "let one sweep delete more than 30 % of a destination's mirrors",
  ),
  /** 10 min: only the net below the watches, and at 10,000 mirrors one sweep costs a fraction of a second. */
  sweepInterval: withDefault(
    "sweep-interval",
    duration(100),
    "10m",
    "how often everything is compared",
  ),
  staleRouteGrace: withDefault(
    "stale-route-grace",
    duration(0),
    "5m",
    "how long a configuration must have led before mirrors of routes it does not know are removed",
  ),
  /** 16: at some 6 ms for a write that is 2,600 writes/s, more than one API server gives one client. */
  maxConnections: withDefault(
    "max-connections",
    integer(1, 1_000),
    "16",
    "connections for each cluster, watches not counted",
  ),

  /** Defaults of the three: client-go tools/leaderelection. */
  leaseDuration: withDefault(
    "lease-duration",
    duration(1_000),
    "15s",
    "how long others wait for a leader that is silent; whole seconds",
  ),
  renewDeadline: withDefault(
    "renew-deadline",
    duration(100),
    "10s",
    "how long a leader tries to renew before it steps down",
  ),
  retryPeriod: withDefault("retry-period", duration(50), "2s", "pause between two tries"),

  httpPort: withDefault(
    "http-port",
    integer(0, 65_535),
    "8080",
    "port of /health, /ready, /leader, /metrics and /status; 0 picks a free one",
  ),
  /** "::" takes IPv4 as well; a host without IPv6 falls back to 0.0.0.0. */
  bindAddress: withDefault("bind-address", bindAddress, "::", "address that all ports listen on"),
  /** Off: it needs a Secret and two webhook configurations, which an installation that comes from k8s-svc-sync has not. */
  webhook: withDefault(
    "webhook",
    toggle,
    "off",
    "check, stamp and hand on changes when they are admitted; manifests and chart turn it on",
  ),
  webhookPort: withDefault(
    "webhook-port",
    integer(0, 65_535),
    "9443",
    "port of /mutate and /validate; 0 picks a free one",
  ),
  webhookConfiguration: withDefault(
    "webhook-configuration",
    objectName,
    "svc-ferry",
    "name of both webhook configurations",
  ),
  handOffPort: withDefault(
    "hand-off-port",
    integer(0, 65_535),
    "9444",
    "port on which the leader hears from other replicas; 0 picks a free one",
  ),
  handOffAddress: optional(
    "hand-off-address",
    hostAddress,
    "IP address at which other replicas reach this one; without one the host's own",
    "POD_IP",
  ),
  certsMode: withDefault(
    "certs-mode",
    oneOf("self", "cert-manager", "provided"),
    "self",
    "who makes the webhook's certificate and tells API servers of its CA: svc-ferry, or whoever writes --certs-dir",
  ),
  certsDir: withDefault(
    "certs-dir",
    line("directory"),
    "/etc/svc-ferry/certs",
    "with another --certs-mode than self: directory of tls.crt, tls.key and, if there is one, ca.crt",
  ),
  changedBy: withDefault(
    "changed-by",
    oneOf("full", "hash", "off"),
    "full",
    "how users are named on Services, mirrors and in the log",
  ),
  ...COMMON_SETTINGS,
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** The table's entries, in its order. */
export function settingList(): readonly Setting<unknown>[] {
  return Object.values(SETTINGS);
}
