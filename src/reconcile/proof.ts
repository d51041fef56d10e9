/**
 * Evidence for deletions. A mirror or slice goes only when the source cluster
 * itself has just said that nobody wants it: a quorum GET of that very name,
 * answered by the cluster whose kube-system we know, or of the namespace when that
 * is gone and nobody may ask inside it. A list that failed, came back empty or came
 * from another cluster proves nothing.
 */
import type { ReasonCode } from "../domain/codes.js";
import { madeByKnownRoute, madeByRoute, type Installation } from "../domain/installation.js";
import { SERVICE_NAME_LABEL, SOURCE_CLUSTER_ANNOTATION } from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { parsePassingService } from "../domain/parse.js";
import { sourceOf } from "../domain/plan.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import { RetryableError } from "../ports/errors.js";
import type { KubeApi, KubeObject } from "../ports/kube-api.js";
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../ports/kube-resources.js";
import type { SourceView } from "../ports/source-view.js";

export type Verdict =
  | {
      readonly kind: "proven";
      readonly because: "source-deleted" | "not-selected" | "mapped-elsewhere";
      /** What it is now; undefined: it is gone. */
      readonly service?: Service;
    }
  /** Not now; the mirror stays. */
  | { readonly kind: "held"; readonly code: ReasonCode; readonly message: string };

export interface ProofOptions {
  readonly destination: string;
  readonly target: ServiceKey;
  /** This process saw the source stop wanting the name. */
  readonly unmapped: boolean;
  /** The configuration has led for long enough to know best. */
  readonly graceOver: boolean;
  readonly signal: AbortSignal;
}

/** Attempts to get an answer over connections whose other end is known. */
const MAX_ATTEMPTS = 5;

export class SourceProof {
  /** Value of `api.connections` up to which the cluster's identity is known. */
  #verifiedConnections = -1;

  constructor(
    private readonly api: KubeApi,
    private readonly source: SourceView,
    private readonly installation: Installation,
  ) {}

