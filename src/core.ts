/**
 * The core of one installation: the source's caches, the destinations, and what
 * a leader does with them. Wires, decides nothing.
 */
import type { Config } from "./config/config.js";
import { DestinationLink, type LeasePlace } from "./destination-link.js";
import type { Installation } from "./domain/installation.js";
import { ALLOW_MASS_DELETE_ANNOTATION } from "./domain/labels.js";
import { mappingContext } from "./domain/mapping-context.js";
import type { MappingContext } from "./domain/target.js";
import type { ServiceKey } from "./domain/service-key.js";
import type { Digest } from "./domain/slice.js";
import { SourceCache } from "./intake/source-cache.js";
import type { Authors } from "./ports/authors.js";
import type { Clock } from "./ports/clock.js";
import type { DestinationLease } from "./ports/destination-lease.js";
import type { TerminalError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { Log } from "./ports/log.js";
import type { Metrics } from "./ports/metrics.js";
import type { Random } from "./ports/random.js";
import type { Term } from "./ports/term.js";
import { EventRecorder } from "./reconcile/event-recorder.js";
import { SourceProof } from "./reconcile/proof.js";
import { RefusalReporter } from "./reconcile/refusal-reporter.js";
import type { WatchObserver } from "./watch/reflector-options.js";

export interface CoreParts {
  readonly config: Config;
  readonly installation: Installation;
  readonly source: KubeApi;
  readonly destinations: ReadonlyMap<string, KubeApi>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly digest: Digest;
  readonly observe: (cluster: string) => (resource: string) => WatchObserver;
  readonly lease: (api: KubeApi, place: LeasePlace) => DestinationLease;
  /** What the Lease in the source says about mass deletion; see `massDeleteLimit`. */
  readonly leaseAnnotations: () => Readonly<Record<string, string>>;
  readonly authors: Authors;
  /** Something about this Service was learnt from the source. */
  readonly onService: (service: ServiceKey) => void;
  /** Another cluster answers in the place of a destination. */
  readonly onStranger: (error: TerminalError) => void;
}

export class Core {
  readonly cache: SourceCache;
  readonly links: readonly DestinationLink[];
  readonly refusals: RefusalReporter;
  readonly #events: EventRecorder;
  readonly #linkByName: ReadonlyMap<string, DestinationLink>;
  readonly #selfDestinations = new Set<string>();
  #sourceSynced = false;
  #mapping: MappingContext;

  constructor(private readonly parts: CoreParts) {
    const { config, source, log } = parts;
    this.#mapping = this.#mapped();
    const isBusy = (): boolean => this.links.some((link) => link.isBusy);
    this.#events = new EventRecorder({ ...parts, api: source, isBusy }, config.podName);
    this.cache = new SourceCache({
      ...parts,
      api: source,
      observe: parts.observe(source.cluster),
      mapping: this.#mapping,
      listener: {
        onTarget: (destination, target, note) =>
          this.#linkByName.get(destination)?.add(target, note),
        onRefusal: (service) => {
          this.refusals.changed(service);
          // The mirror of a Service that is refused stays; whether it still may, the next sweep finds out.
          this.#sweepAll();
        },
        onRelisted: () => this.#sweepAll(),
        onService: parts.onService,
      },
    });
    this.refusals = new RefusalReporter(config.source.name, {
      log,
      events: this.#events,
      source: this.cache,
    });
    const proof = new SourceProof(source, this.cache, parts.installation);
    this.links = config.destinations.map((destination) => this.#link(destination, proof));
    this.#linkByName = new Map(this.links.map((link) => [link.settings.name, link]));
  }

  /** The source's caches are filled. */
  get sourceSynced(): boolean {
    return this.#sourceSynced;
  }

  /** Keeps all caches fresh until `signal` aborts, leader or not: a take-over costs only the Lease. */
  async start(signal: AbortSignal): Promise<void> {
    const source = this.cache.start(signal);
    const destinations = this.links.map((link) => link.start(signal));
    await Promise.all([source, ...destinations]);
  }

  /** Resolves when the source's caches are filled. */
  async synced(): Promise<void> {
    await this.cache.synced();
    this.#sourceSynced = true;
  }

  /** Resolves when this core has all that another one has, of the source and of each destination: it can take its place. */
  async knowsWhat(other: Core): Promise<void> {
    const known = new Set(
      other.links.filter((link) => link.synced).map(({ settings }) => settings.name),
    );
    const links = this.links.filter(({ settings }) => known.has(settings.name));
    await Promise.all([this.synced(), ...links.map(async (link) => link.untilSynced())]);
  }

  /** What this installation is, by the routes in force here. */
  get installation(): Installation {
    return this.parts.installation;
  }

  /** What decides where Services go, as of now. */
  get mapping(): MappingContext {
    return this.#mapping;
  }

  /** Compare everything: something got lost on its way. */
  resync(): void {
    this.#sweepAll();
  }

  /** Everything that only a leader does. Resolves when the term is over and nothing is in flight. */
  async lead(term: Term): Promise<void> {
    this.refusals.begin();
    const events = this.#events.run(term.signal);
    await Promise.all(this.links.map((link) => link.lead(term)));
    this.refusals.end();
    await events;
  }

  #link(destination: Config["destinations"][number], proof: SourceProof): DestinationLink {
    const { config, installation, destinations } = this.parts;
    const api = destinations.get(destination.name);
    if (api === undefined) throw new TypeError(`destination ${destination.name} was not opened`);
    return new DestinationLink(
      {
        name: destination.name,
        context: api.cluster,
        sourceContext: config.source.name,
        paused: destination.paused,
        adopt: config.adopt,
        endpoints: config.endpoints,
        installation,
        workers: config.maxConnections,
        sweepIntervalMs: config.sweepIntervalMs,
        staleRouteGraceMs: config.staleRouteGraceMs,
        massDeleteLimit: () =>
          massDeleteLimit(config.allowMassDelete, this.parts.leaseAnnotations()),
        allowHint: allowHint(config.lease),
        // Nothing else in the source stands for the installation; its uid is not worth a read.
        leaseSubject: {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          namespace: config.lease.namespace,
          name: config.lease.name,
          uid: "",
        },
      },
      {
        ...this.parts,
        api,
        proof,
        source: this.cache,
        events: this.#events,
        onIdentity: (uid) => this.#identified(destination.name, uid),
      },
    );
  }

  /** A destination that is the source cluster itself: what lies where its routes write is never a source. */
  #identified(destination: string, uid: string): void {
    if (uid !== this.parts.installation.sourceCluster) return;
    this.#selfDestinations.add(destination);
    this.#mapping = this.#mapped();
    this.cache.remap(this.#mapping);
  }

  #mapped(): MappingContext {
    const { config, installation } = this.parts;
    return mappingContext({
      routes: installation.routes,
      ownNamespace: config.lease.namespace,
      selfDestinations: this.#selfDestinations,
    });
  }

  #sweepAll(): void {
    for (const link of this.links) link.requestSweep();
  }
}

/** How many deletions one sweep may do beyond its brake: all by the flag, or as many as a person wrote onto the Lease. */
function massDeleteLimit(flag: boolean, annotations: Readonly<Record<string, string>>): number {
  if (flag) return Infinity;
  const told = Number(annotations[ALLOW_MASS_DELETE_ANNOTATION] ?? "0");
  return Number.isInteger(told) && told > 0 ? told : 0;
}

function allowHint(lease: Config["lease"]): (unwanted: number) => string {
  return (unwanted) =>
    `If that is right: kubectl -n ${lease.namespace} annotate --overwrite lease ${lease.name} ${ALLOW_MASS_DELETE_ANNOTATION}=${unwanted} (remove it afterwards), or restart with --allow-mass-delete`;
}
