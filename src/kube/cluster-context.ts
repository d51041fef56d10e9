/** Which cluster, as whom: one context of a kubeconfig, or the pod's own ServiceAccount. */

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";
import { TerminalError } from "../ports/errors.js";
import type { Environment } from "./environment.js";
import { type ExecConfig, parseExecConfig } from "./exec-plugin.js";
import { isRecord, text } from "./json.js";

/** How to reach a cluster. The same shape as ClusterAccess of the configuration. */
export type Access =
  | {
      readonly kind: "kubeconfig";
      /** undefined: as kubectl does, the files of $KUBECONFIG, else `~/.kube/config`. */
      readonly path: string | undefined;
      /** "" takes the file's current context. */
      readonly context: string;
    }
  | { readonly kind: "in-cluster" };

/** What a kubeconfig says, read but not yet turned into headers and keys. */
export interface ClusterContext {
  readonly name: string;
  readonly cluster: Cluster;
  /** Without exec and token file, which are beside it: client-node caches those in ways we cannot steer. */
  readonly user: User;
  readonly tokenFile: string | undefined;
  readonly exec: ExecConfig | undefined;
}

/** A kubeconfig's text and where it lies: relative paths in it start from there. */
export interface KubeconfigText {
  readonly path: string;
  readonly yaml: string;
}

/** Where Kubernetes mounts a pod's credentials. Source: client-go rest/config.go, InClusterConfig. */
const SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Reads the files of an access. Of several that $KUBECONFIG lists those that do not exist are passed over, as kubectl does
 * (client-go tools/clientcmd/loader.go, ClientConfigLoadingRules.Load), unless none exists.
 * @throws TerminalError FERRY-K005 that names the file
 */
export async function readKubeconfigs(
  path: string | undefined,
  env: Environment,
): Promise<readonly KubeconfigText[]> {
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  const fallback = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
  const paths = path === undefined ? fallback : [path];
  const read = await Promise.all(paths.map(readText));
  const found = read.filter((file) => file.kind === "found");
  const [missing] = read.filter((file) => file.kind === "missing");
  if (found.length === 0 && missing !== undefined) throw unreadable(missing.path, missing.error);
  return found.map(({ path: file, yaml }) => ({ path: file, yaml }));
}

type ReadText =
  | ({ readonly kind: "found" } & KubeconfigText)
  | { readonly kind: "missing"; readonly path: string; readonly error: unknown };

/** Missing is the file that is not there when it is opened, not one that was not there a moment before. */
async function readText(path: string): Promise<ReadText> {
  try {
    return { kind: "found", path, yaml: await readFile(path, "utf8") };
  } catch (error) {
    if (isRecord(error) && error["code"] === "ENOENT") return { kind: "missing", path, error };
    throw unreadable(path, error);
  }
}

function unreadable(file: string, error: unknown): TerminalError {
  const why = error instanceof Error ? error.message : String(error);
  const text = `kubeconfig ${file} cannot be read (${why}); --kubeconfig or KUBECONFIG says where it is`;
  return new TerminalError("FERRY-K005", text, { cause: error });
}

/**
 * Finds a context. Over several files the first one that knows a name wins, as with kubectl.
 * @throws TerminalError FERRY-K005 that names file, context and the contexts there are
 */
export function parseContext(files: readonly KubeconfigText[], wanted: string): ClusterContext {
  const configs = files.map(parseFile);
  const name = wanted === "" ? text(configs.find((c) => text(c.current) !== "")?.current) : wanted;
  const where = `kubeconfig ${files.map((file) => file.path).join(delimiter)}`;
  const context = first(configs, (config) => config.contexts, name);
  if (context === undefined) {
    const known = configs.flatMap((config) => config.contexts.map((each) => each.name));
    throw new TerminalError(
      "FERRY-K005",
      `${where}: no context "${name}"; it has ${known.length === 0 ? "none" : known.join(", ")}`,
    );
  }
  const cluster = first(configs, (config) => config.clusters, context.cluster);
  if (cluster === undefined) {
    throw new TerminalError(
      "FERRY-K005",
      `${where}: context "${name}" names cluster "${context.cluster}", which is not in it`,
    );
  }
  const user = first(configs, (config) => config.users, context.user) ?? { name: "anonymous" };
  const raw = first(configs, (config) => config.rawUsers, context.user);
  return { name, cluster, ...splitUser(user, raw) };
}

/**
 * The pod's own cluster.
 * @throws TerminalError FERRY-K005 outside of a pod
 */
export function inClusterContext(env: Environment, dir = SERVICE_ACCOUNT_DIR): ClusterContext {
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "") {
    throw new TerminalError(
      "FERRY-K005",
      "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
    );
  }
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    name: "in-cluster",
    cluster: { name: "in-cluster", server, caFile: join(dir, "ca.crt"), skipTLSVerify: false },
    user: { name: "service-account" },
    tokenFile: join(dir, "token"),
    exec: undefined,
  };
}

interface RawUser {
  readonly name: string;
  readonly dir: string;
  readonly user: Readonly<Record<string, unknown>>;
}

function parseFile(file: KubeconfigText) {
  const dir = dirname(file.path);
  try {
    const config = new KubeConfig();
    config.loadFromString(file.yaml);
    config.makePathsAbsolute(dir);
    const { clusters, users, contexts, currentContext: current } = config;
    return { clusters, users, contexts, current, rawUsers: parseRawUsers(file.yaml, dir) };
  } catch (error) {
    // NB: the YAML parser's message quotes the file, keys included; only its first line is free of them.
    const why = error instanceof Error ? error.message.split("\n")[0] : "not a kubeconfig";
    throw new TerminalError("FERRY-K005", `kubeconfig ${file.path}: ${why ?? ""}`);
  }
}

/** client-node drops what it does not know, `tokenFile` among it. */
function parseRawUsers(yaml: string, dir: string): readonly RawUser[] {
  const file: unknown = parse(yaml);
  const users = isRecord(file) && Array.isArray(file["users"]) ? file["users"] : [];
  return users.filter(isRecord).map((entry) => ({
    name: text(entry["name"]),
    dir,
    user: isRecord(entry["user"]) ? entry["user"] : {},
  }));
}

function first<C, T extends { readonly name: string }>(
  configs: readonly C[],
  list: (config: C) => readonly T[],
  name: string,
): T | undefined {
  return configs.flatMap((config) => [...list(config)]).find((entry) => entry.name === name);
}

/** A token file wins over a token beside it. Source: client-go clientcmd/api/types.go, AuthInfo.TokenFile. */
function splitUser(user: User, raw: RawUser | undefined) {
  const dir = raw?.dir ?? "";
  const { exec: _exec, token, ...rest } = user;
  const exec = parseExecConfig(raw?.user["exec"], dir);
  const file = text(raw?.user["tokenFile"]);
  if (file === "") {
    return { user: token ? { ...rest, token } : rest, tokenFile: undefined, exec };
  }
  return { user: rest, tokenFile: isAbsolute(file) ? file : join(dir, file), exec };
}
