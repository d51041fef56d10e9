/** The way in: a cluster's API from a kubeconfig. */

import type { Clock } from "../ports/clock.js";
import type { EncodedWrites } from "../ports/encoded-writes.js";
import type { CredentialFacts, InspectedCluster } from "../ports/inspected-cluster.js";
import { type KubeObserver, silentKubeObserver } from "../ports/kube-observer.js";
import type { Log } from "../ports/log.js";
import type { PodHttp } from "../ports/pod-http.js";
import type { Random } from "../ports/random.js";
import type { RawApi } from "../ports/raw-api.js";
import type { Rehearsal } from "../ports/rehearsal.js";
import type { Access } from "./cluster-context.js";
import type { KeepToken } from "./bound-tokens.js";
import { Connections } from "./connections.js";
import { credentialFacts } from "./credential-facts.js";
import { Credentials } from "./credentials.js";
import type { Environment } from "./environment.js";
import { KubeClient } from "./kube-client.js";
import { Limiter } from "./limiter.js";
import { PodTunnel } from "./pod-tunnel.js";
import { RawClient } from "./raw-client.js";
import { RehearsalClient } from "./rehearsal-client.js";
import { Offers } from "./offers.js";
import { SingleRequests } from "./single-request.js";
import { Transport } from "./transport.js";

/** Which cluster, and how hard. */
export interface ClusterOptions {
  readonly access: Access;
  /** What logs and metrics call it; default: the context's name, "in-cluster" for the pod's own. */
  readonly name?: string | undefined;
  /** Requests under way at once, watches not counted; at least 1. */
  readonly maxConnections: number;
  /** Limit of one request from its turn to its last byte, ms; default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Of svc-ferry, for the User-Agent; default "dev". */
  readonly version?: string | undefined;
  /** Beside it in the User-Agent, which audit logs keep: which of several processes of this program it is. */
  readonly comment?: string | undefined;
}

export interface ClusterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly observer?: KubeObserver | undefined;
  /** For $KUBECONFIG, the in-cluster address, and what exec plugins inherit. */
  readonly env: Environment;
  /** Where a token that was renewed outlives this process; undefined: nowhere. */
  readonly keepToken?: KeepToken | undefined;
}

/** An open cluster. `close` breaks off what is under way (FERRY-K001) and resolves when all sockets are closed. */
export type OpenCluster = InspectedCluster & EncodedWrites & { readonly pods: PodHttp };

/** Half of the API server's own limit (apiserver pkg/server/config.go, RequestTimeout 60 s), and as long as one slow webhook may take. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Reads the kubeconfig and gives the cluster's API. No server and no plugin is contacted: a cluster that is down, or
 * whose credentials have run out, is an error of its requests and not of the start.
 * @throws TerminalError FERRY-K005 when the kubeconfig cannot be read or has no such context
 */
export async function openCluster(
  options: ClusterOptions,
  deps: ClusterDeps,
): Promise<OpenCluster> {
  const observer = deps.observer ?? silentKubeObserver;
  const log = deps.log.child("kube");
  const offers = new Offers(options.access, { ...deps, log });
  const context = await offers.load();
  const cluster = options.name ?? context;
  const credentials = new Credentials(offers, {
    ...deps,
    log: log.child("credentials"),
    requests: new SingleRequests(userAgent(options), deps.clock),
    keep: deps.keepToken,
    onLife: (life) => observer.credentialTaken(cluster, life),
    onTrouble: (isInTrouble) => observer.credentialTrouble(cluster, isInTrouble),
  });
  const connections = new Connections(options.maxConnections, () =>
    observer.connectionOpened(cluster),
  );
  const settings = {
    cluster,
    userAgent: userAgent(options),
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  };
  const limiter = new Limiter(options.maxConnections);
  const transport = new Transport(settings, credentials, connections, limiter, {
    clock: deps.clock,
    observer,
  });
  const pods = new PodTunnel({ ...settings, ...deps, credentials });
  return new OpenedCluster(cluster, transport, { sockets: connections, credentials, pods });
}

/** RFC 9110: product, version and a comment in parentheses. What a header or a comment may not hold becomes "?". */
function userAgent({ version = "dev", comment }: ClusterOptions): string {
  const product = `svc-ferry/${version}`;
  return comment === undefined
    ? product
    : `${product} (${comment.replaceAll(/[^ -~]|[()\\]/g, "?")})`;
}

interface OpenedParts {
  readonly sockets: Connections;
  readonly credentials: Credentials;
  readonly pods: PodHttp;
}

class OpenedCluster extends KubeClient implements OpenCluster {
  readonly rehearsal: Rehearsal;
  readonly raw: RawApi;

  constructor(
    cluster: string,
    transport: Transport,
    private readonly parts: OpenedParts,
  ) {
    super(cluster, transport, parts.sockets);
    this.rehearsal = new RehearsalClient(transport);
    this.raw = new RawClient(transport);
  }

  get pods(): PodHttp {
    return this.parts.pods;
  }

  async credential(): Promise<CredentialFacts> {
    return credentialFacts(await this.parts.credentials.current());
  }

  async close(): Promise<void> {
    await this.parts.sockets.close();
  }
}
