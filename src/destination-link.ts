/**
 * One destination from connecting to writing. It becomes active by itself when its
 * own caches are synced, so that a dead destination stops nobody.
 */
import { clusterFamilies } from "./cluster-families.js";
import type { EndpointsMode } from "./config/config.js";
import type { Installation } from "./domain/installation.js";
import { strayNamespaces } from "./stray-namespaces.js";
import { leaseNamespace, targetNamespaces } from "./domain/namespaces.js";
import type { IpFamily } from "./domain/objects.js";
import { clusterUid, untilAnswered } from "./introduction.js";
import { knownCluster } from "./kube/known-cluster.js";
import { aborted } from "./ports/aborted.js";
import type { TerminalError } from "./ports/errors.js";
import type { ServiceKey } from "./domain/service-key.js";
import type { Digest } from "./domain/slice.js";
import { DestinationCache } from "./intake/destination-cache.js";
import type { WatchHealth } from "./intake/watch-health.js";
import type { Authors } from "./ports/authors.js";
import type { Clock } from "./ports/clock.js";
import type { DestinationLease } from "./ports/destination-lease.js";
import type { DestinationView } from "./ports/destination-view.js";
import type { EventSink, EventSubject } from "./ports/event-sink.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Log } from "./ports/log.js";
import type { Metrics } from "./ports/metrics.js";
import type { Random } from "./ports/random.js";
import type { SourceView } from "./ports/source-view.js";
import type { Term } from "./ports/term.js";
import type { WorkNote } from "./ports/work.js";
import { Applier } from "./reconcile/applier.js";
import { type Backlog, DestinationRunner } from "./reconcile/destination-runner.js";
import { EndpointsPass } from "./reconcile/endpoints-pass.js";
import type { SourceProof } from "./reconcile/proof.js";
import { Reconciler } from "./reconcile/reconciler.js";
import { OrphanReporter } from "./reconcile/orphan-reporter.js";
import { Reporter } from "./reconcile/reporter.js";
import { Voice } from "./reconcile/voice.js";
import type { WatchObserver } from "./watch/reflector-options.js";

export interface DestinationLinkSettings {
  readonly name: string;
  readonly context: string;
  readonly sourceContext: string;
  readonly paused: boolean;
  readonly adopt: "on" | "off" | "report";
  readonly endpoints: EndpointsMode;
  readonly installation: Installation;
  readonly workers: number;
  readonly sweepIntervalMs: number;
  readonly staleRouteGraceMs: number;
  readonly massDeleteLimit: () => number;
  readonly allowHint: (unwanted: number) => string;
  readonly leaseSubject: EventSubject;
}

/** Where the link's Lease lies in a destination: in a mapped namespace, which a route may have to create. */
export interface LeasePlace {
  readonly namespace: string;
  readonly createNamespace: boolean;
}

export interface DestinationLinkParts {
  readonly api: KubeApi;
  readonly source: SourceView;
  readonly authors: Authors;
  readonly proof: SourceProof;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly digest: Digest;
  readonly observe: (cluster: string) => (resource: string) => WatchObserver;
  /** Makes the Lease of the link in this destination. */
  readonly lease: (api: KubeApi, place: LeasePlace) => DestinationLease;
  /** The destination is the source cluster itself, or not. */
  readonly onIdentity: (uid: string) => void;
  /** Another cluster answers in the destination's place. */
  readonly onStranger: (error: TerminalError) => void;
}

/** What the destination says of itself. */
interface Introduction {
  /** Of its kube-system. */
  readonly uid: string;
  readonly families: readonly IpFamily[];
  /** Namespaces with mirrors of ours that no route leads to. */
  readonly strays: readonly string[];
}

/** What exists once the destination has said who it is. */
interface Active {
  readonly cache: DestinationCache;
  readonly runner: DestinationRunner;
}

export class DestinationLink {
  readonly reporter: Reporter;
  readonly orphans: OrphanReporter;
  readonly lease: DestinationLease;
  readonly #ready = Promise.withResolvers<Active>();
  #active: Active | undefined;
  #synced = false;

  constructor(
    readonly settings: DestinationLinkSettings,
    private readonly parts: DestinationLinkParts,
  ) {
    const { source, authors, events, clock, log, metrics } = parts;
    const routes = this.#routes();
    this.lease = parts.lease(parts.api, {
      namespace: leaseNamespace(routes),
      createNamespace: !settings.paused && routes.some((route) => route.createNamespace),
    });
    const { name, sourceContext, context: destinationContext } = settings;
    const voice = new Voice({ sourceContext, destinationContext }, log, events);
    this.orphans = new OrphanReporter(
      { ...settings, destination: name },
      { log, events, metrics, voice },
    );
    this.reporter = new Reporter(name, {
      voice,
      orphans: this.orphans,
      log,
      metrics,
      clock,
      authors,
      wanting: (target) => source.candidates(name, target),
    });
  }

  /** Caches are filled. */
  get synced(): boolean {
    return this.#synced;
  }

  async untilSynced(): Promise<void> {
    await this.#ready.promise;
  }

