import { join } from "node:path";
import type { ControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import type { Cluster } from "../harness/cluster.js";
import { startFerry } from "../harness/ferry-process.js";
import { waitFor } from "../harness/wait-for.js";
import { type AuditedWrite, type AuditLog, stored } from "./audit-log.js";
import { differences } from "./differences.js";
import { Replica } from "./replica.js";

/** Where svc-ferry believes a cluster to be. */
export interface Way {
  readonly server: string;
  /** PEM; undefined: what is there ends no TLS itself. */
  readonly ca?: string;
}

export interface LaneOptions {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly audit: AuditLog;
  readonly source: ControlPlane;
  readonly destination: ControlPlane;
  /** Default: straight to the source. */
  readonly sourceWay?: Way;
  readonly destinationWay?: Way;
}

/** How a replica differs from the others. */
export interface ReplicaOptions {
  /** Default "pod". */
  readonly pod?: string;
  readonly flags?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

/** Seconds where time is not the subject. */
const SHORT_LEASE = ["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=500ms"];

/** One test's part of both clusters: a namespace in each, named alike, its Services, and the processes that ferry them. */
export class Lane {
  readonly #replicas: Replica[] = [];

  /** Made by Bed.lane. */
  constructor(
    readonly name: string,
    private readonly folder: string,
    private readonly options: LaneOptions,
  ) {}

  get from(): Cluster {
    return this.options.from;
  }

  get to(): Cluster {
    return this.options.to;
  }

  get kubeconfigPath(): string {
    return join(this.folder, `${this.name}-${this.options.source.name}.yaml`);
  }

  async prepare(): Promise<void> {
    const { from, to, source, destination, sourceWay, destinationWay } = this.options;
    for (const name of ["k8s-sync", this.name]) await from.apply(namespace(name));
    await to.apply(namespace(this.name));
    writeKubeconfig(this.kubeconfigPath, [
      { context: "source", controlPlane: source, ...sourceWay },
      { context: "destination", controlPlane: destination, ...destinationWay },
    ]);
  }

  /** The flags that every replica gets. */
  get flags(): readonly string[] {
    return [
      `--kubeconfig=${this.kubeconfigPath}`,
      "--src-context=source",
      "--dst-context=destination",
      `--src-ns=${this.name}`,
      `--dst-ns=${this.name}`,
      `--leader-election-name=${this.name}`,
      ...SHORT_LEASE,
      "--http-port=0",
      "--bind-address=127.0.0.1",
    ];
  }

  /** Starts a process; later flags win over the lane's own. */
  start(options: ReplicaOptions = {}): Replica {
    const { pod = "pod", flags = [], nodeArgs = [] } = options;
    const args = ["run", ...this.flags, `--pod-name=${pod}`, ...flags];
    const replica = new Replica(startFerry({ args, nodeArgs }));
    this.#replicas.push(replica);
    return replica;
  }

  /** A ferried Service with one slice, or another state of both. */
  async put(name: string, address: string, more: ServiceExtras = {}): Promise<void> {
    const { port = 80, annotations = {} } = more;
    const ports = [{ name: "main", port, protocol: "TCP", targetPort: 8080 }];
    await this.from.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: this.name, name, labels: { sync: "true" }, annotations },
      spec: { ports },
    });
    await this.putSlice(name, [address]);
  }

  async putSlice(name: string, addresses: readonly string[]): Promise<void> {
    await this.from.apply({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        namespace: this.name,
        name: `${name}-slice`,
        labels: { "kubernetes.io/service-name": name },
      },
      addressType: "IPv4",
      ports: [{ name: "main", port: 8080, protocol: "TCP" }],
      endpoints: addresses.map((address) => ({
        addresses: [address],
        conditions: { ready: true },
      })),
    });
  }

  /** So many Services "web-0", "web-1" …, at 10.1.x.y. */
  async putMany(count: number, more: ServiceExtras = {}): Promise<void> {
    const numbers = Array.from({ length: count }, (_, number) => number);
    await Promise.all(numbers.map((number) => this.put(`web-${number}`, addressOf(number), more)));
  }

  async remove(name: string): Promise<void> {
    await this.from.remove("Service", this.name, name);
    await this.from.remove("EndpointSlice", this.name, `${name}-slice`);
  }

  /** Waits until the destination is what the source wants, no more and no less. */
  async converged(timeoutMs = 30_000): Promise<void> {
    const probe = async (): Promise<boolean> => {
      const found = await differences(this);
      if (found.length > 0) throw new Error(found.slice(0, 5).join("; "));
      return true;
    };
    await waitFor(probe, { what: `${this.name} to converge`, timeoutMs });
  }

  /** Names of the mirrors, sorted. */
  async mirrors(): Promise<readonly string[]> {
    const mirrors = await this.to.list("Service", this.name, "svc-ferry.io/link");
    return mirrors.map(({ metadata }) => metadata.name).sort();
  }

  /** What svc-ferry wrote into the destination and the API server stored, since the first `after` of them. */
  writes(after = 0): readonly AuditedWrite[] {
    return stored(this.attempts()).slice(after);
  }

  /** As `writes`, with those that were refused. */
  attempts(): readonly AuditedWrite[] {
    return this.options.audit.ferryWrites(this.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map(async (replica) => replica.kill()));
  }
}

export interface ServiceExtras {
  readonly port?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function addressOf(number: number): string {
  return `10.1.${Math.floor(number / 250)}.${1 + (number % 250)}`;
}

function namespace(name: string): Parameters<Cluster["apply"]>[0] {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}
