/**
 * An API server in memory with the real one's semantics, as far as svc-ferry can
 * see them: what is implemented was measured on Kubernetes 1.36.3, and the same
 * contract suite (test/contract) runs against both.
 *
 * Its own methods answer at once and throw ApiFailure: they are what a person with
 * kubectl does in a test. What a process does goes through `client`, over a Network.
 */
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  SECRETS,
  SERVICES,
} from "../../src/ports/kube-resources.js";
import type {
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Preconditions,
  Resource,
  WatchOptions,
} from "../../src/ports/kube-api.js";
import { ApiFailure } from "./api-failure.js";
import { AuditLog, type WriteVerb } from "./audit-log.js";
import { ClusterIps } from "./cluster-ips.js";
import { ENDPOINT_SLICE_RULES, ENDPOINTS_RULES } from "./endpoint-rules.js";
import { mergePatch, wireCopy } from "./json.js";
import { type KindRules, PLAIN, type RulesOf } from "./kind-rules.js";
import { LEASE_RULES } from "./lease-rules.js";
import { MemoryClient } from "./memory-client.js";
import { MemoryEtcd, type Snapshot } from "./memory-etcd.js";
import { NAMESPACE_RULES } from "./namespace-rules.js";
import type { Network } from "./network.js";
import { ObjectReader } from "./object-reader.js";
import { ObjectWriter } from "./object-writer.js";
import { LEASES } from "./resources.js";
import { SECRET_RULES } from "./secret-rules.js";
import type { SeededRandom } from "./seeded-random.js";
import { addressesOf, ServiceRules } from "./service-rules.js";
import type { IpFamily } from "./service-spec.js";
import { collectionOf, type StoredObject } from "./stored-object.js";
import type { VirtualClock } from "./virtual-clock.js";
import { WatchHub, type WatchSink } from "./watch-hub.js";

export interface MemoryApiServerOptions {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** First is the primary one; default IPv4 alone. */
  readonly families?: readonly IpFamily[];
  /** See WatchHub; default true. */
  readonly progressNotify?: boolean;
}

/** Who is meant when a test itself writes. */
const SOMEBODY = "somebody";

export class MemoryApiServer {
  readonly etcd = new MemoryEtcd();
  readonly audit = new AuditLog();
  readonly clock: VirtualClock;
  readonly #watches: WatchHub;
  readonly #reader = new ObjectReader(this.etcd);
  readonly #writer: ObjectWriter;
  readonly #ips = new ClusterIps();

  constructor(options: MemoryApiServerOptions) {
    this.clock = options.clock;
    this.#watches = new WatchHub(this.etcd, options.clock, options.progressNotify ?? true);
    const rulesOf = rules(options.families ?? ["IPv4"], this.#ips);
    this.#writer = new ObjectWriter(this.etcd, options.clock, options.random, rulesOf);
    this.#populate();
  }

  /** How one process reaches this server. `cluster` is what logs call it. */
  client(options: { readonly cluster: string; readonly network: Network }): KubeApi {
    return new MemoryClient(this, options.cluster, options.network);
  }

  get revision(): string {
    return String(this.etcd.revision);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get(resource: Resource, ref: ObjectRef): KubeObject {
    return this.#reader.get(resource, ref);
  }

  list(resource: Resource, options: ListOptions = {}): KubeList {
    return this.#reader.list(resource, options);
  }

  /** NB: `sink.fail` may be called before this returns. */
  watch(resource: Resource, options: WatchOptions, sink: WatchSink): () => void {
    return this.#watches.open(resource, options, sink);
  }

  create(resource: Resource, object: KubeObject, client = SOMEBODY): KubeObject {
    return this.#audited(client, "create", resource, object.metadata, () =>
      this.#writer.create(resource, object),
    );
  }

  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    preconditions?: Preconditions,
    client = SOMEBODY,
  ): KubeObject {
    // As a client does it: the preconditions travel inside the patch.
    const body = mergePatch(wireCopy(patch), { metadata: { ...preconditions } });
    return this.#audited(client, "patch", resource, ref, () =>
      this.#writer.update(resource, ref, (before) => mergePatch(before, body) as KubeObject),
    );
  }

  replace(resource: Resource, object: KubeObject, client = SOMEBODY): KubeObject {
    return this.#audited(client, "replace", resource, object.metadata, () =>
      this.#writer.replace(resource, object),
    );
  }

  /** Answers the last state. */
  delete(
    resource: Resource,
    ref: ObjectRef,
    preconditions?: Preconditions,
    client = SOMEBODY,
  ): KubeObject {
    return this.#audited(client, "delete", resource, ref, () =>
      this.#writer.delete(resource, ref, preconditions),
    );
  }

  /** What the controllers of a cluster do: takes it away whatever stands in the way. */
  purge(stored: StoredObject): void {
    this.#writer.remove(stored);
  }

  /** Watches and continue tokens from before now are answered with 410. */
  compact(): void {
    this.etcd.compact();
  }

  snapshot(): Snapshot {
    return this.etcd.snapshot();
  }

  /** etcd restored from an older snapshot: revisions go backwards, every watch breaks. */
  restore(snapshot: Snapshot): void {
    this.#watches.cutAll();
    this.etcd.restore(snapshot);
    const services = [...this.etcd.values(collectionOf(SERVICES))];
    this.#ips.reset(services.flatMap((stored) => addressesOf(stored.full)));
  }

  /** The server ends and is there again at once: every watch breaks, the store stays. */
  restart(): void {
    this.#watches.cutAll();
  }

  /** What a fresh cluster has. */
  #populate(): void {
    for (const name of ["kube-system", "default"]) {
      this.#writer.create(NAMESPACES, { metadata: { name } });
    }
    const kubernetes = {
      metadata: { name: "kubernetes", namespace: "default" },
      spec: { ports: [{ name: "https", port: 443, targetPort: 6443 }] },
    };
    this.#writer.create(SERVICES, kubernetes);
  }

  #audited(
    client: string,
    verb: WriteVerb,
    resource: Resource,
    ref: ObjectRef,
    write: () => StoredObject,
  ): KubeObject {
    const { namespace, name } = ref;
    const revision = this.etcd.revision;
    const record = (outcome: string, object: KubeObject | undefined): void => {
      const atMs = this.clock.monotonicMs();
      const stateChanging = this.etcd.revision !== revision;
      this.audit.add({
        atMs,
        client,
        verb,
        resource,
        ref: { namespace, name },
        outcome,
        stateChanging,
        object,
      });
    };
    try {
      const { full } = write();
      record("done", full);
      return full;
    } catch (error) {
      if (error instanceof ApiFailure) record(error.reason, undefined);
      throw error;
    }
  }
}

function rules(families: readonly IpFamily[], ips: ClusterIps): RulesOf {
  const byCollection = new Map<string, KindRules>([
    [collectionOf(NAMESPACES), NAMESPACE_RULES],
    [collectionOf(SERVICES), new ServiceRules(SERVICES, families, ips)],
    [collectionOf(ENDPOINTS), ENDPOINTS_RULES],
    [collectionOf(ENDPOINT_SLICES), ENDPOINT_SLICE_RULES],
    [collectionOf(LEASES), LEASE_RULES],
    [collectionOf(SECRETS), SECRET_RULES],
  ]);
  return (resource) => byCollection.get(collectionOf(resource)) ?? PLAIN;
}
