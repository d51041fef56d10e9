/** Short words for the contract suite: reads, writes and watches in the suite's namespace. */
import type {
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  Preconditions,
  Resource,
  WatchOptions,
  WriteResult,
} from "../../src/ports/kube-api.js";
import type { Cluster } from "./cluster-under-test.js";
import { WatchRecorder } from "./watch-recorder.js";

/** No object has it. */
export const OTHER_UID = "11111111-1111-4111-8111-111111111111";

/** Longer than any case lasts. */
const WATCH_SECONDS = 60;

export class ContractCase {
  readonly #ended = new AbortController();

  constructor(private readonly cluster: Cluster) {}

  get api(): KubeApi {
    return this.cluster().api;
  }

  get namespace(): string {
    return this.cluster().namespace;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get(resource: Resource, name: string): Promise<KubeObject | undefined> {
    return this.api.get(resource, { namespace: this.namespace, name }, this.signal);
  }

  list(resource: Resource, options: ListOptions = {}): Promise<KubeList> {
    return this.api.list(resource, { namespace: this.namespace, ...options }, this.signal);
  }

  /** POST of an object of the suite's namespace; `rest` is all beside metadata. */
  create(resource: Resource, meta: NewMeta, rest: object = {}): Promise<WriteResult> {
    const object = { ...rest, metadata: { namespace: this.namespace, ...meta } };
    return this.api.create(resource, object, { signal: this.signal });
  }

  /** As `create`, where success is not the question. */
  async created(resource: Resource, meta: NewMeta, rest: object = {}): Promise<KubeObject> {
    return objectOf(await this.create(resource, meta, rest));
  }

  /** Merge patch of the object as it was last seen, by uid and resourceVersion. */
  patch(resource: Resource, seen: KubeObject, patch: object): Promise<WriteResult> {
    return this.patchIf(resource, seen.metadata.name, patch, preconditionsOf(seen));
  }

  patchIf(
    resource: Resource,
    name: string,
    patch: object,
    preconditions: Preconditions,
  ): Promise<WriteResult> {
    const ref = { namespace: this.namespace, name };
    const body = { ...patch };
    return this.api.patch(resource, ref, body, preconditions, { signal: this.signal });
  }

  async patched(resource: Resource, seen: KubeObject, patch: object): Promise<KubeObject> {
    return objectOf(await this.patch(resource, seen, patch));
  }

  replace(resource: Resource, object: KubeObject): Promise<WriteResult> {
    return this.api.replace(resource, object, { signal: this.signal });
  }

  delete(resource: Resource, name: string, preconditions: Preconditions): Promise<WriteResult> {
    const ref = { namespace: this.namespace, name };
    return this.api.delete(resource, ref, preconditions, { signal: this.signal });
  }

  /** Opens a watch of the suite's namespace; it ends with the case. */
  watch(resource: Resource, options: Partial<WatchOptions> & From): WatchRecorder {
    const recorder = new WatchRecorder();
    const { namespace } = this;
    const all = { namespace, timeoutSeconds: WATCH_SECONDS, stallMs: 90_000, ...options };
    recorder.follow(
      this.api.watch(
        resource,
        all,
        (event) => {
          recorder.record(event);
        },
        this.signal,
      ),
    );
    return recorder;
  }

  /** Ends what is still open. */
  end(): void {
    this.#ended.abort();
  }
}

interface From {
  readonly resourceVersion: string;
}

type NewMeta = KubeObject["metadata"];

/** @throws when the write was not done */
export function objectOf(result: WriteResult): KubeObject {
  if (result.kind === "done" && result.object !== undefined) return result.object;
  throw new Error(`not done: ${JSON.stringify(result)}`);
}

export function preconditionsOf(seen: KubeObject): Preconditions {
  const { uid = "", resourceVersion } = seen.metadata;
  return { uid, resourceVersion };
}

/** The object's `spec`; {} without one. */
export function specOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  return { ...(object as { spec?: object } | undefined)?.spec };
}
