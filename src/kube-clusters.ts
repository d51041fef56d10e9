import { inject, injectable } from "tsyringe";
import { Config } from "./config/config.js";
import { processEnvironment } from "./config/load.js";
import type { KeepToken } from "./kube/bound-tokens.js";
import { keepInSecret } from "./kube/kubeconfig-secret.js";
import { openCluster, type OpenCluster } from "./kube/open-cluster.js";
import { Clock } from "./ports/clock.js";
import type { ClusterAccess, Clusters } from "./ports/clusters.js";
import type { KubeApi } from "./ports/kube-api.js";
import { KubeObserver } from "./ports/kube-observer.js";
import { Log } from "./ports/log.js";
import { Random } from "./ports/random.js";
import { VERSION } from "./version.js";

/** Real clusters, one shared transport each. */
@injectable()
export class KubeClusters implements Clusters {
  readonly #open: OpenCluster[] = [];
  /** Opened before the others; their renewed tokens are kept there. */
  #source: KubeApi | undefined;

  constructor(
    @inject(Config) private readonly config: Config,
    @inject(Clock) private readonly clock: Clock,
    @inject(Random) private readonly random: Random,
    @inject(Log) private readonly log: Log,
    @inject(KubeObserver) private readonly observer: KubeObserver,
  ) {}

  async open(name: string, access: ClusterAccess, processId: string): Promise<KubeApi> {
    const { clock, random, log, observer, config } = this;
    const { maxConnections, podName } = config;
    const options = {
      name,
      access,
      maxConnections,
      version: VERSION,
      comment: `${podName}; ${processId}`,
    };
    const cluster = await openCluster(options, {
      clock,
      random,
      log,
      observer,
      env: processEnvironment(),
      keepToken: this.#keepToken(),
    });
    this.#open.push(cluster);
    if (name === config.source.name) this.#source ??= cluster;
    return cluster;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((cluster) => cluster.close()));
  }

  #keepToken(): KeepToken | undefined {
    const { kubeconfigSecret: name, lease } = this.config;
    if (name === undefined || this.#source === undefined) return undefined;
    return keepInSecret(this.#source, { namespace: lease.namespace, name });
  }
}
