import type {
  KubeApi,
  KubeList,
  KubeObject,
  ObjectRef,
  Resource,
  WriteOptions,
  WriteResult,
} from "../../../../src/ports/kube-api.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { Log } from "../../../../src/ports/log.js";
import { Elector, type Term } from "../../../../src/leader/elector.js";
import { ProcessClock } from "../../../fakes/process-clock.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

export interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    readonly acquireTime: string;
    readonly renewTime: string;
    readonly leaseTransitions: number;
  };
}

/** Where all Leases of a test live. Its clients come and go; each can be cut off. */
export class LeaseServer {
  readonly objects = new Map<string, KubeObject>();
  readonly namespaces = new Set(["ns"]);
  #version = 1;

  lease(key = "ns/leader"): Lease {
    const lease = this.objects.get(key);
    if (lease === undefined) throw new Error(`no Lease ${key}`);
    return lease as Lease;
  }

  store(object: KubeObject & { readonly spec?: unknown }): KubeObject {
    this.#version += 1;
    const { namespace, name } = object.metadata;
    const metadata = { ...object.metadata, uid: "u1", resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    this.objects.set(`${namespace ?? ""}/${name}`, stored);
    return stored;
  }
}

/** One process's way to the server. */
export class LeaseClient implements KubeApi {
  readonly cluster = "source";
  readonly connections = 1;
  /** Thrown by the next requests; "hang": they get no answer; "lose answers": writes are done, but nobody learns. */
  fault: Error | "hang" | "lose answers" | undefined;
  /** RBAC says no to everything about Leases. */
  refusesLeases = false;
  readonly requests: string[] = [];

  constructor(private readonly server: LeaseServer) {}

  get(resource: Resource, ref: ObjectRef): Promise<KubeObject | undefined> {
    return this.#send("get", () => {
      if (resource.kind !== "Namespace") {
        if (this.refusesLeases) throw new RetryableError("FERRY-K006", "scripted");
        return this.server.objects.get(`${ref.namespace ?? ""}/${ref.name}`);
      }
      return this.server.namespaces.has(ref.name) ? { metadata: { name: ref.name } } : undefined;
    });
  }

  create(resource: Resource, object: KubeObject, _options: WriteOptions): Promise<WriteResult> {
    return this.#send<WriteResult>(`create ${resource.kind}`, () => {
      const { namespace = "", name } = object.metadata;
      if (resource.kind === "Namespace") {
        this.server.namespaces.add(name);
        return { kind: "done", object };
      }
      if (!this.server.namespaces.has(namespace)) return { kind: "not-found" };
      if (this.server.objects.has(`${namespace}/${name}`)) return { kind: "already-exists" };
      return { kind: "done", object: this.server.store(object) };
    });
  }

  replace(_resource: Resource, object: KubeObject, _options: WriteOptions): Promise<WriteResult> {
    return this.#send<WriteResult>("replace", () => {
      const { namespace = "", name, resourceVersion } = object.metadata;
      const stored = this.server.objects.get(`${namespace}/${name}`);
      if (stored === undefined) return { kind: "not-found" };
      if (stored.metadata.resourceVersion !== resourceVersion) return { kind: "conflict" };
      return { kind: "done", object: this.server.store(object) };
    });
  }

  list(): Promise<KubeList> {
    return Promise.reject(new Error("an election lists nothing"));
  }

  watch(): Promise<void> {
    return Promise.reject(new Error("an election watches nothing"));
  }

  patch(): Promise<WriteResult> {
    return Promise.reject(new Error("an election patches nothing"));
  }

  delete(): Promise<WriteResult> {
    return Promise.reject(new Error("an election deletes nothing"));
  }

  async #send<R>(request: string, work: () => R): Promise<R> {
    this.requests.push(request);
    if (this.fault instanceof Error) throw this.fault;
    if (this.fault === "hang") return new Promise<never>(() => undefined);
    const result = work();
    return this.fault === "lose answers" && request !== "get"
      ? new Promise<never>(() => undefined)
      : result;
  }
}

export const TIMES = { durationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };

/** Electors of one Lease on one server, each in a process of its own. */
export function electionBed() {
  const world = new VirtualClock();
  const server = new LeaseServer();
  /** Who may write at this moment. */
  const processes: Replica[] = [];
  const permitted = () =>
    processes.filter((one) => one.term?.permit() === true).map((one) => one.name);
  const start = (name: string, options: Partial<ReplicaOptions> = {}) => {
    const replica = new Replica(world, server, { processId: `${name}-process`, ...options, name });
    processes.push(replica);
    return replica;
  };
  return { world, server, start, permitted };
}

interface ReplicaOptions {
  readonly name: string;
  readonly processId: string;
  readonly skewMs: number;
  readonly times: typeof TIMES;
  readonly createNamespace: boolean;
  /** How long `lead` takes to end after its signal. */
  readonly finishMs: number;
}

class Replica {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly api: LeaseClient;
  readonly elector: Elector;
  readonly logged: string[] = [];
  /** What happened, with the world's time. */
  readonly terms: string[] = [];
  /** The last term, ended or not. */
  term: Term | undefined;
  /** Ends `lead` from inside: undefined returns, an error is thrown. */
  leave: (error?: Error) => void = () => undefined;
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor(world: VirtualClock, server: LeaseServer, options: Partial<ReplicaOptions>) {
    this.name = options.name ?? "pod";
    this.clock = new ProcessClock(world, options.skewMs);
    this.api = new LeaseClient(server);
    this.elector = new Elector({
      api: this.api,
      clock: this.clock,
      random: { next: () => 0.5, id: () => "" },
      log: namesOf(this.logged),
      leaseNamespace: "ns",
      leaseName: "leader",
      identity: this.name,
      processId: options.processId ?? "process",
      annotations: { "svc-ferry.io/hand-off": `${this.name}:9444` },
      createNamespace: options.createNamespace,
      ...(options.times ?? TIMES),
    });
    this.#run = this.elector.run(this.#stop.signal, async (term) => {
      this.term = term;
      this.terms.push(`${term.number} began at ${world.monotonicMs()}`);
      await this.#lead(term);
      await this.clock.sleep(options.finishMs ?? 0, new AbortController().signal);
      this.terms.push(`${term.number} ended at ${world.monotonicMs()}`);
    });
  }

  /** Asks the process to end; resolves when it has. */
  async stop(world: VirtualClock, withinMs = 60_000): Promise<void> {
    this.#stop.abort();
    const ended = { yet: false };
    const run = this.#run.then(() => (ended.yet = true));
    await world.runUntil(() => ended.yet, withinMs);
    await run;
  }

  /** Asks the process to end and does not wait. */
  abort(): void {
    this.#stop.abort();
  }

  #lead(term: Term): Promise<void> {
    return new Promise((resolve, reject) => {
      this.leave = (error) => (error === undefined ? resolve() : reject(error));
      if (term.signal.aborted) resolve();
      else term.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

export function namesOf(logged: string[]): Log {
  const tell = (level: string) => (fields: object, message: string) => {
    const fix = "fix" in fields && typeof fields.fix === "string" ? ` (${fields.fix})` : "";
    logged.push(`${level}: ${message}${fix}`);
  };
  const log: Log = {
    debug: tell("debug"),
    info: tell("info"),
    warn: tell("warn"),
    error: tell("error"),
    child: () => log,
  };
  return log;
}
