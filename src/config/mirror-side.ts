/** One etcd as its settings describe it, with everything that is wrong with them. */
import type { GivenSettings } from "./given.js";
import type { ConfigFilePath, EtcdAccess, EtcdTls } from "./mirror-config.js";
import { MIRROR_SETTINGS, type SideSettings } from "./mirror-settings.js";
import type { Endpoint } from "./mirror-values.js";
import { problem, type Problem } from "./problems.js";
import type { Setting } from "./setting.js";

/** etcd servers end a connection whose client pings more often (GRPCKeepAliveMinTime in embed/config.go). */
export const MIN_KEEPALIVE_MS = 5_000;

export interface SideInput {
  readonly name: EtcdAccess["name"];
  /** What etcd-carry called the side: its default paths are looked at when those of now are not there. */
  readonly older: string;
  readonly settings: SideSettings;
  readonly given: GivenSettings;
  /** @throws when the file cannot be read */
  readonly readFile: (path: string) => string;
}

/** @param problems what is wrong is added here */
export function etcdAccess(input: SideInput, problems: Problem[]): EtcdAccess {
  const { name, settings, given } = input;
  const endpoints = given.read(settings.endpoints);
  if (endpoints.text === undefined) {
    problems.push(
      problem(endpoints.label, "is required", {
        allowed: settings.endpoints.type.allowed,
      }),
    );
  }
  const plain = given.read(settings.insecureTransport).value;
  const urls = (endpoints.value ?? []).map((endpoint) => urlOf(endpoint, plain));
  const isPlain = urls.every((url) => url.startsWith("http:"));
  if (!isPlain && urls.some((url) => url.startsWith("http:"))) {
    const value = endpoints.text;
    problems.push(problem(endpoints.label, "mixes plain text and TLS", { value }));
  }
  const kubePrefix = given.read(settings.kubePrefix).value;
  return {
    name,
    endpoints: urls,
    tls: isPlain ? undefined : tlsOf(input, problems),
    user: userOf(input, problems),
    dialTimeoutMs: given.read(MIRROR_SETTINGS.dialTimeout).value,
    keepAliveTimeMs: Math.max(given.read(MIRROR_SETTINGS.keepaliveTime).value, MIN_KEEPALIVE_MS),
    keepAliveTimeoutMs: given.read(MIRROR_SETTINGS.keepaliveTimeout).value,
    kubePrefix: kubePrefix ?? given.read(MIRROR_SETTINGS.kubePrefix).value,
    encryption: encryptionOf(input),
  };
}

/** Plain text only where somebody says so: etcd-carry's default was the other way round. */
function urlOf({ scheme, hostPort }: Endpoint, plain: boolean): string {
  return `${scheme ?? (plain ? "http" : "https")}://${hostPort}`;
}

function tlsOf(input: SideInput, problems: Problem[]): EtcdTls {
  const { settings, given } = input;
  const caFile = existing(input, settings.cacert, problems);
  const told = problems.length;
  const certFile = existing(input, settings.cert, problems);
  const keyFile = existing(input, settings.key, problems);
  const skipVerify = given.read(settings.insecureSkipTlsVerify).value;
  if (certFile !== undefined && keyFile !== undefined) {
    return { caFile, client: { certFile, keyFile }, skipVerify };
  }
  const isHalf = certFile !== undefined || keyFile !== undefined;
  if (isHalf && problems.length === told) {
    const [there, missing] =
      certFile === undefined ? [settings.key, settings.cert] : [settings.cert, settings.key];
    const reason = `has no file, but --${there.name} has: a client certificate needs both`;
    problems.push(problem(`--${missing.name}`, reason, { value: given.read(missing).value }));
  }
  return { caFile, client: undefined, skipVerify };
}

/**
 * The file's path. A default one need not be there: then etcd-carry's own default, then none. One that is there and cannot be read is a
 * problem: without it etcd would refuse the connection, or another client's key would go with the certificate.
 */
function existing(
  { older, name, given, readFile }: SideInput,
  setting: Setting<string>,
  problems: Problem[],
): string | undefined {
  const { value, label, explicit } = given.read(setting);
  const olderPath = value.replace(name === "source" ? "/source/" : "/dest/", `/${older}/`);
  for (const path of explicit ? [value] : [value, olderPath]) {
    const { kind, why } = look(path, readFile);
    if (kind === "readable") return path;
    if (kind === "absent" && !explicit) continue;
    problems.push(problem(label, `cannot be read: ${why}`, { value: path }));
    return undefined;
  }
  return undefined;
}

function userOf({ settings, given, readFile }: SideInput, problems: Problem[]): EtcdAccess["user"] {
  const user = given.read(settings.user);
  const file = given.read(settings.passwordFile);
  if (user.value === undefined && file.value === undefined) return undefined;
  if (user.value === undefined || file.value === undefined) {
    const [there, missing] = user.value === undefined ? [file, user] : [user, file];
    problems.push(problem(missing.label, `is required beside ${there.label}`));
    return undefined;
  }
  const { kind, why } = look(file.value, readFile);
  if (kind !== "readable") {
    problems.push(problem(file.label, `cannot be read: ${why}`, { value: file.value }));
  }
  return { name: user.value, passwordFile: file.value };
}

function encryptionOf({ settings, given }: SideInput): ConfigFilePath {
  const own = given.read(settings.encryptionProviderConfig);
  if (own.value !== undefined) return { path: own.value, required: true };
  const { value, explicit } = given.read(MIRROR_SETTINGS.encryptionProviderConfig);
  return { path: value, required: explicit };
}

interface Look {
  readonly kind: "readable" | "absent" | "unreadable";
  readonly why: string;
}

function look(path: string, readFile: SideInput["readFile"]): Look {
  try {
    readFile(path);
    return { kind: "readable", why: "" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "ENOENT";
    const isAbsent = code === "ENOENT" || code === "ENOTDIR";
    const why = error instanceof Error ? error.message : String(error);
    return { kind: isAbsent ? "absent" : "unreadable", why };
  }
}
