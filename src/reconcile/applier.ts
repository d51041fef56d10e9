/**
 * The only writer to a destination. Sends one write of a plan, with its
 * preconditions and only while the process holds its Leases, and remembers the
 * answer so that the next plan sees it.
 */
import type { WriteResource, Write } from "../domain/writes.js";
import { serviceKey, type NamespacedName } from "../domain/service-key.js";
import type { DestinationView } from "../ports/destination-view.js";
import { RetryableError } from "../ports/errors.js";
import type { KubeApi, KubeObject, Priority, Resource, WriteResult } from "../ports/kube-api.js";
import { ENDPOINT_SLICES, ENDPOINTS, NAMESPACES, SERVICES } from "../ports/kube-resources.js";
import type { Metrics } from "../ports/metrics.js";

/** What became of a write that the server did answer; everything else is thrown. */
export type Applied =
  /** Stored. After a delete: undefined, or what only goes with the last of its finalizers. */
  | { readonly kind: "done"; readonly object: KubeObject | undefined }
  /** Create: somebody has the name; `object` is what lies there. */
  | { readonly kind: "occupied"; readonly object: KubeObject }
  | { readonly kind: "namespace-missing" }
  | { readonly kind: "namespace-terminating"; readonly message: string }
  | { readonly kind: "invalid"; readonly message: string };

/** May a write go out now? Asked at the last moment. */
export interface WritePermit {
  readonly signal: AbortSignal;
  readonly permit: () => boolean;
  readonly priority: Priority;
}

const RESOURCES: Readonly<Record<WriteResource, Resource>> = {
  services: SERVICES,
  endpointslices: ENDPOINT_SLICES,
  endpoints: ENDPOINTS,
};

export class Applier {
  constructor(
    private readonly destination: string,
    private readonly api: KubeApi,
    private readonly view: Pick<DestinationView, "wrote" | "deleted">,
    private readonly metrics: Metrics,
  ) {}

  /** @throws RetryableError FERRY-R001 when the object changed since it was read: the cache is corrected, plan again */
  async apply(write: Write, permit: WritePermit): Promise<Applied> {
    const result = await this.#send(write, permit);
    this.metrics.count("svc_ferry_writes_total", {
      destination: this.destination,
      resource: write.resource,
      verb: write.verb,
      outcome: result.kind,
    });
    switch (result.kind) {
      case "done":
        this.#remember(write, result.object);
        return result;
      case "already-exists":
        return this.#occupied(write, permit.signal);
      case "terminating":
        return { kind: "namespace-terminating", message: result.message };
      case "invalid":
        return result;
      case "not-found":
        return this.#notFound(write);
      case "conflict":
        return this.#reread(write, permit.signal);
    }
  }

  /** Creates a destination namespace; one that is there already is as good. */
  async createNamespace(name: string, permit: WritePermit): Promise<void> {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    const result = await this.api.create(NAMESPACES, namespace, permit);
    this.metrics.count("svc_ferry_writes_total", {
      destination: this.destination,
      resource: "namespaces",
      verb: "create",
      outcome: result.kind,
    });
  }

  /** Quorum read of an object in the destination, for decisions that no cache covers. */
  read(
    resource: WriteResource,
    ref: NamespacedName,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    return this.api.get(RESOURCES[resource], ref, signal);
  }

  #send(write: Write, permit: WritePermit): Promise<WriteResult> {
    const resource = RESOURCES[write.resource];
    switch (write.verb) {
      case "create":
        return this.api.create(resource, write.body as unknown as KubeObject, permit);
      case "patch":
        return this.api.patch(resource, write.ref, write.body, write, permit);
      case "delete":
        return this.api.delete(resource, write.ref, write, permit);
    }
  }

  #remember(write: Write, object: KubeObject | undefined): void {
    if (object !== undefined) this.view.wrote(write.resource, object);
    else if (write.verb === "delete") {
      this.view.deleted(write.resource, keyOf(write), write.uid);
    }
  }

  /** AlreadyExists is the atomic arbiter of a name: look who has it. */
  async #occupied(write: Write, signal: AbortSignal): Promise<Applied> {
    const object = await this.read(write.resource, write.ref, signal);
    if (object === undefined) throw changed(write);
    this.view.wrote(write.resource, object);
    return { kind: "occupied", object };
  }

  #notFound(write: Write): Applied {
    switch (write.verb) {
      case "create":
        return { kind: "namespace-missing" };
      case "delete":
        this.view.deleted(write.resource, keyOf(write), write.uid);
        return { kind: "done", object: undefined };
      case "patch":
        this.view.deleted(write.resource, keyOf(write), write.uid);
        throw changed(write);
    }
  }

  /** The cache was behind: what is there now is read once, instead of waiting for a watch that may be late. */
  async #reread(write: Write, signal: AbortSignal): Promise<never> {
    const object = await this.read(write.resource, write.ref, signal);
    if (object !== undefined) this.view.wrote(write.resource, object);
    else if (write.verb !== "create") this.view.deleted(write.resource, keyOf(write), write.uid);
    throw changed(write);
  }
}

function keyOf(write: Write): ReturnType<typeof serviceKey> {
  return serviceKey(write.ref.namespace, write.ref.name);
}

function changed(write: Write): RetryableError {
  return new RetryableError(
    "FERRY-R001",
    `${write.resource} ${keyOf(write)} changed between read and ${write.verb}; it is read again`,
  );
}
