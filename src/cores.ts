import type { Config } from "./config/config.js";
import { Core } from "./core.js";
import { installation, type Installation } from "./domain/installation.js";
import type { Elector } from "./leader/elector.js";
import { LinkLease } from "./link-lease.js";
import { NO_AUTHORS } from "./ports/authors.js";
import type { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Surroundings } from "./surroundings.js";
import { watchMetrics } from "./watch-metrics.js";
import type { WebhookSide } from "./webhook-side.js";

export interface CoresParts {
  readonly around: Surroundings;
  /** Known to be the same cluster all the time. */
  readonly source: KubeApi;
  readonly destinations: ReadonlyMap<string, KubeApi>;
  /** UID of the source's kube-system. */
  readonly sourceCluster: string;
  readonly processId: string;
  readonly elector: Elector;
  readonly onStranger: (error: TerminalError) => void;
  readonly webhook: WebhookSide | undefined;
}

/** Makes the cores of one process: between the same clusters, each with the routes of a configuration. Wires, decides nothing. */
export class Cores {
  constructor(private readonly parts: CoresParts) {}

  /** @param config of which nothing but the routes may differ from what the process was started with */
  make(config: Config): Core {
    const { source, destinations, elector, onStranger, webhook, around } = this.parts;
    const { clock, random, log, metrics, digest } = around;
    const installed = installationOf(config, this.parts);
    return new Core({
      config,
      installation: installed,
      source,
      destinations,
      clock,
      random,
      log,
      metrics,
      digest,
      observe: watchMetrics(metrics),
      leaseAnnotations: () => elector.leader?.annotations ?? {},
      onStranger,
      authors: webhook ?? NO_AUTHORS,
      onService: (service) => webhook?.changed(service),
      lease: (api, { namespace, createNamespace }) =>
        new LinkLease({
          ...config.lease,
          api,
          clock,
          random,
          log: log.child("heartbeat"),
          createNamespace,
          asksForNamespace: true,
          leaseNamespace: namespace,
          leaseName: installed.link,
          identity: config.podName,
          processId: this.parts.processId,
        }),
    });
  }
}

/** What an installation is, once its source has said who it is. */
export function installationOf(
  { routes, link, lease }: Pick<Config, "routes" | "link" | "lease">,
  { sourceCluster, around }: Pick<CoresParts, "sourceCluster" | "around">,
): Installation {
  return installation({ routes, link, lease, sourceCluster, digest: around.digest });
}
