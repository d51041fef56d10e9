import { openCluster, type OpenCluster } from "../../src/kube/open-cluster.js";
import type { KubeObject, WatchEvent } from "../../src/ports/kube-api.js";
import { ENDPOINT_SLICES } from "../../src/ports/kube-resources.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { addressesOf, type Slice } from "./namespace-view.js";

/** Sees every state that the slices of one Service go through, as kube-proxy would. */
export class SliceWatch {
  readonly #slices = new Map<string, Slice>();
  readonly #moments: (readonly string[])[] = [];
  readonly #ending = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(
    private readonly api: OpenCluster,
    private readonly namespace: string,
    private readonly service: string,
  ) {}

  /** Resolves when it has seen what is there and watches from then on. */
  static async open(
    { kubeconfigPath, context }: ClusterConnection,
    namespace: string,
    service: string,
  ): Promise<SliceWatch> {
    const access = { kind: "kubeconfig", path: kubeconfigPath, context } as const;
    const deps = { clock: new SystemClock(), random: new SystemRandom(), log: SILENT_LOG, env: {} };
    const api = await openCluster({ access, maxConnections: 2 }, deps);
    const watch = new SliceWatch(api, namespace, service);
    await watch.#start();
    return watch;
  }

  /** The addresses after each change, from the first look on. */
  get moments(): readonly (readonly string[])[] {
    return this.#moments;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    await this.api.close();
  }

  async #start(): Promise<void> {
    const { signal } = this.#ending;
    const scope = {
      namespace: this.namespace,
      labelSelector: `kubernetes.io/service-name=${this.service}`,
    };
    const { items, resourceVersion } = await this.api.list(ENDPOINT_SLICES, scope, signal);
    for (const item of items) this.#slices.set(item.metadata.name, sliceOf(item));
    this.#note();
    const options = { ...scope, resourceVersion, timeoutSeconds: 600, stallMs: 600_000 };
    this.#watching = this.api.watch(ENDPOINT_SLICES, options, (event) => this.#see(event), signal);
  }

  #see(event: WatchEvent): void {
    if (event.kind === "bookmark") return;
    const { name } = event.object.metadata;
    if (event.kind === "deleted") this.#slices.delete(name);
    else this.#slices.set(name, sliceOf(event.object));
    this.#note();
  }

  #note(): void {
    this.#moments.push([...new Set(addressesOf([...this.#slices.values()]))]);
  }
}

function sliceOf(object: KubeObject): Slice {
  return object as unknown as Slice;
}
