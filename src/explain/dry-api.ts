/** A cluster's API for parts of the core that must not change anything: reads are real, writes are noted and at most rehearsed. */
import { aborted } from "../ports/aborted.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type {
  GetOptions,
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Resource,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteResult,
} from "../ports/kube-api.js";
import { NAMESPACES } from "../ports/kube-resources.js";
import type { Rehearsal } from "../ports/rehearsal.js";

/** A write that was due. */
export interface DueWrite {
  readonly verb: "create" | "patch" | "delete";
  readonly resource: string;
  /** "namespace/name", or the name of a namespace. */
  readonly name: string;
}

/** Of an object that is not stored. */
const UID = "not-stored";
const VERSION = "0";

export class DryApi implements KubeApi {
  #due: DueWrite[] = [];
  /** Namespaces that exist only here. */
  readonly #made = new Set<string>();
  readonly #trouble = Promise.withResolvers<never>();

  /** @param rehearsal undefined: what is written counts as taken */
  constructor(
    private readonly api: KubeApi,
    private readonly rehearsal: Rehearsal | undefined,
  ) {
    // Nobody may be waiting for it when it comes.
    this.#trouble.promise.catch(() => {});
  }

  get cluster(): string {
    return this.api.cluster;
  }

  get connections(): number {
    return this.api.connections;
  }

  /** Never resolves; rejects with what the first list that failed said. Caches would try for ever. */
  get trouble(): Promise<never> {
    return this.#trouble.promise;
  }

  /** What was due since the last call, in order. */
  takeDue(): readonly DueWrite[] {
    const due = this.#due;
    this.#due = [];
    return due;
  }

  async list(resource: Resource, options: ListOptions, signal: AbortSignal): Promise<KubeList> {
    try {
      return await this.api.list(resource, options, signal);
    } catch (error) {
      this.#trouble.reject(error);
      throw error;
    }
  }

  /** Nothing happens: what was listed is what is looked at. */
  async watch(
    _resource: Resource,
    _options: WatchOptions,
    _onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await aborted(signal);
  }

  get(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
    options?: GetOptions,
  ): Promise<KubeObject | undefined> {
    return this.api.get(resource, ref, signal, options);
  }

  async create(
    resource: Resource,
    object: KubeObject,
    { signal }: WriteOptions,
  ): Promise<WriteResult> {
    const { namespace, name } = object.metadata;
    this.#note("create", resource, { namespace, name });
    const stored = {
      ...object,
      metadata: { ...object.metadata, uid: UID, resourceVersion: VERSION },
    };
    if (resource.plural === NAMESPACES.plural) {
      this.#made.add(name);
      return { kind: "done", object: stored };
    }
    if (namespace !== undefined && this.#made.has(namespace))
      return { kind: "done", object: stored };
    const refusal = await this.#whyNoNamespace(namespace, signal);
    if (refusal !== undefined) return refusal;
    const rehearsed = await this.rehearsal?.create(resource, object, signal);
    return rehearsed?.result ?? { kind: "done", object: stored };
  }

  async patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    _preconditions: unknown,
    { signal }: WriteOptions,
  ): Promise<WriteResult> {
    this.#note("patch", resource, ref);
    const rehearsed = await this.rehearsal?.patch(resource, ref, patch, signal);
    if (rehearsed !== undefined) return rehearsed.result;
    const object = await this.api.get(resource, ref, signal);
    return object === undefined ? { kind: "not-found" } : { kind: "done", object };
  }

  replace(): Promise<WriteResult> {
    return Promise.reject(new TerminalError("FERRY-K011", "nothing is replaced by who only looks"));
  }

  delete(resource: Resource, ref: ObjectRef): Promise<WriteResult> {
    this.#note("delete", resource, ref);
    return Promise.resolve({ kind: "done", object: undefined });
  }

  #note(verb: DueWrite["verb"], { plural }: Resource, { namespace, name }: ObjectRef): void {
    const full = namespace === undefined ? name : `${namespace}/${name}`;
    this.#due.push({ verb, resource: plural, name: full });
  }

  /** What the server would say of the namespace, in the words of a create; who may not read namespaces is told by the rehearsal. */
  async #whyNoNamespace(
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<WriteResult | undefined> {
    if (name === undefined) return undefined;
    try {
      const namespace = await this.api.get(NAMESPACES, { name }, signal);
      if (namespace === undefined) return { kind: "not-found" };
      if (namespace.metadata.deletionTimestamp === undefined) return undefined;
      return { kind: "terminating", message: `namespace ${name} is being deleted` };
    } catch (error) {
      if (error instanceof RetryableError && error.code === "FERRY-K006") return undefined;
      throw error;
    }
  }
}