  /** What is known of it; undefined: it was not listed yet. */
  get view(): DestinationView | undefined {
    return this.#synced ? this.#active?.cache : undefined;
  }

  /** Everything that is watched there, for health and metrics. */
  watches(): readonly WatchHealth[] {
    return this.#active?.cache.health() ?? [];
  }

  get mirrorCount(): number {
    return this.#active?.cache.mirrorCount ?? 0;
  }

  get backlog(): Backlog {
    return this.#active?.runner.backlog ?? { live: 0, bulk: 0, inFlight: 0, oldestMs: 0 };
  }

  /** Mirrors are being written, or were a moment ago. */
  get isBusy(): boolean {
    return this.#active?.runner.isBusy ?? false;
  }

  add(target: ServiceKey, note: WorkNote): void {
    this.#active?.runner.add(target, note);
  }

  requestSweep(): void {
    this.#active?.runner.requestSweep();
  }

  /** Connects, fills the caches and keeps them fresh until `signal` aborts; leader or not. */
  async start(signal: AbortSignal): Promise<void> {
    const introduction = await this.#connect(signal);
    if (introduction === undefined) return;
    const active = this.#activate(introduction, signal);
    this.#active = active;
    const running = Promise.all([active.cache.start(signal), this.lease.observe(signal)]);
    await Promise.race([active.cache.synced(), running]);
    if (!signal.aborted) {
      this.#synced = true;
      this.parts.log.info({ destination: this.settings.name }, "destination caches are synced");
      this.#ready.resolve(active);
    }
    await running;
  }

  /** Works for one term, as soon as the caches are synced. */
  async lead(term: Term): Promise<void> {
    const active = await Promise.race([this.#ready.promise, aborted(term.signal)]);
    if (active === undefined) return;
    this.reporter.reset();
    await Promise.all([active.runner.lead(term), this.reporter.run(term.signal)]);
  }

  /** Learns who the destination is; waits for as long as it takes. undefined: aborted meanwhile. */
  #connect(signal: AbortSignal): Promise<Introduction | undefined> {
    const { api, clock, log, onIdentity } = this.parts;
    const { name: destination } = this.settings;
    const onTrouble = (err: unknown): void =>
      log.warn({ destination, err }, "destination not reached, trying again");
    const ask = async (cut: AbortSignal): Promise<Introduction> => {
      const uid = await clusterUid(api, cut);
      const families = await clusterFamilies(api, cut);
      const strays = await this.#strays(cut);
      onIdentity(uid);
      return { uid, families, strays };
    };
    return untilAnswered(ask, { clock, onTrouble }, signal);
  }

  /** What a former configuration left where this one never looks is removed like the mirrors of any route that is gone. */
  async #strays(signal: AbortSignal): Promise<readonly string[]> {
    const { api, log } = this.parts;
    const { name: destination, installation } = this.settings;
    const { link } = installation;
    const mapped = targetNamespaces(this.#routes());
    const found = await strayNamespaces(api, { link, mapped }, signal);
    if (found === undefined) {
      const message = `mirrors that a former configuration left in namespaces of no route are not found and stay: let this account list services in all namespaces (ClusterRole: apiGroups [""], resources [services], verbs [list]), or remove them by hand (kubectl get services -A -l svc-ferry.io/link=${link})`;
      log.warn({ destination }, message);
    } else if (found.length > 0) {
      log.info({ destination, namespaces: found }, "mirrors lie in namespaces of no route");
    }
    return found ?? [];
  }

  #activate({ uid, families, strays }: Introduction, signal: AbortSignal): Active {
    const { source, authors, proof, clock, random, log, metrics, digest, observe } = this.parts;
    const { name, installation, paused, adopt, endpoints: mode } = this.settings;
    // Families, the Lease and whether it is the source itself were learnt from this very cluster.
    const api = knownCluster({ ...this.parts, uid, signal });
    const cache = new DestinationCache({
      api,
      clock,
      random,
      log,
      digest,
      observe: observe(api.cluster),
      link: installation.link,
      marks: this.#routes().map((route) => route.mark),
      namespaces: targetNamespaces(this.#routes()),
      strays,
      primaryFamilies: families,
      onTarget: (target) =>
        this.add(target, { sinceMs: clock.monotonicMs(), cause: "destination" }),
      onRelisted: () => this.requestSweep(),
    });
    const applier = new Applier(name, api, cache, metrics);
    const endpoints = new EndpointsPass(
      { installation, mode, digest },
      { source, view: cache, applier, proof },
    );
    const reconciler = new Reconciler(
      { destination: name, paused, adopt, installation },
      { source, view: cache, applier, endpoints, proof, authors, reporter: this.reporter },
    );
    const runner = new DestinationRunner(
      { ...this.settings, destination: name, leaseNamespace: leaseNamespace(this.#routes()) },
      {
        clock,
        random,
        source,
        view: cache,
        lease: this.lease,
        reconciler,
        reporter: this.reporter,
        orphans: this.orphans,
        metrics,
      },
    );
    return { cache, runner };
  }

  #routes(): Installation["routes"] {
    return this.settings.installation.routes.filter(
      (route) => route.destination === this.settings.name,
    );
  }
}
