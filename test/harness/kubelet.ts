import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "./cluster.js";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import { Pod } from "./pod.js";
import type { PodObject } from "./pod-object.js";
import { ServiceNetwork } from "./service-network.js";
import { waitFor } from "./wait-for.js";

export interface KubeletOptions {
  /** Whose pods it runs. */
  readonly namespace: string;
  /** For what they mount. */
  readonly folder: string;
  /** Beside what the manifests give the containers, and before it. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Between two looks at pods and at their probes. Real ones probe once a period, here 2 s; nothing is proven by waiting for that.
 */
const LOOK_MS = 100;

/** The Nodes that pods are bound to, in turn. */
const NODES = ["node", "node-2", "node-3"];

/**
 * What scheduler, kubelet and kube-proxy do for the pods of one namespace where there are none of them: binds each Pod that
 * the controllers make, waits for what it mounts, runs its container as a process, tells whether its readiness probe
 * succeeds, ends it when the Pod is deleted, and leads API servers to the Service of the webhook. Deployments and their rollouts
 * are the real controllers'. It starts nothing again that has ended.
 */
export class Kubelet {
  readonly #pods = new Map<string, Pod>();
  readonly #ready = new Map<string, boolean>();
  /** Those that are on their way out, by uid. */
  readonly #going = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  /** Why pods wait, by name. */
  readonly #waiting = new Map<string, string>();
  #running: Promise<void> = Promise.resolve();
  #addresses = 0;
  #bound = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly network: ServiceNetwork,
    private readonly options: KubeletOptions,
  ) {}

  static async start(source: ClusterConnection, options: KubeletOptions): Promise<Kubelet> {
    const cluster = new Cluster(source);
    for (const node of NODES) await cluster.createNode(node);
    const network = await ServiceNetwork.open(cluster, options.namespace);
    const kubelet = new Kubelet(cluster, network, options);
    kubelet.#running = kubelet.#run();
    return kubelet;
  }

  /** Those that run and are not about to end, the oldest first. */
  get pods(): readonly Pod[] {
    return [...this.#pods.values()].filter((pod) => !pod.ended);
  }

  /** Every pod there ever was, for their logs. */
  readonly all: Pod[] = [];

  /** Why pods do not start, by name. */
  get waiting(): ReadonlyMap<string, string> {
    return this.#waiting;
  }

  /** Resolves when so many pods are ready, API servers are led to each, and there are no others. */
  async untilReady(count: number): Promise<readonly Pod[]> {
    return waitFor(
      () => {
        const { pods } = this;
        const ready = pods.filter(({ object }) => this.#ready.get(object.metadata.uid) === true);
        const led = this.network.targets.length;
        return pods.length === count && ready.length === count && led === count && pods;
      },
      { what: `${count} pods to be ready`, timeoutMs: 60_000 },
    );
  }

  /** From now on API servers ask these pods only. */
  ask(pods: readonly Pod[]): void {
    this.network.narrow(pods);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#going.values());
    await Promise.all(this.all.map(async (pod) => pod.process.stop()));
    await this.network.close();
    await this.cluster.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#look().catch(() => undefined); // an API server that is away for a moment
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const listed = (await this.cluster.list("Pod", this.options.namespace)) as readonly PodObject[];
    for (const object of listed) {
      const pod = this.#pods.get(object.metadata.uid);
      if (object.metadata.deletionTimestamp !== undefined) this.#end(object);
      else if (pod === undefined) await this.#begin(object);
      else await this.#probe(pod);
    }
    await this.network.look((name) => this.#podNamed(name)?.port("webhook"));
  }

  #podNamed(name: string): Pod | undefined {
    return this.all.find((pod) => pod.name === name);
  }

  /** A pod that cannot have all its mounts is tried again at the next look. */
  async #begin(object: PodObject): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    if (object.spec.nodeName === undefined) {
      const node = NODES[this.#bound % NODES.length];
      this.#bound += 1;
      const target = { apiVersion: "v1", kind: "Node", name: node };
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
      await this.cluster.request("POST", path, {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { namespace, name },
        target,
      });
    }
    const { folder, env = {} } = this.options;
    const isTask = object.spec.restartPolicy === "Never";
    const more = isTask ? { ...env, ...this.network.env() } : env;
    try {
      const pod = await Pod.start(this.cluster, object, { folder, env: more });
      this.#pods.set(uid, pod);
      this.all.push(pod);
      this.#waiting.delete(name);
      this.#addresses += 1;
      await this.#tell(pod, { phase: "Running", podIP: `10.244.0.${this.#addresses}` });
      void pod.process.exit.then(async ({ code }) => this.#ended(pod, code));
    } catch (error) {
      this.#waiting.set(name, String(error));
    }
  }

  async #probe(pod: Pod): Promise<void> {
    const { metadata, spec } = pod.object;
    if (pod.ended && spec.restartPolicy === "Never") return;
    const { uid } = metadata;
    const isReady = await pod.isReady();
    if ((this.#ready.get(uid) ?? false) === isReady) return;
    this.#ready.set(uid, isReady);
    await this.#tell(pod, { phase: "Running" }, isReady);
  }

  /** Its end by itself matters where nobody wants it to run for ever. */
  async #ended(pod: Pod, code: number | undefined): Promise<void> {
    if (pod.object.spec.restartPolicy !== "Never") return;
    await this.#tell(pod, { phase: code === 0 ? "Succeeded" : "Failed" }).catch(() => undefined);
  }

  /** Looks go on while it ends. */
  #end({ metadata }: PodObject): void {
    const { uid, namespace, name } = metadata;
    if (this.#going.has(uid)) return;
    const pod = this.#pods.get(uid);
    this.#pods.delete(uid);
    const going = async (): Promise<void> => {
      await pod?.terminate();
      await this.cluster.remove("Pod", namespace, name).catch(() => undefined); // its namespace may go with it
    };
    this.#going.set(uid, going());
  }

  async #tell({ object }: Pod, status: object, isReady = false): Promise<void> {
    const { namespace, name } = object.metadata;
    const [container] = object.spec.containers;
    const startedAt = new Date().toISOString();
    const ready = isReady ? "True" : "False";
    await this.cluster.request(
      "PATCH",
      `/api/v1/namespaces/${namespace}/pods/${name}/status`,
      {
        status: {
          ...status,
          conditions: ["Ready", "ContainersReady"].map((type) => ({ type, status: ready })),
          containerStatuses: [
            {
              name: container?.name,
              image: container?.image,
              imageID: "",
              ready: isReady,
              restartCount: 0,
              state: { running: { startedAt } },
            },
          ],
        },
      },
      "application/strategic-merge-patch+json",
    );
  }
}
