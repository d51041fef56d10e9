/**
 * A source cluster, its destinations and the processes that talk to them, on one
 * virtual clock. The same seed gives the same history, to the last event.
 */
import { EVENTS } from "../../src/ports/kube-resources.js";
import type { KubeApi } from "../../src/ports/kube-api.js";
import { ClusterControllers } from "./cluster-controllers.js";
import { MemoryApiServer } from "./memory-api-server.js";
import { type Faults, Network } from "./network.js";
import { ProcessClock } from "./process-clock.js";
import { SeededRandom } from "./seeded-random.js";
import type { IpFamily } from "./service-spec.js";
import { LEASES } from "./resources.js";
import { collectionOf } from "./stored-object.js";
import { VirtualClock } from "./virtual-clock.js";

export interface SimulatedWorldOptions {
  /** Default 1. */
  readonly destinations?: number;
  readonly sourceFamilies?: readonly IpFamily[];
  readonly destinationFamilies?: readonly IpFamily[];
}

/** When `run` stops. Durations in ms of virtual time. */
export type RunUntil =
  | { readonly forMs: number }
  | {
      /** No cluster changed for this long; Leases and Events do not count. */
      readonly untilQuietMs: number;
      /** Default one hour; then an error. */
      readonly limitMs?: number;
    }
  | { readonly until: () => boolean; readonly limitMs?: number };

export class SimulatedWorld {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly source: MemoryApiServer;
  readonly destinations: readonly MemoryApiServer[];
  #lastChangeMs = 0;

  constructor(
    readonly seed: number,
    options: SimulatedWorldOptions = {},
  ) {
    this.random = new SeededRandom(seed);
    this.source = this.server("source", options.sourceFamilies);
    this.destinations = Array.from({ length: options.destinations ?? 1 }, (_, i) =>
      this.server(`destination-${i}`, options.destinationFamilies),
    );
  }

  /** The first destination. */
  get destination(): MemoryApiServer {
    return this.destinations[0] ?? this.source;
  }

  /** One more cluster, e.g. to exchange another for it (`Network.reroute`). `name` selects its randomness. */
  server(name: string, families: readonly IpFamily[] = ["IPv4"]): MemoryApiServer {
    const random = this.random.fork(name);
    const server = new MemoryApiServer({ clock: this.clock, random, families });
    new ClusterControllers(server, random.fork("controllers")).start();
    const quiet = [collectionOf(LEASES), collectionOf(EVENTS)];
    server.etcd.onChange((change) => {
      if (!quiet.includes(change.collection)) this.#lastChangeMs = this.clock.monotonicMs();
    });
    return server;
  }

  /** A process of its own: clock, randomness and ways to the clusters. */
  process(name: string, options: { readonly skewMs?: number } = {}): SimulatedProcess {
    const clock = new ProcessClock(this.clock, options.skewMs);
    return new SimulatedProcess(name, clock, this.random.fork(`process ${name}`));
  }

  /** @throws when the limit is over, or nothing is left that could happen */
  async run(when: RunUntil): Promise<void> {
    if ("forMs" in when) return this.clock.advance(when.forMs);
    if ("until" in when) return this.clock.runUntil(when.until, when.limitMs);
    this.#lastChangeMs = this.clock.monotonicMs();
    return this.#runUntilQuiet(when.untilQuietMs, when.limitMs ?? 3_600_000);
  }

  async #runUntilQuiet(quietMs: number, limitMs: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    for (;;) {
      const leftMs = this.#lastChangeMs + quietMs - this.clock.monotonicMs();
      if (leftMs <= 0) return;
      if (this.clock.monotonicMs() > endMs) throw new Error(`not quiet after ${limitMs} ms`);
      await this.clock.advance(leftMs);
    }
  }
}

/** One replica, as the world sees it. */
export class SimulatedProcess {
  readonly #networks = new Map<MemoryApiServer, Network>();

  constructor(
    readonly name: string,
    readonly clock: ProcessClock,
    readonly random: SeededRandom,
  ) {}

  /** Its way to a cluster; always the same one for the same server. */
  network(server: MemoryApiServer, faults?: Partial<Faults>): Network {
    const label = `network ${this.#networks.size}`;
    const network =
      this.#networks.get(server) ??
      new Network({ name: this.name, process: this.clock, random: this.random.fork(label) });
    this.#networks.set(server, network);
    if (faults !== undefined) network.set(faults);
    return network;
  }

  client(server: MemoryApiServer, cluster: string): KubeApi {
    return server.client({ cluster, network: this.network(server) });
  }
}
