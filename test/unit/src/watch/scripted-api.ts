import type {
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Resource,
  WatchEvent,
  WatchOptions,
  WriteResult,
} from "../../../../src/ports/kube-api.js";

/** One watch that the reflector opened; the test decides what comes and how it ends. */
export class OpenWatch {
  readonly #end = Promise.withResolvers<void>();
  isOpen = true;

  constructor(
    readonly options: WatchOptions,
    private readonly onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ) {
    if (signal.aborted) this.end();
    else signal.addEventListener("abort", () => this.end(), { once: true });
  }

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  emit(event: WatchEvent): void {
    this.onEvent(event);
  }

  end(): void {
    this.isOpen = false;
    this.#end.resolve();
  }

  fail(error: unknown): void {
    this.isOpen = false;
    this.#end.reject(error);
  }
}

type Answer = (options: ListOptions) => KubeList | Promise<KubeList>;

/** A server that answers lists from `objects`, unless the test has scripted the next answers, and watches as the test says. */
export class ScriptedApi implements KubeApi {
  readonly cluster = "source";
  readonly connections = 1;
  objects: readonly KubeObject[] = [];
  version = "100";
  /** Consumed one by one by lists that are no look at the version. */
  readonly answers: Answer[] = [];
  /** Answers looks at the version (limit 1). */
  onLook: Answer = () => list([], this.version);
  /** Answers for the namespace: it is there. */
  onGet: () => KubeObject | undefined | Promise<KubeObject | undefined> = () => ({
    metadata: { name: "a" },
  });
  /** Every request in order: "list", "list +token", "look", "watch 100". */
  readonly requests: string[] = [];
  readonly watches: OpenWatch[] = [];

  /** The watch that was opened last. */
  get lastWatch(): OpenWatch {
    const last = this.watches.at(-1);
    if (last === undefined) throw new Error("no watch was opened");
    return last;
  }

  async list(_resource: Resource, options: ListOptions): Promise<KubeList> {
    if (options.limit === 1) {
      this.requests.push("look");
      return this.onLook(options);
    }
    const token = options.continueToken === undefined ? "" : ` +${options.continueToken}`;
    this.requests.push(`list${options.limit === undefined ? " all" : ""}${token}`);
    const answer = this.answers.shift();
    return answer === undefined ? list(this.objects, this.version) : answer(options);
  }

  async watch(
    _resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.requests.push(`watch ${options.resourceVersion}`);
    const watch = new OpenWatch(options, onEvent, signal);
    this.watches.push(watch);
    return watch.ended;
  }

  async get(resource: Resource, { name }: ObjectRef): Promise<KubeObject | undefined> {
    this.requests.push(`get ${resource.plural} ${name}`);
    return this.onGet();
  }

  create(): Promise<WriteResult> {
    return Promise.reject(new Error("the reflector does not write"));
  }

  patch(): Promise<WriteResult> {
    return Promise.reject(new Error("the reflector does not write"));
  }

  replace(): Promise<WriteResult> {
    return Promise.reject(new Error("the reflector does not write"));
  }

  delete(): Promise<WriteResult> {
    return Promise.reject(new Error("the reflector does not write"));
  }
}

export function list(
  items: readonly KubeObject[],
  resourceVersion: string,
  continueToken?: string,
): KubeList {
  return { items, resourceVersion, continueToken };
}

export interface Thing extends KubeObject {
  readonly text?: string;
}

/** `thing("shop/web", "uid-1", "5")`. */
export function thing(key: string, uid: string, resourceVersion: string, text = ""): Thing {
  const [namespace = "", name = ""] = key.split("/");
  return { metadata: { namespace, name, uid, resourceVersion }, text };
}
