/**
 * The table of the mirror's settings: flag (one dash or two), environment variable (`SVC_FERRY_MIRROR_LINK`), help and
 * checks follow from each entry. Names and defaults of the first part are etcd-carry's and stay as they are.
 * Precedence: flag, environment, default.
 */
import { COMMON_SETTINGS } from "./common-settings.js";
import { endpointList, keyPrefix, revision } from "./mirror-values.js";
import { optional, withDefault, type Setting } from "./setting.js";
import { bindAddress, duration, integer, labelValue, line, oneOf, toggle } from "./value-types.js";

/** A setting whose flag an ancestor called otherwise before. */
function renamed<T>(olderName: string, setting: Setting<T>): Setting<T> {
  return { ...setting, olderName };
}

/** How one of the two etcds is reached. @param older what etcd-carry called that side before */
function sideSettings(name: "source" | "dest", older: "master" | "slave", label: string) {
  return {
    endpoints: renamed(
      `${older}-endpoints`,
      optional(`${name}-endpoints`, endpointList, `where the ${label}'s etcd answers`),
    ),
    ...tlsSettings(name, older, label),
    user: optional(`${name}-user`, line("name"), `user of the ${label}'s etcd, where it has auth`),
    passwordFile: optional(
      `${name}-password-file`,
      line("path"),
      "file with that user's password; read again at each login",
    ),
    kubePrefix: optional(
      `${name}-kube-prefix`,
      keyPrefix,
      `prefix of the ${label}'s keys, when it is another than --kube-prefix`,
    ),
    encryptionProviderConfig: optional(
      `${name}-encryption-provider-config`,
      line("path"),
      `EncryptionConfiguration of the ${label}'s API servers, when it is another than --encryption-provider-config`,
    ),
  };
}

function tlsSettings(name: "source" | "dest", older: "master" | "slave", label: string) {
  const file = (which: string): string => `/etc/kubernetes/${name}/etcd/${which}`;
  return {
    cacert: renamed(
      `${older}-cacert`,
      withDefault(
        `${name}-cacert`,
        line("path"),
        file("ca.crt"),
        `CA of the ${label}'s etcd, PEM; without a file those of Node.js`,
      ),
    ),
    cert: renamed(
      `${older}-cert`,
      withDefault(
        `${name}-cert`,
        line("path"),
        file("server.crt"),
        `client certificate for the ${label}'s etcd, PEM; read again when it changes`,
      ),
    ),
    key: renamed(
      `${older}-key`,
      withDefault(`${name}-key`, line("path"), file("server.key"), `its private key, PEM`),
    ),
    insecureSkipTlsVerify: renamed(
      `${older}-insecure-skip-tls-verify`,
      withDefault(
        `${name}-insecure-skip-tls-verify`,
        toggle,
        "off",
        `take any certificate of the ${label}'s etcd: whoever is on the way can read and write everything`,
      ),
    ),
    insecureTransport: renamed(
      `${older}-insecure-transport`,
      withDefault(
        `${name}-insecure-transport`,
        toggle,
        "off",
        `no TLS for endpoints without a scheme; http:// says the same of one endpoint`,
      ),
    ),
  };
}

export type SideSettings = ReturnType<typeof sideSettings>;

export const SOURCE_SETTINGS = sideSettings("source", "master", "source");
export const DEST_SETTINGS = sideSettings("dest", "slave", "destination");

