import { inject, injectable } from "tsyringe";
import { Config } from "./config/config.js";
import { Core } from "./core.js";
import { installation, type Installation } from "./domain/installation.js";
import { FerryState } from "./ferry-state.js";
import { knownCluster } from "./kube/known-cluster.js";
import { Elector } from "./leader/elector.js";
import { LinkLease } from "./link-lease.js";
import { Clock } from "./ports/clock.js";
import { Clusters } from "./ports/clusters.js";
import { Digest } from "./ports/digest.js";
import { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import { NAMESPACES } from "./ports/kube-resources.js";
import { Log } from "./ports/log.js";
import { Metrics } from "./ports/metrics.js";
import { Random } from "./ports/random.js";
import type { Term } from "./ports/term.js";
import { AdminServer } from "./telemetry/admin-server.js";
import { VERSION } from "./version.js";
import { watchMetrics } from "./watch-metrics.js";

/** What a process needs to know time, chance and its own voice. */
@injectable()
export class Surroundings {
  constructor(
    @inject(Clock) readonly clock: Clock,
    @inject(Random) readonly random: Random,
    @inject(Log) readonly log: Log,
    @inject(Metrics) readonly metrics: Metrics,
    @inject(Digest) readonly digest: Digest,
  ) {}
}

/** Between attempts to reach the source at start. */
const CONNECT_RETRY_MS = 1_000;
const OK = 0;
const FAILED = 1;

/**
 * Start and stop order, with the reasons.
 *
 * 1. Admin port: /health must answer before anything can fail.
 * 2. The source says who it is: the link, and with it every selector in the destinations, follows from that.
 * 3. Caches: the source's, and each destination's beside it; a dead destination stops nobody.
 * 4. The elector, when the *source's* caches are filled: a leader that knows nothing could only do harm.
 *
 * Stop: the term ends (no write starts any more) → writes in flight end → the Leases are given back, so that another
 * replica takes over at once → connections close → the admin port last, so that /health tells the truth until then.
 */
@injectable()
export class FerryProcess {
  constructor(
    @inject(Config) private readonly config: Config,
    @inject(Surroundings) private readonly around: Surroundings,
    @inject(Clusters) private readonly clusters: Clusters,
    @inject(AdminServer) private readonly admin: AdminServer,
    @inject(FerryState) private readonly state: FerryState,
  ) {}

  /**
   * Runs until `signal` aborts. Resolves with the exit code: 0 after a stop in good order, 1 when it could not start, or when
   * another cluster took the place of one: what was learnt from the old one holds no more, and a new process learns it anew.
   */
  async run(signal: AbortSignal, warnings: readonly string[] = []): Promise<number> {
    const { log } = this.around;
    log.info({ version: VERSION, routes: this.#routes() }, "starting");
    for (const text of warnings) log.warn({ text }, "configuration warning");
    try {
      await this.admin.start(signal);
      const exitCode = await this.#work(signal);
      log.info({}, "stopped");
      return exitCode;
    } catch (error) {
      log.error({ err: error }, "cannot go on");
      return FAILED;
    } finally {
      await this.clusters.close();
      await this.admin.stop();
    }
  }

  /** What goes where, as the configuration was understood: `source/shop sync=true → destination/shop`. */
  #routes(): readonly string[] {
    const { source, routes } = this.config;
    return routes.map(({ namespaces, selector, destination, target }) => {
      const from = namespaces === "all" ? "*" : namespaces.join(",");
      return `${source.name}/${from} ${selector.text} → ${destination}/${target.namespace}`;
    });
  }

  async #work(signal: AbortSignal): Promise<number> {
    const processId = this.around.random.id();
    const { name, access } = this.config.source;
    const source = await this.clusters.open(name, access, processId);
    const destinations = await this.#openDestinations(processId);
    const sourceCluster = await this.#identify(source, signal);
    if (sourceCluster === undefined) return OK;
    const { routes, link, lease } = this.config;
    const installed = installation({
      routes,
      link,
      lease,
      sourceCluster,
      digest: this.around.digest,
    });
    const elector = this.#elector(source, processId);
    // The caches outlive the last term: what is in flight at the stop still reads them.
    const caches = new AbortController();
    const exchanged = new AbortController();
    const onStranger = (error: TerminalError): void => {
      if (!exchanged.signal.aborted) this.#tellStranger(error, installed.link);
      exchanged.abort();
    };
    const known = { api: source, uid: sourceCluster, signal: caches.signal, onStranger };
    const core = this.#core({
      source: knownCluster(known),
      destinations,
      installed,
      processId,
      elector,
      onStranger,
    });
    this.state.attach(core, installed.link, () => elector.leader?.identity);
    this.around.log.info(
      { link: installed.link, sourceCluster, processId },
      "connected to the source",
    );

    const until = AbortSignal.any([signal, exchanged.signal]);
    const fresh = core.start(caches.signal);
    await Promise.race([core.synced(), aborted(until)]);
    if (!until.aborted) {
      this.around.log.info({}, "source caches are synced");
      await elector.run(until, (term) => this.#lead(core, term));
    }
    caches.abort();
    await fresh;
    return exchanged.signal.aborted ? FAILED : OK;
  }

  #tellStranger(err: TerminalError, link: string): void {
    const fix = `if the address is wrong, correct it; if a source cluster was replaced for good, run with --link=${link}, so that its mirrors are taken over`;
    this.around.log.error({ code: err.code, err, fix }, "a cluster was exchanged, ending");
  }

  async #openDestinations(processId: string): Promise<ReadonlyMap<string, KubeApi>> {
    const opened = new Map<string, KubeApi>();
    for (const { name, access } of this.config.destinations) {
      opened.set(name, await this.clusters.open(name, access, processId));
    }
    return opened;
  }

  /** The UID of the source's kube-system; waits for as long as it takes. */
  async #identify(source: KubeApi, signal: AbortSignal): Promise<string | undefined> {
    const { clock, log } = this.around;
    let reported: string | undefined;
    while (!signal.aborted) {
      try {
        const system = await source.get(NAMESPACES, { name: "kube-system" }, signal);
        if (system?.metadata.uid !== undefined) return system.metadata.uid;
        throw new TerminalError("FERRY-K007", `${source.cluster} has no namespace kube-system`);
      } catch (error) {
        if (!signal.aborted && String(error) !== reported) {
          log.warn({ cluster: source.cluster, err: error }, "source not reached, trying again");
        }
        reported = String(error);
        await clock.sleep(CONNECT_RETRY_MS, signal);
      }
    }
    return undefined;
  }

  #elector(source: KubeApi, processId: string): Elector {
    const { clock, random, log } = this.around;
    const { lease, podName } = this.config;
    return new Elector({
      ...lease,
      api: source,
      clock,
      random,
      log: log.child("leader"),
      leaseNamespace: lease.namespace,
      leaseName: lease.name,
      identity: podName,
      processId,
    });
  }

  #core(parts: {
    readonly source: KubeApi;
    readonly destinations: ReadonlyMap<string, KubeApi>;
    readonly installed: Installation;
    readonly processId: string;
    readonly elector: Elector;
    readonly onStranger: (error: TerminalError) => void;
  }): Core {
    const { config } = this;
    const { clock, random, log, metrics, digest } = this.around;
    const { source, destinations, installed, processId, elector, onStranger } = parts;
    return new Core({
      config,
      installation: installed,
      source,
      destinations,
      clock,
      random,
      log,
      metrics,
      digest,
      observe: watchMetrics(metrics),
      leaseAnnotations: () => elector.leader?.annotations ?? {},
      onStranger,
      lease: (api, { namespace, createNamespace }) =>
        new LinkLease({
          ...config.lease,
          api,
          clock,
          random,
          log: log.child("heartbeat"),
          createNamespace,
          leaseNamespace: namespace,
          leaseName: installed.link,
          identity: config.podName,
          processId,
        }),
    });
  }

  async #lead(core: Core, term: Term): Promise<void> {
    const { log } = this.around;
    this.state.began(term);
    log.info(
      { term: term.number, text: "became leader, starting sync operations" },
      "became leader",
    );
    await core.lead(term);
    this.state.ended();
    log.info({ term: term.number }, "stopped leading");
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
