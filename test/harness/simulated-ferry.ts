/**
 * Replicas of svc-ferry in the simulated world: the real process, core and kit,
 * with the world's clock, randomness and clusters, and no port of their own.
 */
import { idlePage } from "../fixtures/idle-page.js";
import type { Config } from "../../src/config/config.js";
import { ConfigFeed, type ConfigOrigin, NO_FILE } from "../../src/config/config-feed.js";
import { FerryState } from "../../src/ferry-state.js";
import type { Clock } from "../../src/ports/clock.js";
import type { Clusters } from "../../src/ports/clusters.js";
import type { Log, LogFields } from "../../src/ports/log.js";
import type { Metrics, MetricsText } from "../../src/ports/metrics.js";
import { FerryProcess } from "../../src/process.js";
import { Surroundings } from "../../src/surroundings.js";
import { sha256 } from "../../src/runtime/sha256.js";
import { adminApp, AdminSources } from "../../src/telemetry/admin-app.js";
import { AdminServer } from "../../src/telemetry/admin-server.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { Network } from "../fakes/network.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import type { SimulatedProcess, SimulatedWorld } from "../fakes/simulated-world.js";
import { destinationName, simulatedConfig, SOURCE } from "./simulation-installation.js";

/** Receives each line of the log; `atMs` is virtual. */
export type Trace = (line: string) => void;

/** One process, from its start to its end. */
export class SimulatedFerry {
  readonly #stop = new AbortController();
  readonly #clock: CountingClock;
  readonly #state: FerryState;
  /** undefined while it runs. */
  exitCode: number | undefined;

  constructor(
    private readonly world: SimulatedWorld,
    readonly process: SimulatedProcess,
    podName: string,
    trace: Trace | undefined,
    /** How its configuration file changes; without one it never does. */
    origin: (config: Config) => ConfigOrigin = () => NO_FILE,
  ) {
    const config = simulatedConfig(podName, world.destinations.length);
    this.#clock = new CountingClock(process.clock);
    const log = trace === undefined ? SILENT_LOG : new TraceLog(process.name, trace);
    const around = new Surroundings(this.#clock, process.random, log, NO_METRICS, sha256);
    this.#state = new FerryState(config, this.#clock, NO_METRICS, { latest: () => [] });
    const admin = new NoAdminPort(this.#state, config);
    const feed = new ConfigFeed(config, origin(config), this.#clock, log, NO_METRICS);
    const ferry = new FerryProcess(feed, around, this.#clusters(), admin, this.#state);
    void ferry.run(this.#stop.signal).then((code) => {
      this.exitCode = code;
    });
  }

  get isLeader(): boolean {
    return this.isAlive && this.#state.isLeader();
  }

  /** It leads and all its watches work: what it knows is what is. */
  get isInformed(): boolean {
    return this.isLeader && this.#state.ready().ok;
  }

  /** Neither killed nor ended; it may be frozen. */
  get isAlive(): boolean {
    return this.exitCode === undefined && this.process.clock.state !== "killed";
  }

  /** It was asked to stop. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** What it still waits for: 0 after an end in good order. */
  get sleeping(): number {
    return this.#clock.sleeping;
  }

  network(server: MemoryApiServer): Network {
    return this.process.network(server);
  }

  get networks(): readonly Network[] {
    return [this.world.source, ...this.world.destinations].map((server) => this.network(server));
  }

  /** SIGTERM. One that is frozen gets it when it goes on. */
  stop(): void {
    this.process.clock.thaw();
    this.#stop.abort();
  }

  /** SIGKILL: its connections break, what was sent arrives all the same. */
  kill(): void {
    this.process.clock.kill();
    for (const network of this.networks) network.disconnect();
  }

  #clusters(): Clusters {
    const { world, process } = this;
    const servers = new Map([
      [SOURCE, world.source],
      ...world.destinations.map((server, index) => [destinationName(index), server] as const),
    ]);
    return {
      open: (name) => {
        const server = servers.get(name);
        if (server === undefined) throw new TypeError(`no cluster ${name}`);
        return Promise.resolve(process.client(server, name));
      },
      close: () => Promise.resolve(),
    };
  }
}

/** Health and status are asked in memory; there is no socket in the simulation. */
class NoAdminPort extends AdminServer {
  constructor(state: FerryState, { podName, http }: Config) {
    const settings = { podName, ...http };
    const page = idlePage(() => state.report());
    const sources = new AdminSources(state, state, NO_METRICS, state, page);
    super(settings, () => adminApp(settings, sources), SILENT_LOG);
  }

  override start(): Promise<number> {
    return Promise.resolve(0);
  }

  override stop(): Promise<void> {
    return Promise.resolve();
  }
}

class CountingClock implements Clock {
  sleeping = 0;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  monotonicMs(): number {
    return this.clock.monotonicMs();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.sleeping += 1;
    await this.clock.sleep(ms, signal);
    this.sleeping -= 1;
  }
}

const NO_METRICS: Metrics & MetricsText = {
  count: () => undefined,
  set: () => undefined,
  observe: () => undefined,
  beforeScrape: () => undefined,
  contentType: "text/plain",
  text: () => Promise.resolve(""),
};

class TraceLog implements Log {
  constructor(
    private readonly name: string,
    private readonly trace: Trace,
  ) {}

  debug(fields: LogFields, message: string): void {
    this.#line("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#line("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#line("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#line("error", fields, message);
  }

  child(): Log {
    return this;
  }

  #line(level: string, fields: LogFields, message: string): void {
    const { err, ...rest } = fields;
    const error = err instanceof Error ? ` ${err.name}: ${err.message}` : "";
    this.trace(`  ${this.name} ${level} ${message} ${JSON.stringify(rest)}${error}`);
  }
}
