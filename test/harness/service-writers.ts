import type { KubeApi } from "../../src/ports/kube-api.js";
import { SERVICES } from "../../src/ports/kube-resources.js";
import type { Cluster } from "./cluster.js";
import { waitFor } from "./wait-for.js";

const NEVER = new AbortController().signal;

/** Writes to eight Services, each as fast as its answers come, until it is stopped. */
export class ServiceWriters {
  readonly failures: unknown[] = [];
  done = 0;
  #stopping = false;
  readonly #running: readonly Promise<void>[];

  constructor(
    private readonly api: KubeApi,
    /** Makes the Services. */
    private readonly administrator: Cluster,
    private readonly namespace: string,
  ) {
    this.#running = Array.from({ length: 8 }, async (_, index) => this.#write(`web-${index}`));
  }

  /** Resolves when so many more writes were answered. */
  async more(count: number): Promise<void> {
    const goal = this.done + count;
    await waitFor(() => this.done >= goal, { what: `${count} more writes`, everyMs: 5 });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #write(name: string): Promise<void> {
    const spec = { clusterIP: "None", ports: [{ port: 1 }] };
    const stored = await this.administrator.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: this.namespace, name },
      spec,
    });
    const preconditions = { uid: String(stored.metadata.uid) };
    for (let count = 0; !this.#stopping; count++) {
      const patch = { metadata: { annotations: { count: String(count) } } };
      try {
        const ref = { namespace: this.namespace, name };
        const result = await this.api.patch(SERVICES, ref, patch, preconditions, { signal: NEVER });
        if (result.kind !== "done") this.failures.push(result);
      } catch (error) {
        this.failures.push(error);
      }
      this.done += 1;
    }
  }
}
