import { inject, injectable } from "tsyringe";
import { DEFAULT_ROTATION, type RotationSettings } from "../certs/rotation-settings.js";
import { Config } from "./config/config.js";
import { Core } from "./core.js";
import { installation, type Installation } from "./domain/installation.js";
import { FerryState } from "./ferry-state.js";
import { clusterUid, untilAnswered } from "./introduction.js";
import { knownCluster } from "./kube/known-cluster.js";
import { Elector, type ElectorOptions } from "./leader/elector.js";
import { LinkLease } from "./link-lease.js";
import { aborted } from "./ports/aborted.js";
import { NO_AUTHORS } from "./ports/authors.js";
import { Clusters } from "./ports/clusters.js";
import type { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Term } from "./ports/term.js";
import { Surroundings } from "./surroundings.js";
import { AdminServer } from "./telemetry/admin-server.js";
import { VERSION } from "./version.js";
import { watchMetrics } from "./watch-metrics.js";
import { WebhookSide, type WebhookSideParts } from "./webhook-side.js";

const OK = 0;
const FAILED = 1;

/**
 * Start and stop order, with the reasons.
 *
 * 1. Admin port: /health must answer before anything can fail.
 * 2. The source says who it is: the link, and with it every selector in the destinations, follows from that.
 * 3. Caches: the source's, and each destination's beside it; a dead destination stops nobody.
 * 4. The webhook, when there is a core to ask; it answers while caches are filling, and needs a leader to get its certificate.
 * 5. The elector, when the *source's* caches are filled: a leader that knows nothing could only do harm.
 *
 * Stop: the term ends (no write starts any more) → writes in flight end → the Leases are given back, so that another replica
 * takes over at once; beside that the webhook drains, and tells the next leader what it let pass → connections close → the admin port last, so that /health tells the
 * truth until then.
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
   *
   * @param rotation no setting of anybody's: tests have no months to wait
   */
  async run(
    signal: AbortSignal,
    warnings: readonly string[] = [],
    rotation = DEFAULT_ROTATION,
  ): Promise<number> {
    const { log } = this.around;
    log.info({ version: VERSION, routes: this.#routes() }, "starting");
    for (const text of warnings) log.warn({ text }, "configuration warning");
    try {
      await this.admin.start(signal);
      const exitCode = await this.#work(signal, rotation);
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

  async #work(signal: AbortSignal, rotation: RotationSettings): Promise<number> {
    const processId = this.around.random.id();
    const { name, access } = this.config.source;
    const source = await this.clusters.open(name, access, processId);
    const destinations = await this.#openDestinations(processId);
    const installed = await this.#installation(source, signal);
    if (installed === undefined) return OK;
    const { link, sourceCluster } = installed;
    // The caches outlive the last term: what is in flight at the stop still reads them.
    const caches = new AbortController();
    const fatal = new AbortController();
    const onStranger = (error: TerminalError): void => {
      if (!fatal.signal.aborted) this.#tellStranger(error, link);
      fatal.abort();
    };
    const webhook = this.#webhook({
      api: source,
      around: this.around,
      installation: installed,
      core: () => core,
      leader: () => elector.leader,
      page: (search) => this.state.page(search),
      rotation,
    });
    const handOffPort = await webhook?.listen(signal);
    const annotations = handOffPort === undefined ? {} : webhook?.annotations(handOffPort);
    const onLeader = (): void => webhook?.leaderChanged();
    const elector = this.#elector(source, { processId, annotations, onLeader });
    const known = { api: source, uid: sourceCluster, signal: caches.signal, onStranger };
    const core = this.#core({
      source: knownCluster(known),
      destinations,
      installed,
      processId,
      elector,
      onStranger,
      webhook,
    });
    this.state.attach(core, link, () => elector.leader?.identity);
    this.around.log.info({ link, sourceCluster, processId }, "connected to the source");

    const until = AbortSignal.any([signal, fatal.signal]);
    const fresh = core.start(caches.signal);
    const admission = webhook?.run(until).catch((error: unknown) => {
      this.around.log.error({ err: error }, "webhook cannot go on, ending");
      fatal.abort();
    });
    await Promise.race([core.synced(), aborted(until)]);
    if (!until.aborted) {
      this.around.log.info({}, "source caches are synced");
      await elector.run(until, (term) => this.#lead(core, webhook, term));
    }
    const over = new AbortController();
    const following = webhook && elector.follow(over.signal);
    await admission;
    over.abort();
    await following;
    caches.abort();
    await fresh;
    return fatal.signal.aborted ? FAILED : OK;
  }

  #webhook(parts: WebhookSideParts): WebhookSide | undefined {
    if (!this.config.webhook.on) return undefined;
    const webhook = new WebhookSide(this.config, parts);
    this.state.attachWebhook(webhook);
    return webhook;
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

  /** undefined: aborted before the source has answered. */
  async #installation(source: KubeApi, signal: AbortSignal): Promise<Installation | undefined> {
    const { clock, log, digest } = this.around;
    const { cluster } = source;
    const onTrouble = (err: unknown): void =>
      log.warn({ cluster, err }, "source not reached, trying again");
    const ask = (cut: AbortSignal): Promise<string> => clusterUid(source, cut);
    const sourceCluster = await untilAnswered(ask, { clock, onTrouble }, signal);
    if (sourceCluster === undefined) return undefined;
    const { routes, link, lease } = this.config;
    return installation({ routes, link, lease, sourceCluster, digest });
  }

  #elector(
    source: KubeApi,
    own: Pick<ElectorOptions, "processId" | "annotations" | "onLeader">,
  ): Elector {
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
      ...own,
    });
  }

  #core(parts: {
    readonly source: KubeApi;
    readonly destinations: ReadonlyMap<string, KubeApi>;
    readonly installed: Installation;
    readonly processId: string;
    readonly elector: Elector;
    readonly onStranger: (error: TerminalError) => void;
    readonly webhook: WebhookSide | undefined;
  }): Core {
    const { config } = this;
    const { clock, random, log, metrics, digest } = this.around;
    const { source, destinations, installed, processId, elector, onStranger, webhook } = parts;
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
      authors: webhook ?? NO_AUTHORS,
      onService: (service) => webhook?.changed(service),
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

  async #lead(core: Core, webhook: WebhookSide | undefined, term: Term): Promise<void> {
    const { log } = this.around;
    this.state.began(term);
    log.info(
      { term: term.number, text: "became leader, starting sync operations" },
      "became leader",
    );
    await Promise.all([core.lead(term), webhook?.lead(term)]);
    this.state.ended();
    log.info({ term: term.number }, "stopped leading");
  }
}
