import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import type { AuditedWrite } from "../harness/audit-trail.js";
import type { Cluster } from "../harness/cluster.js";
import { startFerry } from "../harness/ferry-process.js";
import { waitFor } from "../harness/wait-for.js";
import { stored, summary } from "./audit-log.js";
import { differences } from "./differences.js";
import {
  type LaneOptions,
  type ReplicaOptions,
  type RoutesFile,
  type ServiceExtras,
  SHORT_LEASE,
} from "./lane-options.js";
import { Replica } from "./replica.js";

/** A ConfigMap in the destination that only tests write. */
const MARK = "mark";
/** A label of namespaces. */
const OWNER = "bed";

/** One test's part of both clusters: a namespace in each, named alike, its Services, and the processes that ferry them. */
export class Lane {
  readonly #replicas: Replica[] = [];
  /** Of its own also when another lane has the same name: svc-ferry reads it again when it changes. */
  readonly #kubeconfigPath: string;
  #configs = 0;

  /** Made by Bed.lane. */
  constructor(
    readonly name: string,
    private readonly folder: string,
    private readonly options: LaneOptions,
  ) {
    this.#kubeconfigPath = join(folder, "kubeconfig.yaml");
  }

  get from(): Cluster {
    return this.options.from;
  }

  get to(): Cluster {
    return this.options.to;
  }

  /** @throws Error when another file has a lane of this name */
  async prepare(): Promise<void> {
    const {
      bed,
      from,
      to,
      source,
      destination,
      sourceWay,
      destinationWay,
      contexts = [],
    } = this.options;
    await from.apply(namespace("k8s-sync"));
    const before = await from.get("Namespace", undefined, this.name);
    const owner = before?.metadata.labels?.[OWNER] ?? bed;
    if (owner !== bed) throw new Error(`another test file has a lane ${this.name}`);
    for (const cluster of [from, to]) await cluster.apply(namespace(this.name, { [OWNER]: bed }));
    writeKubeconfig(this.#kubeconfigPath, [
      { context: "source", controlPlane: source, ...sourceWay },
      { context: "destination", controlPlane: destination, ...destinationWay },
      ...contexts,
    ]);
  }

  /** The flags of a replica. */
  args({ pod = "pod", config, flags = [] }: ReplicaOptions = {}): readonly string[] {
    return [
      "run",
      `--kubeconfig=${this.#kubeconfigPath}`,
      "--src-context=source",
      ...(config === undefined ? this.#routeFlags() : [`--config=${this.#writeConfig(config)}`]),
      `--leader-election-name=${this.name}`,
      ...SHORT_LEASE,
      "--http-port=0",
      "--bind-address=127.0.0.1",
      `--pod-name=${pod}`,
      ...flags,
    ];
  }

  /** Starts a process; later flags win over the lane's own. */
  start(options: ReplicaOptions = {}): Replica {
    const { nodeArgs = [] } = options;
    const replica = new Replica(startFerry({ args: this.args(options), nodeArgs }));
    this.#replicas.push(replica);
    return replica;
  }

  /** A ferried Service with one slice, or another state of both. */
  async put(name: string, address: string, more: ServiceExtras = {}): Promise<void> {
    const { port = 80, annotations = {} } = more;
    const ports = [{ name: "main", port, protocol: "TCP", targetPort: 8080 }];
    await this.putSlice(name, [address]); // first, so that its addresses need no write of their own
    await this.from.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: this.name, name, labels: { sync: "true" }, annotations },
      spec: { ports },
    });
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
    await this.settled();
  }

  /**
   * Waits until the audit log holds what happened so far. An API server writes a line down after the change can be seen:
   * so a write of the test's own goes all the way through, until one does so and no line of svc-ferry's comes meanwhile.
   */
  async settled(): Promise<void> {
    const { audit } = this.options;
    const marks = (): number => audit.count("configmaps", this.name, MARK);
    const probe = async (): Promise<boolean> => {
      const before = { attempts: this.attempts().length, marks: marks() };
      await this.to.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: this.name, name: MARK },
        data: { number: `${before.marks}` },
      });
      await waitFor(() => marks() > before.marks, { what: "the mark in the audit log" });
      return this.attempts().length === before.attempts;
    };
    await waitFor(probe, { what: `the audit log of ${this.name} to come to rest` });
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

  #routeFlags(): readonly string[] {
    return ["--dst-context=destination", `--src-ns=${this.name}`, `--dst-ns=${this.name}`];
  }

  /** JSON is YAML. */
  #writeConfig(config: RoutesFile): string {
    this.#configs += 1;
    const path = join(this.folder, `config-${this.#configs}.yaml`);
    writeFileSync(path, JSON.stringify(config));
    return path;
  }
}

function addressOf(number: number): string {
  return `10.1.${Math.floor(number / 250)}.${1 + (number % 250)}`;
}

function namespace(
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Parameters<Cluster["apply"]>[0] {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** What happened to Services, as "patch services/web", sorted. Slices and Endpoints may go by owner reference too. */
export function serviceWrites(writes: readonly AuditedWrite[]): readonly string[] {
  return summary(writes.filter(({ resource }) => resource === "services"));
}
