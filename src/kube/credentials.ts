/** What a request carries to be let in, kept up to date with the files it comes from. */

import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { RetryableError, TerminalError } from "../ports/errors.js";
import {
  type Access,
  type ClusterContext,
  inClusterContext,
  parseContext,
  readKubeconfigs,
} from "./cluster-context.js";
import { type Credential, credentialOf } from "./credential.js";
import { EksIdentity } from "./aws/eks-identity.js";
import { eksStanza } from "./aws/eks-stanza.js";
import { type ExecCredential, type ExecDeps, ExecPlugin } from "./exec-plugin.js";
import type { Issued } from "./renewed.js";

/** Mounted Secrets and ServiceAccount tokens change a minute or more before the old ones end; this is soon enough. */
const RECHECK_MS = 10_000;
/** Between two renewals that a 401 asked for: a server that refuses everyone must not make us run plugins all day. */
const RENEW_PAUSE_MS = 10_000;

/** A program, or what stands in for it. */
interface CredentialSource {
  /** @throws RetryableError FERRY-K005 when it fails and nothing valid is left */
  current(): Promise<Issued<ExecCredential>>;
  drop(): void;
}

/**
 * The credential of one cluster. Before a request it is looked at again, at most every 10 s: the kubeconfig, the files
 * it names, the plugin it names. A file that went wrong is logged once and what was read before stays in use.
 */
export class Credentials {
  #source = "";
  #context: ClusterContext | undefined;
  #resolver = new KubeConfig();
  #plugin: CredentialSource | undefined;
  #current: Credential | undefined;
  #refreshing: Promise<Credential> | undefined;
  #checkAtMs = 0;
  #renewAllowedAtMs = 0;
  #lastTrouble = "";

  constructor(
    private readonly access: Access,
    private readonly deps: ExecDeps,
  ) {}

  /**
   * Reads the kubeconfig for the first time and answers the context's name. Nothing is asked of any plugin or server.
   * @throws TerminalError FERRY-K005 with the file, the context and the contexts there are
   */
  async load(): Promise<string> {
    try {
      const context = await this.#reload();
      return context.name;
    } catch (error) {
      throw error instanceof TerminalError
        ? error
        : new TerminalError("FERRY-K005", messageOf(error), { cause: error });
    }
  }

  /** @throws RetryableError FERRY-K005 when no valid credential can be had now */
  async current(): Promise<Credential> {
    if (this.#current !== undefined && this.deps.clock.monotonicMs() < this.#checkAtMs) {
      return this.#current;
    }
    return this.#refresh();
  }

  /**
   * The server answered 401 to `rejected`. True when there is another one to try now: a plugin's cache is dropped and
   * files are read again for it, at most every 10 s.
   */
  async renew(rejected: Credential): Promise<boolean> {
    if (this.#refreshing !== undefined) {
      await this.#refreshing;
    }
    const nowMs = this.deps.clock.monotonicMs();
    if (this.#current?.id === rejected.id && nowMs >= this.#renewAllowedAtMs) {
      this.#renewAllowedAtMs = nowMs + RENEW_PAUSE_MS;
      this.#plugin?.drop();
      await this.#refresh();
    }
    return this.#current?.id !== rejected.id;
  }

  async #refresh(): Promise<Credential> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<Credential> {
    try {
      const next = await this.#resolve(await this.#latestContext());
      this.#current = next.id === this.#current?.id ? this.#current : next;
    } catch (error) {
      this.#keepOld(error);
    }
    this.#checkAtMs = this.deps.clock.monotonicMs() + RECHECK_MS;
    if (this.#current === undefined) {
      throw new RetryableError("FERRY-K005", this.#lastTrouble);
    }
    return this.#current;
  }

  /** A plugin fails only when its old credential is no longer valid; files may be in the middle of a change. */
  #keepOld(error: unknown): void {
    if (error instanceof RetryableError) {
      throw error;
    }
    const trouble = messageOf(error);
    if (this.#context !== undefined && trouble !== this.#lastTrouble) {
      this.deps.log.error(
        { err: error },
        "credentials cannot be read, what was read before stays in use",
      );
    }
    this.#lastTrouble = trouble;
  }

  /** The old context still needs its token renewed while a new file is broken. */
  async #latestContext(): Promise<ClusterContext> {
    try {
      const context = await this.#reload();
      this.#lastTrouble = "";
      return context;
    } catch (error) {
      if (this.#context === undefined) {
        throw error;
      }
      this.#keepOld(error);
      return this.#context;
    }
  }

  async #reload(): Promise<ClusterContext> {
    const { source, parse } = await this.#readSource();
    if (this.#context !== undefined && source === this.#source) {
      return this.#context;
    }
    const context = parse();
    assertUsable(context);
    if (this.#context !== undefined) {
      this.deps.log.info({ context: context.name }, "kubeconfig changed");
    }
    this.#plugin = pluginOf(context, this.deps);
    this.#resolver = resolverOf(context);
    this.#source = source;
    this.#context = context;
    return context;
  }

  async #readSource(): Promise<{ readonly source: string; readonly parse: () => ClusterContext }> {
    const { access } = this;
    if (access.kind === "in-cluster") {
      return { source: "in-cluster", parse: () => inClusterContext(this.deps.env) };
    }
    const files = await readKubeconfigs(access.path, this.deps.env);
    return { source: JSON.stringify(files), parse: () => parseContext(files, access.context) };
  }

  async #resolve(context: ClusterContext): Promise<Credential> {
    const options: RequestOptions = {};
    await this.#resolver.applyToHTTPSOptions(options);
    const exec = (await this.#plugin?.current())?.value;
    const token =
      context.tokenFile === undefined ? exec?.token : await readToken(context.tokenFile);
    return credentialOf(context.cluster.server, options, { ...exec, token });
  }
}

/** Stanzas for EKS are answered here, so that an image needs no cloud's program in it. */
function pluginOf(context: ClusterContext, deps: ExecDeps): CredentialSource | undefined {
  const { exec, cluster } = context;
  if (exec === undefined) return undefined;
  const stanza = eksStanza(exec);
  return stanza === undefined
    ? new ExecPlugin(exec, deps)
    : new EksIdentity(stanza, cluster.server, deps);
}

function assertUsable(context: ClusterContext): void {
  const { server, proxyUrl } = context.cluster;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new TerminalError("FERRY-K005", `context "${context.name}": "${server}" is no address`);
  }
  if (proxyUrl !== undefined && proxyUrl !== null && proxyUrl !== "") {
    throw new TerminalError("FERRY-K005", `context "${context.name}": proxy-url is not supported`);
  }
}

/** client-node, for the one context. Plain http is let through as kubectl does; client-node wants the skip flag for it. */
function resolverOf(context: ClusterContext): KubeConfig {
  const resolver = new KubeConfig();
  const { cluster, user } = context;
  const skipTLSVerify = cluster.skipTLSVerify || cluster.server.startsWith("http:");
  resolver.loadFromClusterAndUser({ ...cluster, skipTLSVerify }, user);
  return resolver;
}

async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, "utf8")).trim();
  if (token === "") {
    throw new Error(`token file ${path} is empty`);
  }
  return token;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "credentials cannot be read";
}
