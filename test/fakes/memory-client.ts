/** KubeApi over a Network to a fake API server: what src/kube is over HTTP to a real one. */
import { TerminalError } from "../../src/ports/errors.js";
import type {
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Preconditions,
  Resource,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteResult,
} from "../../src/ports/kube-api.js";
import { ApiFailure } from "./api-failure.js";
import { errorOf, leftBy, resultOf } from "./client-answers.js";
import { wireCopy } from "./json.js";
import type { MemoryApiServer } from "./memory-api-server.js";
import { MemoryWatch } from "./memory-watch.js";
import type { Network, Verb } from "./network.js";
import { RoundTrips, type Trip } from "./round-trips.js";

export class MemoryClient implements KubeApi {
  readonly #trips: RoundTrips;

  constructor(
    server: MemoryApiServer,
    readonly cluster: string,
    private readonly network: Network,
  ) {
    this.#trips = new RoundTrips(server, cluster, network);
  }

  get connections(): number {
    return this.network.connections;
  }

  list(resource: Resource, options: ListOptions, signal: AbortSignal): Promise<KubeList> {
    return this.#read({
      verb: "list",
      resource,
      signal,
      laterPage: options.continueToken !== undefined,
      run: (server) => server.list(resource, options),
      empty: (server) => ({
        items: [],
        resourceVersion: server.revision,
        continueToken: undefined,
      }),
    });
  }

  watch(
    resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { network, cluster } = this;
    const watch = new MemoryWatch({ network, cluster, options, onEvent, signal });
    return watch.run(
      this.#trips.send({
        verb: "watch",
        resource,
        signal,
        run: (server) => watch.open(server, resource),
      }),
    );
  }

  async get(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#trips.send({
        verb: "get",
        resource,
        signal,
        run: (server) => server.get(resource, ref),
      });
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw errorOf(error, this.cluster, this.network.faults.retryAfterMs);
    }
  }

  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<WriteResult> {
    const body = wireCopy(object);
    return this.#write("create", resource, options, (server) =>
      server.create(resource, body, this.network.name),
    );
  }

  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult> {
    const body = wireCopy(patch);
    return this.#write("patch", resource, options, (server) =>
      server.patch(resource, ref, body, preconditions, this.network.name),
    );
  }

  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<WriteResult> {
    if (object.metadata.resourceVersion === undefined) {
      const message = `${this.cluster}: replace: the object has no resource version`;
      return Promise.reject(new TerminalError("FERRY-K011", message));
    }
    const body = wireCopy(object);
    return this.#write("replace", resource, options, (server) =>
      server.replace(resource, body, this.network.name),
    );
  }

  delete(
    resource: Resource,
    ref: ObjectRef,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult> {
    return this.#write("delete", resource, options, (server) =>
      leftBy(server.delete(resource, ref, preconditions, this.network.name)),
    );
  }

  async #read<T>(trip: Trip<T>): Promise<T> {
    try {
      return await this.#trips.send(trip);
    } catch (error) {
      throw errorOf(error, this.cluster, this.network.faults.retryAfterMs);
    }
  }

  async #write(
    verb: Verb,
    resource: Resource,
    options: WriteOptions,
    run: (server: MemoryApiServer) => KubeObject | undefined,
  ): Promise<WriteResult> {
    try {
      const { signal, permit } = options;
      return {
        kind: "done",
        object: await this.#trips.send({ verb, resource, signal, permit, run }),
      };
    } catch (error) {
      const result = error instanceof ApiFailure ? resultOf(error) : undefined;
      if (result !== undefined) return result;
      throw errorOf(error, this.cluster, this.network.faults.retryAfterMs);
    }
  }
}
