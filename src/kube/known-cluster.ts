/**
 * A cluster that must stay the one it was. A kubeconfig, a DNS name or a load balancer may lead to another one from one
 * connection to the next, and a rebuilt cluster may have the old one's address and keys: what such a stranger lists or sends
 * down a watch must not be taken for ours.
 *
 * 1. A list's page or a watch's first event arrives. Was a connection opened since the last check?
 * 2. Then the namespace kube-system is read over a connection that is younger still: an old one, kept alive by other requests,
 *    may lead to the old cluster for ever.
 * 3. Its UID is the right one: what arrived is handed on. It is another: `onStranger`, and nothing is handed on.
 *
 * NB: behind one address with both clusters at once each check is a toss; it comes with each new connection.
 */
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { KubeApi, WatchEvent } from "../ports/kube-api.js";
import { NAMESPACES } from "../ports/kube-resources.js";

export interface KnownClusterOptions {
  readonly api: KubeApi;
  /** Of its kube-system. */
  readonly uid: string;
  /** Aborts when nobody lists or watches any more; not with a single caller, because checks are shared. */
  readonly signal: AbortSignal;
  /** Must not throw. Called for each check that fails. */
  readonly onStranger: (error: TerminalError) => void;
}

/**
 * The same API, whose lists and watches throw FERRY-K012 when another cluster answers. Writes pass as they are: they carry
 * preconditions, and what they are made from is checked. So do single reads: who needs proof from one asks for itself.
 */
export function knownCluster(options: KnownClusterOptions): KubeApi {
  const { api } = options;
  const identity = new Identity(options);
  return {
    cluster: api.cluster,
    get connections() {
      return api.connections;
    },
    list: async (...args) => {
      const page = await api.list(...args);
      await identity.check();
      return page;
    },
    watch: (resource, watchOptions, onEvent, signal) => {
      const gate = new Gate(identity, onEvent, signal);
      const arrived = (event: WatchEvent): void => gate.arrived(event);
      return gate.through((open) => api.watch(resource, watchOptions, arrived, open));
    },
    get: (...args) => api.get(...args),
    create: (...args) => api.create(...args),
    patch: (...args) => api.patch(...args),
    replace: (...args) => api.replace(...args),
    delete: (...args) => api.delete(...args),
  };
}

class Identity {
  /** Connections that were open when the last check began. */
  #checked = 0;
  #checking: Promise<void> | undefined;

  constructor(private readonly options: KnownClusterOptions) {}

  get isKnown(): boolean {
    return this.#checked >= this.options.api.connections;
  }

  /** Resolves when the cluster was asked who it is after the last of the connections of this moment was opened. */
  async check(): Promise<void> {
    const { connections } = this.options.api;
    while (this.#checked < connections) {
      this.#checking ??= this.#ask().finally(() => {
        this.#checking = undefined;
      });
      await this.#checking;
    }
  }

  async #ask(): Promise<void> {
    const { api, uid, signal, onStranger } = this.options;
    const { connections } = api;
    const system = await api.get(NAMESPACES, { name: "kube-system" }, signal, { fresh: true });
    const found = system?.metadata.uid;
    if (found === undefined) {
      // A cluster that is being made: it says who it is when its API server has started.
      throw new RetryableError("FERRY-K007", `${api.cluster} has no namespace kube-system`);
    }
    if (found !== uid) {
      const error = new TerminalError(
        "FERRY-K012",
        `${api.cluster} answers as another cluster: kube-system was ${uid} and is ${found}`,
      );
      onStranger(error);
      throw error;
    }
    this.#checked = connections;
  }
}

/** Holds the events of one watch back until it is known who sends them: its connection stays the same one from then on. */
class Gate {
  readonly #held: WatchEvent[] = [];
  /** Ends the watch: its caller did, or nobody may see what it brings. */
  readonly #end = new AbortController();
  #checking: Promise<void> | undefined;
  #isOpen = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly identity: Identity,
    private readonly onEvent: (event: WatchEvent) => void,
    private readonly signal: AbortSignal,
  ) {}

  arrived(event: WatchEvent): void {
    if (!this.#isOpen && this.#checking === undefined && this.identity.isKnown) this.#isOpen = true;
    if (this.#isOpen) return this.onEvent(event);
    this.#held.push(event);
    this.#checking ??= this.#check();
  }

  /** As the watch ends, or with what was wrong with its events. */
  async through(watch: (open: AbortSignal) => Promise<void>): Promise<void> {
    const stop = (): void => this.#end.abort();
    this.signal.addEventListener("abort", stop, { once: true });
    if (this.signal.aborted) stop();
    try {
      await watch(this.#end.signal);
    } finally {
      this.signal.removeEventListener("abort", stop);
      await this.#checking;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    try {
      await this.identity.check();
      // Nothing can come between: from the first to the last of them is one tick.
      for (const event of this.#held.splice(0)) if (!this.signal.aborted) this.onEvent(event);
      this.#isOpen = true;
    } catch (error) {
      this.#failure = { error };
      this.#end.abort();
    }
  }
}