/** etcd-carry's, but for those of a side. */
export const MIRROR_SETTINGS = {
  debug: withDefault("debug", toggle, "off", "the same as --log-level=debug"),
  mirrorRule: withDefault(
    "mirror-rule",
    line("path"),
    "/etc/mirror/rules.yaml",
    "the rules; without a file, or with an empty one, nothing is mirrored and nothing deleted",
  ),
  mode: withDefault(
    "mode",
    oneOf("standalone", "active-standby"),
    "standalone",
    "active-standby: several replicas, one writes and the others stand by; standalone: a second one waits and warns",
  ),
  encryptionProviderConfig: withDefault(
    "encryption-provider-config",
    line("path"),
    "/etc/mirror/secrets-encryption.yaml",
    "EncryptionConfiguration of the API servers of both sides; without a file nothing is encrypted",
  ),
  kubePrefix: withDefault("kube-prefix", keyPrefix, "/registry", "prefix of the API servers' keys"),
  /** 4: the data, its record and two compares. */
  maxTxnOps: withDefault(
    "max-txn-ops",
    integer(4, 100_000),
    "128",
    "operations in one transaction with --dest-cold; more than the server takes is lowered by itself",
  ),
  rev: withDefault(
    "rev",
    revision,
    "0",
    "first revision of the watch, with an empty ledger only: nothing older is copied",
  ),
  dialTimeout: withDefault("dial-timeout", duration(1), "2s", "time to reach an etcd member"),
  keepaliveTime: withDefault(
    "keepalive-time",
    duration(1),
    "2s",
    "between two pings of a silent connection; etcd refuses less than 5s, so 5s are taken then",
  ),
  keepaliveTimeout: withDefault(
    "keepalive-timeout",
    duration(1),
    "6s",
    "how long an answer to a ping is waited for",
  ),
  dbPath: withDefault(
    "db-path",
    line("path"),
    "/var/lib/mirror/db",
    "not used: the checkpoint is kept in the destination",
  ),
  bindAddress: withDefault("bind-address", bindAddress, "0.0.0.0", "address of the port below"),
  bindPort: withDefault(
    "bind-port",
    integer(0, 65_535),
    "10520",
    "port of /healthz, /ready, /metrics, /status and the page; 0 picks a free one",
  ),

  link: withDefault(
    "link",
    labelValue,
    "mirror",
    "whose the mirrored objects are; every mirror into one destination has its own",
  ),
  podName: optional("pod-name", line("name"), "identity in fence and log", "HOSTNAME"),
  destCold: withDefault(
    "dest-cold",
    toggle,
    "off",
    "no API server runs on the destination: many objects in one transaction. With one, its watches lose objects",
  ),
  destCompaction: withDefault(
    "dest-compaction",
    toggle,
    "on",
    "compact a destination that nobody compacts, to five minutes ago",
  ),
  onConflict: withDefault(
    "on-conflict",
    oneOf("skip", "adopt", "fail"),
    "skip",
    "when a key that is not ours is in the way: leave it, take it over, or do not even start",
  ),
  onDrift: withDefault(
    "on-drift",
    oneOf("repair", "report"),
    "repair",
    "when somebody changed a mirrored object in the destination",
  ),
  /** 2,000: below what flushes the watch caches of a live API server (mirror.md, 15). */
  maxWritesPerSecond: optional(
    "max-writes-per-second",
    integer(0, 1_000_000),
    "writes into the destination; 0: no limit; without it 2000, with --dest-cold no limit",
  ),
  deleteNamespaces: withDefault(
    "delete-namespaces",
    oneOf("never", "empty"),
    "empty",
    "whether Namespaces and CRDs that no rule names any more are removed when nothing of anybody else is in them",
  ),
  destKubeconfig: optional(
    "dest-kubeconfig",
    line("path"),
    "kubeconfig for the destination's API server: Services, Namespaces' deletion and rules with via: api need it",
  ),
  destContext: optional("dest-context", line("context"), "its context; without one the current"),
  adoptFromLink: optional(
    "adopt-from-link",
    labelValue,
    "reverse direction: what this link of the other direction has mirrored is taken over where the uid is the same",
  ),
  acceptNewDestination: withDefault(
    "accept-new-destination",
    toggle,
    "off",
    "go on though another etcd than before answers as the destination",
  ),
  allowPlaintext: withDefault(
    "allow-plaintext",
    toggle,
    "off",
    "write what is encrypted in the source in plain text where the destination has no configuration for it",
  ),
  allowMassDelete: withDefault(
    "allow-mass-delete",
    toggle,
    "off",
    "no brake on deletions; for once there is `svc-ferry mirror release-brake`",
  ),
  /** 10 min: API servers have to know a new key before anything is written with it. */
  encryptionSettle: withDefault(
    "encryption-settle",
    duration(0),
    "10m",
    "how long a new first key of the destination's configuration is known before it writes",
  ),
  fullPassInterval: withDefault(
    "full-pass-interval",
    duration(1_000),
    "24h",
    "how often everything is compared",
  ),
  /** 10 s: etcd grants no less than 2 s, and each renewal is a write through its log. */
  fenceTtl: withDefault(
    "fence-ttl",
    duration(2_000),
    "10s",
    "how long others wait for a mirror that is silent; whole seconds",
  ),
  ...COMMON_SETTINGS,
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** Of single commands. */
export const MIRROR_COMMAND_SETTINGS = {
  /** 2 min: a mirror at rest writes its checkpoint once a minute. */
  wait: withDefault(
    "wait",
    duration(0),
    "2m",
    "how long a running mirror is given to do what is left; 0: no wait",
  ),
  allowDebts: withDefault(
    "allow-debts",
    toggle,
    "off",
    "what cannot be written now is listed, but changes no exit code",
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

/** Both sides' settings in the table's order: etcd-carry's come first. */
export function mirrorSettingList(): readonly Setting<unknown>[] {
  return [
    ...Object.values(SOURCE_SETTINGS),
    ...Object.values(DEST_SETTINGS),
    ...Object.values(MIRROR_SETTINGS),
  ];
}
