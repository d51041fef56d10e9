/** What the kubeconfig, the files it names and its plugin offer at this moment. */
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { TerminalError } from "../ports/errors.js";
import { EksIdentity } from "./aws/eks-identity.js";
import { eksStanza } from "./aws/eks-stanza.js";
import {
  type Access,
  type ClusterContext,
  inClusterContext,
  parseContext,
  readKubeconfigs,
} from "./cluster-context.js";
import { type Credential, credentialOf } from "./credential.js";
import { type ExecCredential, type ExecDeps, ExecPlugin } from "./exec-plugin.js";
import { shortest } from "./life.js";
import type { Issued } from "./renewed.js";

/** One look at everything. */
export interface Offer {
  readonly credential: Credential;
  /** The bearer token when it stands in the kubeconfig itself. Secret. */
  readonly ownToken: string | undefined;
  /** Differs from look to look when the kubeconfig does. */
  readonly edition: number;
  /** Why the newest kubeconfig is not what this was made from. */
  readonly trouble: unknown;
}

/** A program, or what stands in for it. */
interface CredentialSource {
  /** @throws RetryableError FERRY-K005 when it fails and nothing valid is left */
  current(): Promise<Issued<ExecCredential>>;
  drop(): void;
}

/** One kubeconfig, read. */
interface Source {
  /** What it was read from. */
  readonly text: string;
  readonly context: ClusterContext;
  readonly resolver: KubeConfig;
  readonly plugin: CredentialSource | undefined;
  readonly edition: number;
}

/** NB: the kubeconfig in use is not always the newest: while that is no good, the one before still has to be kept alive. */
export class Offers {
  #newest: Source | undefined;
  #inUse: Source | undefined;

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
      const { context } = await this.#reload();
      return context.name;
    } catch (error) {
      throw error instanceof TerminalError
        ? error
        : new TerminalError("FERRY-K005", messageOf(error), { cause: error });
    }
  }

  /** @throws RetryableError FERRY-K005 of a plugin, or what a file that is needed cannot be read for */
  async next(): Promise<Offer> {
    const { source, trouble } = await this.#latest();
    return this.#offer(source, trouble);
  }

  /** What the kubeconfig in use offers now; undefined when that is the newest. @throws as `next` */
  async former(): Promise<Offer | undefined> {
    const source = this.#inUse;
    if (source === undefined || source === this.#newest) return undefined;
    return this.#offer(source, undefined);
  }

  /** Requests carry what was offered. */
  accept({ edition }: Offer): void {
    if (this.#newest?.edition === edition) this.#inUse = this.#newest;
  }

  /** The server refused what was offered: a plugin's cache is worth nothing. */
  drop(): void {
    this.#newest?.plugin?.drop();
    this.#inUse?.plugin?.drop();
  }

  async #offer(source: Source, trouble: unknown): Promise<Offer> {
    const { context, resolver, plugin, edition } = source;
    const options: RequestOptions = {};
    await resolver.applyToHTTPSOptions(options);
    const issued = await plugin?.current();
    const { tokenFile, user } = context;
    const token = tokenFile === undefined ? issued?.value.token : await readToken(tokenFile);
    const credential = credentialOf(context.cluster.server, options, { ...issued?.value, token });
    const isOwn = token === undefined && typeof user.token === "string" && user.token !== "";
    return {
      credential: this.#ending(credential, issued?.endsAtMs),
      ownToken: isOwn ? user.token : undefined,
      edition,
      trouble,
    };
  }

  /** A plugin's answer says when it ends, which the token itself may not. */
  #ending(credential: Credential, endsAtMs: number | undefined): Credential {
    if (endsAtMs === undefined) return credential;
    const issued = { beganAtMs: this.deps.clock.now(), endsAtMs };
    return { ...credential, life: shortest([credential.life, issued]) };
  }

  /** The old context still needs its token renewed while a new file cannot be read. */
  async #latest(): Promise<{ readonly source: Source; readonly trouble: unknown }> {
    try {
      return { source: await this.#reload(), trouble: undefined };
    } catch (error) {
      if (this.#newest === undefined) throw error;
      return { source: this.#newest, trouble: error };
    }
  }

  async #reload(): Promise<Source> {
    const { source: text, parse } = await this.#readSource();
    if (text === this.#newest?.text) return this.#newest;
    const context = parse();
    assertUsable(context);
    this.#newest = {
      text,
      context,
      resolver: resolverOf(context),
      plugin: pluginOf(context, this.deps),
      edition: (this.#newest?.edition ?? 0) + 1,
    };
    return this.#newest;
  }

  async #readSource(): Promise<{ readonly source: string; readonly parse: () => ClusterContext }> {
    const { access } = this;
    if (access.kind === "in-cluster") {
      return { source: "in-cluster", parse: () => inClusterContext(this.deps.env) };
    }
    const files = await readKubeconfigs(access.path, this.deps.env);
    return { source: JSON.stringify(files), parse: () => parseContext(files, access.context) };
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
