import { setTimeout as sleep } from "node:timers/promises";
import { service } from "./manifests.js";
import { addressesOf, type NamespaceView } from "./namespace-view.js";

/** Between two looks at the source. */
const LOOK_MS = 50;

/**
 * What k8s-svc-sync does to a destination: for each Service a Service with its mark and no selector, and Endpoints with the
 * ready addresses of the source, from which the cluster makes slices of its own.
 */
export class LegacySync {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** What was written last, by Service. */
  readonly #written = new Map<string, string>();

  constructor(
    private readonly src: NamespaceView,
    private readonly dst: NamespaceView,
    private readonly names: readonly string[],
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const name of this.names) await this.#copy(name);
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #copy(name: string): Promise<void> {
    const addresses = addressesOf(await this.src.slices(name));
    if (this.#written.get(name) === addresses.join()) return;
    const { namespace } = this.dst;
    if ((await this.dst.get("Service", name)) === undefined) {
      await this.dst.apply(service(namespace, name, { labels: { sync: "true-external" } }));
    }
    await this.dst.apply({
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace, name },
      subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] }],
    });
    this.#written.set(name, addresses.join());
  }
}
