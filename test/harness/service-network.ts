import { type Balancer, startBalancer } from "./balancer.js";
import type { Cluster } from "./cluster.js";
import type { Stored } from "./manifest.js";
import { CONFIGURATION_KINDS } from "./webhook-configurations.js";

/** By which API servers ask svc-ferry. */
const WEBHOOK_SERVICE = "svc-ferry-webhook";

/** From a change of EndpointSlices until every kube-proxy goes by it: a stopped pod is still asked for so long. */
const SPREAD_MS = 1_000;

interface Slice extends Stored {
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean };
    readonly targetRef?: { readonly name: string };
  }[];
}

interface Configuration extends Stored {
  readonly webhooks?: readonly {
    readonly clientConfig: { readonly service?: { readonly name: string; readonly path: string } };
  }[];
}

/**
 * The network between an API server and the pods of the webhook's Service, where no packet goes to a Service's address: a
 * reference to that Service in a webhook configuration becomes a URL of loopback, behind which are the pods that the
 * Service's EndpointSlices hold ready.
 */
export class ServiceNetwork {
  #targets: readonly number[] = [];
  /** undefined: every pod. */
  #only: ReadonlySet<string> | undefined;
  #coming: { readonly ports: readonly number[]; readonly atMs: number } | undefined;

  private constructor(
    private readonly cluster: Cluster,
    private readonly namespace: string,
    private readonly balancer: Balancer,
  ) {}

  static async open(cluster: Cluster, namespace: string): Promise<ServiceNetwork> {
    return new ServiceNetwork(cluster, namespace, await startBalancer());
  }

  /** Where new connections go now. */
  get targets(): readonly number[] {
    return this.#targets;
  }

  /** What makes a process find the Service by its name: it has no cluster's DNS. */
  env(): Readonly<Record<string, string>> {
    const script = `import tls from "node:tls";
      const { connect } = tls;
      tls.connect = (options, ...more) =>
        connect(options.host === "${WEBHOOK_SERVICE}" ? { ...options, host: "127.0.0.1", port: ${this.balancer.port} } : options, ...more);`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
  }

  /** From now on only these pods are asked, at once and over new connections. */
  narrow(
    pods: readonly { readonly name: string; port(of: "webhook"): number | undefined }[],
  ): void {
    this.#only = new Set(pods.map(({ name }) => name));
    this.#targets = pods.flatMap((pod) => pod.port("webhook") ?? []).toSorted((a, b) => a - b);
    this.balancer.leadTo(...this.#targets);
    this.balancer.cut();
  }

  /** @param portOf the webhook of a pod */
  async look(portOf: (pod: string) => number | undefined): Promise<void> {
    await Promise.all(CONFIGURATION_KINDS.map(async (kind) => this.#lead(kind)));
    const selector = `kubernetes.io/service-name=${WEBHOOK_SERVICE}`;
    const slices = (await this.cluster.list(
      "EndpointSlice",
      this.namespace,
      selector,
    )) as readonly Slice[];
    const ports = slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions, targetRef }) => {
        const isAsked = this.#only?.has(targetRef?.name ?? "") ?? true;
        return isAsked && conditions?.ready === true;
      })
      .flatMap(({ targetRef }) => portOf(targetRef?.name ?? "") ?? []);
    this.#spread(ports.toSorted((a, b) => a - b));
  }

  async close(): Promise<void> {
    await this.balancer.close();
  }

  #spread(ports: readonly number[]): void {
    const nowMs = performance.now();
    if (this.#coming?.ports.join() !== ports.join()) this.#coming = { ports, atMs: nowMs };
    if (nowMs - this.#coming.atMs < SPREAD_MS) return;
    if (this.#targets.join() === ports.join()) return;
    this.#targets = ports;
    this.balancer.leadTo(...ports);
  }

  async #lead(kind: string): Promise<void> {
    const configurations = (await this.cluster.list(kind)) as readonly Configuration[];
    for (const { metadata, webhooks = [] } of configurations) {
      const operations = webhooks.flatMap(({ clientConfig: { service } }, index) =>
        service?.name === WEBHOOK_SERVICE ? this.#toUrl(index, service.path) : [],
      );
      if (operations.length > 0) await this.#patch(kind, metadata.name, operations);
    }
  }

  #toUrl(index: number, path: string): readonly object[] {
    const at = `/webhooks/${index}/clientConfig`;
    const url = `https://127.0.0.1:${this.balancer.port}${path}`;
    return [
      { op: "remove", path: `${at}/service` },
      { op: "add", path: `${at}/url`, value: url },
    ];
  }

  async #patch(kind: string, name: string, operations: readonly object[]): Promise<void> {
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/${name}`;
    const type = "application/json-patch+json";
    const { status, body } = await this.cluster.request("PATCH", path, operations, type);
    if (status !== 200) throw new Error(`${name} still names the Service: ${JSON.stringify(body)}`);
  }
}