  /** Is it true that nobody in the source wants this mirror? */
  async unwanted(mirror: Service, options: ProofOptions): Promise<Verdict> {
    const cluster = mirror.annotations[SOURCE_CLUSTER_ANNOTATION];
    if (cluster !== this.installation.sourceCluster) {
      return {
        kind: "held",
        code: "former-cluster",
        message: `it mirrors a Service of another source cluster (${cluster ?? "not recorded"}), whose absence here proves nothing; it is replaced when a Service of this cluster takes its name, or removed with "svc-ferry leave --remove"`,
      };
    }
    const key = sourceOf(mirror);
    if (key === undefined) {
      return {
        kind: "held",
        code: "deletion-not-proven",
        message:
          "its source annotation was removed, so nothing can be proven; restore it or delete the mirror by hand",
      };
    }
    const object = await this.#read(SERVICES, key, options.signal);
    if (object === undefined) return { kind: "proven", because: "source-deleted" };
    return this.#stillThere(
      parsePassingService(object, () => true),
      mirror,
      options,
    );
  }

  /** Is it true that this source slice is gone, or no longer belongs to that Service? */
  async sliceGone(slice: ServiceKey, service: ServiceKey, signal: AbortSignal): Promise<boolean> {
    const { namespace, name } = splitKey(service);
    if (splitKey(slice).namespace !== namespace) return true;
    const object = await this.#read(ENDPOINT_SLICES, slice, signal);
    return object === undefined || object.metadata.labels?.[SERVICE_NAME_LABEL] !== name;
  }

  /** Is it true that the source has no slices of that Service but these? */
  async noOtherSlices(
    service: ServiceKey,
    known: ReadonlySet<ServiceKey>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { namespace, name } = splitKey(service);
    const labelSelector = `${SERVICE_NAME_LABEL}=${name}`;
    // Of one more than these, one is not among them: so there is never a second page to read.
    const options = { namespace, labelSelector, limit: known.size + 1, metadataOnly: true };
    const list = await this.#askIn(
      namespace,
      () => this.api.list(ENDPOINT_SLICES, options, signal),
      signal,
    );
    return (list?.items ?? []).every(({ metadata }) =>
      known.has(serviceKey(namespace, metadata.name)),
    );
  }

  #stillThere(service: Service, mirror: Service, options: ProofOptions): Verdict {
    const { destination, target } = options;
    if (service.deleting) return { kind: "proven", because: "source-deleted" };
    const mapped = this.source.mappings(service);
    const here = mapped.filter((one) => one.route.destination === destination);
    if (here.some((one) => one.kind === "target" && one.target === target)) {
      this.source.distrust("services", service.namespace);
      throw new RetryableError(
        "FERRY-R002",
        `the cache lost ${serviceKey(service.namespace, service.name)}, which the source still has; it is listed again`,
      );
    }
    // Another route's refusal keeps nothing: the name was never its own.
    const refused = here.find(
      (one) =>
        one.kind === "refused" &&
        one.target !== target &&
        madeByRoute(this.installation, mirror, one.route),
    );
    if (refused?.kind === "refused" && refused.reason.code !== "is-a-mirror") {
      // A slip in an annotation must not take away what works; a target that a route no longer allows is another matter.
      const { code, message } = refused.reason;
      this.source.retain(serviceKey(service.namespace, service.name), { ...refused, target });
      return {
        kind: "held",
        code,
        message: `its Service now asks for what is refused: ${message}`,
      };
    }
    const from = { namespace: service.namespace, destination };
    const known = madeByKnownRoute(this.installation, mirror, from);
    if (!options.unmapped && !known && !options.graceOver) {
      return {
        kind: "held",
        code: "route-gone",
        message:
          "the route that made it is not in this configuration; it is removed when this configuration has led for long enough",
      };
    }
    const because = mapped.length > 0 ? "mapped-elsewhere" : "not-selected";
    return { kind: "proven", because, service };
  }

  #read(
    resource: typeof SERVICES,
    key: ServiceKey,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const ref = splitKey(key);
    return this.#askIn(ref.namespace, () => this.api.get(resource, ref, signal), signal);
  }

  /**
   * The same about what is in a namespace. A namespace that ends takes along the Role that lets us ask; where it has gone, so
   * has all that was in it, and the answer is undefined.
   */
  async #askIn<Answer>(
    namespace: string,
    question: () => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    try {
      return await this.#ask(question, signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.#proveGone(namespace, error, signal);
      return undefined;
    }
  }

  /** @throws unless this namespace, of which nothing may be read, has gone */
  async #proveGone(namespace: string, refusal: RetryableError, signal: AbortSignal): Promise<void> {
    const found = await this.#namespace(namespace, refusal, signal);
    if (found === undefined) return;
    const where = `namespace ${namespace} of ${this.api.cluster}`;
    if (found.metadata.deletionTimestamp !== undefined) {
      throw new RetryableError(
        "FERRY-R002",
        `${where} is being deleted, and may no longer be read; that its Services are gone is proven when it is`,
        { cause: refusal },
      );
    }
    throw new RetryableError(
      refusal.code,
      `${refusal.message}; ${where} is there without the Role that lets svc-ferry read it: apply that again (docs/install.md)`,
      { cause: refusal, ...(refusal.status === undefined ? {} : { status: refusal.status }) },
    );
  }

  /** @throws `refusal` where the namespace may not be read either */
  async #namespace(
    name: string,
    refusal: RetryableError,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#ask(() => this.api.get(NAMESPACES, { name }, signal), signal);
    } catch (error) {
      throw isRefusal(error) ? refusal : error;
    }
  }

  /** An answer of the cluster whose identity we know. */
  async #ask<Answer>(question: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (!(await this.#verifyCluster(signal))) continue;
      const answer = await question();
      if (this.api.connections === this.#verifiedConnections) return answer;
    }
    throw new RetryableError(
      "FERRY-R002",
      `connections to ${this.api.cluster} were opened faster than its identity could be checked`,
    );
  }

  /** False: a connection was opened meanwhile, and nobody knows which one had the answer. */
  async #verifyCluster(signal: AbortSignal): Promise<boolean> {
    const { connections } = this.api;
    if (this.#verifiedConnections === connections) return true;
    const ref = { name: "kube-system" };
    // Over the pool an old connection could answer, which may lead to another cluster than the newest one.
    const namespace = await this.api.get(NAMESPACES, ref, signal, { fresh: true });
    if (namespace?.metadata.uid !== this.installation.sourceCluster) {
      throw new RetryableError(
        "FERRY-R002",
        `${this.api.cluster} answers as another cluster (kube-system ${
          namespace?.metadata.uid ?? "missing"
        }); nothing is deleted on its word`,
      );
    }
    if (this.api.connections !== connections) return false;
    this.#verifiedConnections = connections;
    return true;
  }
}

/** RBAC says no. */
function isRefusal(error: unknown): error is RetryableError {
  return error instanceof RetryableError && error.code === "FERRY-K006";
}

/** What is thrown when the source still has slices of a Service that the cache merely lost: they are listed again. */
export function slicesLost(source: SourceView, service: ServiceKey): RetryableError {
  source.distrust("slices", splitKey(service).namespace);
  return new RetryableError(
    "FERRY-R002",
    `the cache lost slices of ${service} that the source still has; they are listed again`,
  );
}
