/** From flags and environment to one checked configuration of the mirror, or to everything that is wrong with them. */
import { deepFrozen } from "./deep-frozen.js";
import { durationText } from "./duration.js";
import { GivenSettings, MIRROR_VARIABLE_PREFIX, misspelledMirrorVariables } from "./given.js";
import type { ConfigInput } from "./load.js";
import type { MirrorConfig, MirrorLinkConfig, MirrorWriting } from "./mirror-config.js";
import {
  DEST_SETTINGS,
  MIRROR_COMMAND_SETTINGS,
  MIRROR_SETTINGS,
  mirrorSettingList,
  SOURCE_SETTINGS,
} from "./mirror-settings.js";
import { etcdAccess, MIN_KEEPALIVE_MS } from "./mirror-side.js";
import { problem, type Problem } from "./problems.js";
import { settingKey, type Setting } from "./setting.js";

export type Loaded<T> =
  | { readonly kind: "ok"; readonly config: T; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** The settings that the commands read which work with the destination alone. */
export const LINK_SETTINGS: readonly Setting<unknown>[] = [
  ...Object.values(DEST_SETTINGS),
  MIRROR_SETTINGS.kubePrefix,
  MIRROR_SETTINGS.encryptionProviderConfig,
  MIRROR_SETTINGS.dialTimeout,
  MIRROR_SETTINGS.keepaliveTime,
  MIRROR_SETTINGS.keepaliveTimeout,
  MIRROR_SETTINGS.link,
  MIRROR_SETTINGS.podName,
  MIRROR_SETTINGS.fenceTtl,
  MIRROR_SETTINGS.debug,
  MIRROR_SETTINGS.logFormat,
  MIRROR_SETTINGS.logLevel,
];

/** Every problem is reported at once; a configuration comes out only when there is none. */
export function loadMirrorConfig(input: ConfigInput): Loaded<MirrorConfig> {
  return load(input, mirrorSettingList(), (given, problems) => {
    const source = etcdAccess(
      { ...input, given, name: "source", older: "master", settings: SOURCE_SETTINGS },
      problems,
    );
    const link = linkConfig(input, given, problems);
    problems.push(...sideProblems(given, { ...link, source }));
    return {
      ...link,
      source,
      mode: given.read(MIRROR_SETTINGS.mode).value,
      rules: rulesFile(given),
      destinationApi: destinationApi(given, problems),
      writing: writing(given),
      startRevision: given.read(MIRROR_SETTINGS.rev).value,
      encryptionSettleMs: given.read(MIRROR_SETTINGS.encryptionSettle).value,
      fullPassIntervalMs: given.read(MIRROR_SETTINGS.fullPassInterval).value,
      http: {
        bindAddress: given.read(MIRROR_SETTINGS.bindAddress).value,
        port: given.read(MIRROR_SETTINGS.bindPort).value,
        page: given.read(MIRROR_SETTINGS.page).value,
      },
    };
  });
}

/** As above, for a command that needs no source. */
export function loadMirrorLinkConfig(input: ConfigInput): Loaded<MirrorLinkConfig> {
  return load(input, LINK_SETTINGS, (given, problems) => linkConfig(input, given, problems));
}

/** A configuration with what commands beside a running mirror are told as well. */
export interface Waiting<T> {
  readonly config: T;
  readonly waitMs: number;
  readonly allowDebts: boolean;
}

/** Adds the settings of single commands to a loader's. */
export function withWaiting<T>(
  loader: (input: ConfigInput) => Loaded<T>,
): (input: ConfigInput) => Loaded<Waiting<T>> {
  return (input) => {
    const given = givenTo(input);
    const waitMs = given.read(MIRROR_COMMAND_SETTINGS.wait).value;
    const allowDebts = given.read(MIRROR_COMMAND_SETTINGS.allowDebts).value;
    const loaded = loader(input);
    const problems = loaded.kind === "invalid" ? loaded.problems : [];
    if (loaded.kind === "invalid" || given.problems.length > 0) {
      return { kind: "invalid", problems: [...problems, ...given.problems] };
    }
    return { ...loaded, config: { config: loaded.config, waitMs, allowDebts } };
  };
}

function givenTo({ flags, env }: ConfigInput): GivenSettings {
  return new GivenSettings({
    flags,
    env,
    file: undefined,
    variablePrefix: MIRROR_VARIABLE_PREFIX,
  });
}

function load<T extends object>(
  input: ConfigInput,
  settings: readonly Setting<unknown>[],
  assemble: (given: GivenSettings, problems: Problem[]) => T,
): Loaded<T> {
  const given = givenTo(input);
  given.readAll(settings);
  const problems: Problem[] = [];
  const config = assemble(given, problems);
  problems.push(...settings.flatMap((setting) => twice(setting, input)));
  const all = [...given.problems, ...problems];
  if (all.length > 0) return { kind: "invalid", problems: all };
  const known = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
  const warnings = [...warningsOf(given), ...misspelledMirrorVariables(input.env, known)];
  return { kind: "ok", config: deepFrozen(config), warnings };
}

function linkConfig(
  input: ConfigInput,
  given: GivenSettings,
  problems: Problem[],
): MirrorLinkConfig {
  const podName = given.read(MIRROR_SETTINGS.podName);
  if (podName.value === undefined) {
    problems.push(problem(podName.label, "is required when HOSTNAME is not set"));
  }
  const ttl = given.read(MIRROR_SETTINGS.fenceTtl);
  if (ttl.value % 1_000 !== 0) {
    const reason = "is not in whole seconds, which is all that an etcd lease can say";
    problems.push(problem(ttl.label, reason, { value: durationText(ttl.value) }));
  }
  const debug = given.read(MIRROR_SETTINGS.debug).value;
  return {
    link: given.read(MIRROR_SETTINGS.link).value,
    podName: podName.value ?? "",
    destination: etcdAccess(
      { ...input, given, name: "destination", older: "slave", settings: DEST_SETTINGS },
      problems,
    ),
    fenceTtlSeconds: ttl.value / 1_000,
    log: {
      format: given.read(MIRROR_SETTINGS.logFormat).value,
      level: debug ? "debug" : given.read(MIRROR_SETTINGS.logLevel).value,
    },
  };
}

/** The same etcd and the same keys on both sides: everything would be its own mirror. */
function sideProblems(
  given: GivenSettings,
  { source, destination }: Pick<MirrorConfig, "source" | "destination">,
): readonly Problem[] {
  const same = source.endpoints.find((endpoint) => destination.endpoints.includes(endpoint));
  if (same === undefined || !overlap(source.kubePrefix, destination.kubePrefix)) return [];
  const { label } = given.read(DEST_SETTINGS.endpoints);
  const reason = "is the source as well, and the prefixes overlap";
  return [problem(label, reason, { value: same })];
}

function overlap(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}

function rulesFile(given: GivenSettings): MirrorConfig["rules"] {
  const { value, explicit } = given.read(MIRROR_SETTINGS.mirrorRule);
  return { path: value, required: explicit };
}

function destinationApi(given: GivenSettings, problems: Problem[]): MirrorConfig["destinationApi"] {
  const { value: kubeconfig } = given.read(MIRROR_SETTINGS.destKubeconfig);
  const { value: context, label } = given.read(MIRROR_SETTINGS.destContext);
  if (kubeconfig !== undefined) return { kubeconfig, context };
  if (context !== undefined) {
    problems.push(problem(label, "is given without --dest-kubeconfig", { value: context }));
  }
  return undefined;
}

/** What a live API server's watch caches bear without flushing. */
const LIVE_WRITES_PER_SECOND = 2_000;

function writing(given: GivenSettings): MirrorWriting {
  const cold = given.read(MIRROR_SETTINGS.destCold).value;
  const asked = given.read(MIRROR_SETTINGS.maxWritesPerSecond).value;
  const limit = asked ?? (cold ? 0 : LIVE_WRITES_PER_SECOND);
  return {
    cold,
    maxTxnOps: given.read(MIRROR_SETTINGS.maxTxnOps).value,
    maxWritesPerSecond: limit === 0 ? undefined : limit,
    compaction: given.read(MIRROR_SETTINGS.destCompaction).value,
    onConflict: given.read(MIRROR_SETTINGS.onConflict).value,
    onDrift: given.read(MIRROR_SETTINGS.onDrift).value,
    deleteNamespaces: given.read(MIRROR_SETTINGS.deleteNamespaces).value,
    adoptFromLink: given.read(MIRROR_SETTINGS.adoptFromLink).value,
    acceptNewDestination: given.read(MIRROR_SETTINGS.acceptNewDestination).value,
    allowPlaintext: given.read(MIRROR_SETTINGS.allowPlaintext).value,
    allowMassDelete: given.read(MIRROR_SETTINGS.allowMassDelete).value,
  };
}

/** A flag and its older name beside each other: nobody could say which one counts. */
function twice({ name, olderName }: Setting<unknown>, { flags }: ConfigInput): readonly Problem[] {
  const both = [name, olderName ?? ""].every((one) => flags[settingKey(one)] !== undefined);
  return both ? [problem(`--${name}`, `is given together with its older name --${olderName}`)] : [];
}

/** Right, but maybe not meant. */
function warningsOf(given: GivenSettings): readonly string[] {
  const warnings: string[] = [];
  const pings = given.read(MIRROR_SETTINGS.keepaliveTime);
  // Not for etcd-carry's default, which nobody chose.
  if (pings.explicit && pings.value < MIN_KEEPALIVE_MS) {
    const [asked, raised] = [pings.value, MIN_KEEPALIVE_MS].map(durationText);
    warnings.push(
      `${pings.label}: ${asked} is raised to ${raised}: etcd ends connections that ping more often`,
    );
  }
  const db = given.read(MIRROR_SETTINGS.dbPath);
  if (db.explicit) warnings.push(`${db.label} is not used: the checkpoint is in the destination`);
  const isOpen = !["127.0.0.1", "::1", "localhost"].includes(
    given.read(MIRROR_SETTINGS.bindAddress).value,
  );
  if (given.read(MIRROR_SETTINGS.page).value === "all" && isOpen) {
    warnings.push("--page=all: whoever reaches the port can read the names of what is mirrored");
  }
  return warnings;
}
