/** The way in: a cluster's API from a kubeconfig. */

import type { Clock } from "../ports/clock.js";
import type { EncodedWrites } from "../ports/encoded-writes.js";
import type { KubeApi } from "../ports/kube-api.js";
import { type KubeObserver, silentKubeObserver } from "../ports/kube-observer.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Access } from "./cluster-context.js";
import { Connections } from "./connections.js";
import { Credentials } from "./credentials.js";
import type { Environment } from "./environment.js";
import { KubeClient } from "./kube-client.js";
import { Limiter } from "./limiter.js";
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
}

/** An open cluster. `close` breaks off what is under way (FERRY-K001) and resolves when all sockets are closed. */
export type OpenCluster = KubeApi & EncodedWrites & { close(): Promise<void> };

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
  const credentials = new Credentials(options.access, { ...deps, log: deps.log.child("kube") });
  const context = await credentials.load();
  const cluster = options.name ?? context;
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
  return new OpenedCluster(cluster, transport, connections);
}

/** RFC 9110: product, version and a comment in parentheses. What a header or a comment may not hold becomes "?". */
function userAgent({ version = "dev", comment }: ClusterOptions): string {
  const product = `svc-ferry/${version}`;
  return comment === undefined
    ? product
    : `${product} (${comment.replaceAll(/[^ -~]|[()\\]/g, "?")})`;
}

class OpenedCluster extends KubeClient {
  constructor(
    cluster: string,
    transport: Transport,
    private readonly sockets: Connections,
  ) {
    super(cluster, transport, sockets);
  }

  async close(): Promise<void> {
    await this.sockets.close();
  }
}
