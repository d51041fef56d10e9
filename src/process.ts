import { inject, injectable } from "tsyringe";
import { DEFAULT_ROTATION, type RotationSettings } from "../certs/rotation-settings.js";
import type { Config } from "./config/config.js";
import { ConfigFeed } from "./config/config-feed.js";
import type { Core } from "./core.js";
import { Cores, installationOf } from "./cores.js";
import { FerryState } from "./ferry-state.js";
import { clusterUid, untilAnswered } from "./introduction.js";
import { knownCluster } from "./kube/known-cluster.js";
import { Elector, type ElectorOptions } from "./leader/elector.js";
import { aborted } from "./ports/aborted.js";
import { Clusters } from "./ports/clusters.js";
import type { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Term } from "./ports/term.js";
import { Succession } from "./succession.js";
import { Surroundings } from "./surroundings.js";
import { AdminServer } from "./telemetry/admin-server.js";
import { VERSION } from "./version.js";
import { WebhookSide, type WebhookSideParts } from "./webhook-side.js";

const OK = 0;
const FAILED = 1;

/** What a process has to run, once its source has answered. */
interface Serving {
  readonly signal: AbortSignal;
  /** Aborted by what cannot go on. */
  readonly fatal: AbortController;
  readonly cores: Cores;
  readonly succession: Succession<Core>;
  readonly webhook: WebhookSide | undefined;
  readonly elector: Elector;
  /** Aborted when nobody reads the caches any more. */
  readonly caches: AbortController;
}

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
    @inject(ConfigFeed) private readonly feed: ConfigFeed,
    @inject(Surroundings) private readonly around: Surroundings,
    @inject(Clusters) private readonly clusters: Clusters,
    @inject(AdminServer) private readonly admin: AdminServer,
    @inject(FerryState) private readonly state: FerryState,
  ) {}

  /** As the process was started; only routes ever change. */
  get #config(): Config {
    return this.feed.initial;
  }

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
    log.info({ version: VERSION, routes: routeTexts(this.#config) }, "starting");
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

  async #work(signal: AbortSignal, rotation: RotationSettings): Promise<number> {
    const { around } = this;
    const config = this.#config;
    const processId = around.random.id();
    const { name, access } = config.source;
    const source = await this.clusters.open(name, access, processId);
    const destinations = await this.#openDestinations(processId);
    const sourceCluster = await this.#sourceCluster(source, signal);
    if (sourceCluster === undefined) return OK;
    const { link } = installationOf(config, { sourceCluster, around });
    const fatal = new AbortController();
    const onStranger = (error: TerminalError): void => {
      if (!fatal.signal.aborted) this.#tellStranger(error, link);
      fatal.abort();
    };
    const succession = new Succession<Core>((core) => {
      this.state.attach(core, link, () => elector.leader?.identity);
    });
    const webhook = this.#webhook({
      api: source,
      around,
      core: () => succession.core,
      leader: () => elector.leader,
      page: (search) => this.state.page(search),
      rotation,
    });
    const handOffPort = await webhook?.listen(signal);
    const annotations = handOffPort === undefined ? {} : webhook?.annotations(handOffPort);
    const onLeader = (): void => webhook?.leaderChanged();
    const elector = this.#elector(source, { processId, annotations, onLeader });
    // The caches outlive the last term: what is in flight at the stop still reads them.
    const caches = new AbortController();
    const known = { api: source, uid: sourceCluster, signal: caches.signal, onStranger };
    const cores = new Cores({
      around,
      source: knownCluster(known),
      destinations,
      sourceCluster,
      processId,
      elector,
      onStranger,
      webhook,
    });
    around.log.info({ link, sourceCluster, processId }, "connected to the source");
    succession.start(cores.make(config));
    await this.#serve({ signal, fatal, cores, succession, webhook, elector, caches });
    return fatal.signal.aborted ? FAILED : OK;
  }

  /** Until the process is to stop or cannot go on, and then until nothing is in flight. */
  async #serve(parts: Serving): Promise<void> {
    const { signal, fatal, cores, succession, webhook, elector, caches } = parts;
    const { log } = this.around;
    const until = AbortSignal.any([signal, fatal.signal]);
    const orEnd = (what: string) => (error: unknown) => {
      log.error({ err: error }, `${what} cannot go on, ending`);
      fatal.abort();
    };
    const admission = webhook?.run(until).catch(orEnd("webhook"));
    const changes = this.#followConfig(cores, succession, until).catch(orEnd("configuration"));
    await Promise.race([succession.synced, aborted(until)]);
    if (!until.aborted) {
      log.info({}, "source caches are synced");
      await elector.run(until, (term) => this.#lead(succession, webhook, term));
    }
    const over = new AbortController();
    const following = webhook && elector.follow(over.signal);
    await admission;
    over.abort();
    await following;
    // NB: before the wait for the caches' end, or they wait in turn for a silent source to say who it is.
    caches.abort();
    await succession.close();
    await changes;
  }

  /** Changed routes come into force as soon as a core knows them; see Succession. */
  async #followConfig(
    cores: Cores,
    succession: Succession<Core>,
    until: AbortSignal,
  ): Promise<void> {
    const { log, metrics } = this.around;
    const taken = new Set<Promise<void>>();
    const take = async (config: Config): Promise<void> => {
      const routes = routeTexts(config);
      log.info({ routes }, "changed routes, filling caches");
      metrics.set("svc_ferry_config_pending", { reason: "filling" }, 1);
      if ((await succession.succeed(cores.make(config))) === "overtaken") return;
      metrics.set("svc_ferry_config_pending", { reason: "filling" }, 0);
      log.info({ routes }, "changed routes are in force");
    };
    await this.feed.follow((config) => taken.add(take(config)), until);
    await Promise.all(taken);
  }

  #webhook(parts: WebhookSideParts): WebhookSide | undefined {
    if (!this.#config.webhook.on) return undefined;
    const webhook = new WebhookSide(this.#config, parts);
    this.state.attachWebhook(webhook);
    return webhook;
  }

  #tellStranger(err: TerminalError, link: string): void {
    const fix = `if the address is wrong, correct it; if a source cluster was replaced for good, run with --link=${link}, so that its mirrors are taken over`;
    this.around.log.error({ code: err.code, err, fix }, "a cluster was exchanged, ending");
  }

  async #openDestinations(processId: string): Promise<ReadonlyMap<string, KubeApi>> {
    const opened = new Map<string, KubeApi>();
    for (const { name, access } of this.#config.destinations) {
      opened.set(name, await this.clusters.open(name, access, processId));
    }
    return opened;
  }

  /** UID of its kube-system; undefined: aborted before it has answered. */
  async #sourceCluster(source: KubeApi, signal: AbortSignal): Promise<string | undefined> {
    const { clock, log } = this.around;
    const { cluster } = source;
    const onTrouble = (err: unknown): void =>
      log.warn({ cluster, err }, "source not reached, trying again");
    const ask = (cut: AbortSignal): Promise<string> => clusterUid(source, cut);
    return untilAnswered(ask, { clock, onTrouble }, signal);
  }

  #elector(
    source: KubeApi,
    own: Pick<ElectorOptions, "processId" | "annotations" | "onLeader">,
  ): Elector {
    const { clock, random, log } = this.around;
    const { lease, podName } = this.#config;
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

  async #lead(
    core: Pick<Core, "lead">,
    webhook: WebhookSide | undefined,
    term: Term,
  ): Promise<void> {
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

/** What goes where, as the configuration was understood: `source/shop sync=true → destination/shop`. */
function routeTexts({ source, routes }: Config): readonly string[] {
  return routes.map(({ namespaces, selector, destination, target }) => {
    const from = namespaces === "all" ? "*" : namespaces.join(",");
    return `${source.name}/${from} ${selector.text} → ${destination}/${target.namespace}`;
  });
}
