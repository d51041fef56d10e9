/** Both sides of an installation as `explain` looks at them: opened for one command, read once, never written. */
import { contextsOf } from "./config/kubectl-contexts.js";
import { clusterFamilies } from "./cluster-families.js";
import type { Config, Destination } from "./config/config.js";
import { installation, type Installation } from "./domain/installation.js";
import { mappingContext } from "./domain/mapping-context.js";
import { homelessLease, leaseNamespace } from "./domain/namespaces.js";
import type { IpFamily } from "./domain/objects.js";
import type { MappingContext } from "./domain/target.js";
import { DryApi } from "./explain/dry-api.js";
import { DryDestination } from "./explain/dry-destination.js";
import type { Blocked } from "./explain/evidence.js";
import { NO_LOG, NO_OBSERVER } from "./explain/silence.js";
import { SourceCache } from "./intake/source-cache.js";
import { clusterUid } from "./introduction.js";
import { LEASES, readLease, type LeaseRecord } from "./leader/lease-record.js";
import type { Clock } from "./ports/clock.js";
import type { Digest } from "./ports/digest.js";
import { RetryableError, TerminalError } from "./ports/errors.js";
import type { FindingReason } from "./ports/explain-report.js";
import type { KubeApi } from "./ports/kube-api.js";
import { NAMESPACES } from "./ports/kube-resources.js";
import type { PodHttp } from "./ports/pod-http.js";
import type { Random } from "./ports/random.js";
import type { Rehearsal } from "./ports/rehearsal.js";
import { parseRfc3339 } from "./ports/timestamps.js";

/** What a command opens; whoever opened it closes it again. */
export interface OpenedCluster extends KubeApi {
  readonly rehearsal?: Rehearsal;
  /** Pods through it. */
  readonly pods?: PodHttp;
  close(): Promise<void>;
}

export interface ExplainWorldParts {
  readonly open: (cluster: Config["source"]) => Promise<OpenedCluster>;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
}

/** What the two sides said when they were asked who they are. */
interface Facts {
  readonly config: Config;
  readonly source: OpenedCluster;
  readonly reaches: ReadonlyMap<string, Reach>;
  readonly installation: Installation;
  readonly mapping: MappingContext;
  /** The leader's, in the source. */
  readonly lease: LeaseRecord | undefined;
}

interface Reached {
  readonly kind: "reached";
  readonly api: OpenedCluster;
  readonly uid: string;
  readonly families: readonly IpFamily[];
  /** The link's, there. */
  readonly lease: LeaseRecord | undefined;
  /** The namespace of that Lease, when it is not there and no route makes it. */
  readonly missing: string | undefined;
}

type Reach = Reached | { readonly kind: "failed"; readonly failure: FindingReason };

/** Beyond a Lease's own duration: the clocks of its holder and of whoever asks differ by less, or `doctor` says so. */
const CLOCK_SLACK_MS = 60_000;

/**
 * @param opened clusters are added here as they are opened, so that they are closed whatever comes after
 * @throws RetryableError, TerminalError when the source cannot be asked; a destination that cannot is remembered as such
 */
export async function openWorld(
  parts: ExplainWorldParts,
  config: Config,
  opened: OpenedCluster[],
  signal: AbortSignal,
): Promise<ExplainWorld> {
  const open = async (cluster: Config["source"]): Promise<OpenedCluster> => {
    const api = await parts.open(cluster);
    opened.push(api);
    return api;
  };
  const source = await open(config.source);
  const sourceCluster = await clusterUid(source, signal);
  const { routes, link, lease } = config;
  const installed = installation({ routes, link, lease, sourceCluster, digest: parts.digest });
  const reached = await Promise.all(
    config.destinations.map(async (destination) => {
      const reach = await reachOf(destination, installed, open, signal);
      return [destination.name, reach] as const;
    }),
  );
  const selfDestinations = reached.flatMap(([name, reach]) =>
    reach.kind === "reached" && reach.uid === sourceCluster ? [name] : [],
  );
  return new ExplainWorld(parts, {
    config,
    source,
    reaches: new Map(reached),
    installation: installed,
    mapping: mappingContext({
      routes,
      ownNamespace: lease.namespace,
      selfDestinations: new Set(selfDestinations),
    }),
    lease: await leaseOf(source, lease, signal),
  });
}

export class ExplainWorld {
  readonly cache: SourceCache;
  readonly #sourceApi: DryApi;
  readonly #filled = new Map<string, Promise<DryDestination>>();

  /** Made by openWorld. */
  constructor(
    private readonly parts: ExplainWorldParts,
    private readonly facts: Facts,
  ) {
    this.#sourceApi = new DryApi(facts.source, undefined);
    this.cache = new SourceCache({
      ...parts,
      api: this.#sourceApi,
      log: NO_LOG,
      observe: () => NO_OBSERVER,
      mapping: facts.mapping,
      listener: { onTarget: () => {}, onRefusal: () => {}, onRelisted: () => {} },
    });
  }

  get source(): KubeApi {
    return this.facts.source;
  }

  get mapping(): MappingContext {
    return this.facts.mapping;
  }

  /** Reads the source; kept until `signal` aborts. @throws what the first list that failed said */
  async fillSource(signal: AbortSignal): Promise<void> {
    this.cache.start(signal).catch(() => {
      // What ends it early has rejected `trouble` as well.
    });
    await Promise.race([this.cache.synced(), this.#sourceApi.trouble]);
  }

  /** undefined: it could not be asked. */
  destinationApi(destination: string): KubeApi | undefined {
    const reach = this.facts.reaches.get(destination);
    return reach?.kind === "reached" ? reach.api : undefined;
  }

  /** Why this destination could not be asked. */
  failureOf(destination: string): FindingReason | undefined {
    const reach = this.facts.reaches.get(destination);
    return reach?.kind === "failed" ? reach.failure : undefined;
  }

  /**
   * A destination with its objects read, once for each set of namespaces.
   * @param namespaces undefined: all mapped ones
   * @throws what could not be read
   */
  destination(
    name: string,
    namespaces: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<DryDestination> {
    const key = `${name} ${namespaces?.join(",") ?? "*"}`;
    const filled = this.#filled.get(key) ?? this.#fill(name, namespaces, signal);
    this.#filled.set(key, filled);
    return filled;
  }

  /**
   * Why nothing is written to this destination, whatever the Service: the link's Lease is held by a process that does not lead
   * here. Two leaders of one installation are two processes; their ids tell them apart, names need not.
   */
  blocked(destination: string): Blocked | undefined {
    const reach = this.facts.reaches.get(destination);
    if (reach?.kind !== "reached") return undefined;
    const { lease: held, missing } = reach;
    if (missing !== undefined) {
      const { destinationContext } = contextsOf(this.facts.config, destination);
      const fix = `kubectl --context ${destinationContext} create namespace ${missing}`;
      return { reason: homelessLease(missing), fix };
    }
    const { lease } = this.facts;
    if (held === undefined || !this.#isLive(held)) return undefined;
    if (lease?.processId === held.processId) return undefined;
    const message = `the link's Lease in ${destination} is held by ${held.holder}, which does not lead here: a clone or a doubled installation; nothing is written until it is ours`;
    return { reason: { code: "link-held-elsewhere", message } };
  }

  /** Who leads in the source, as far as its Lease tells. */
  get leader(): string | undefined {
    const { lease } = this.facts;
    return lease !== undefined && this.#isLive(lease) ? lease.holder : undefined;
  }

  #isLive({ holder, renewTime, durationSeconds = 0 }: LeaseRecord): boolean {
    const renewedMs = parseRfc3339(renewTime);
    if (holder === "" || renewedMs === undefined) return false;
    const ageMs = Math.abs(this.parts.clock.now() - renewedMs);
    return ageMs < durationSeconds * 1_000 + CLOCK_SLACK_MS;
  }

  async #fill(
    name: string,
    namespaces: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<DryDestination> {
    const { config, reaches, installation: installed } = this.facts;
    const reach = reaches.get(name);
    if (reach?.kind !== "reached") throw new TypeError(`destination ${name} was not reached`);
    const { clock, random, digest } = this.parts;
    const filled = new DryDestination(
      {
        destination: name,
        paused: config.destinations.some((one) => one.name === name && one.paused),
        adopt: config.adopt,
        endpoints: config.endpoints,
        installation: installed,
        families: reach.families,
        ...(namespaces === undefined ? {} : { namespaces }),
      },
      {
        api: new DryApi(reach.api, reach.api.rehearsal),
        sourceApi: this.#sourceApi,
        source: this.cache,
        clock,
        random,
        digest,
      },
    );
    await filled.fill(signal);
    return filled;
  }
}

async function reachOf(
  destination: Destination,
  { routes, link }: Installation,
  open: (cluster: Config["source"]) => Promise<OpenedCluster>,
  signal: AbortSignal,
): Promise<Reach> {
  try {
    const api = await open(destination);
    const uid = await clusterUid(api, signal);
    const families = await clusterFamilies(api, signal);
    const own = routes.filter((route) => route.destination === destination.name);
    const ref = { namespace: leaseNamespace(own), name: link };
    const lease = await leaseOf(api, ref, signal);
    const isMade = !destination.paused && own.some((route) => route.createNamespace);
    const isHome = lease !== undefined || isMade || (await isThere(api, ref.namespace, signal));
    const missing = isHome ? undefined : ref.namespace;
    return { kind: "reached", api, uid, families, lease, missing };
  } catch (error) {
    return { kind: "failed", failure: failureOf(error) };
  }
}

/** undefined: there is none, or it may not be read, which `doctor` tells. */
async function leaseOf(
  api: KubeApi,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<LeaseRecord | undefined> {
  try {
    const lease = await api.get(LEASES, ref, signal);
    return lease && readLease(lease);
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006") return undefined;
    throw error;
  }
}

/** A namespace that may not be asked for counts as there: who is not allowed to know blames nobody. */
async function isThere(api: KubeApi, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await api.get(NAMESPACES, { name }, signal)) !== undefined;
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006") return true;
    throw error;
  }
}

/** What a cluster's refusal or silence reads like in a report. @throws any other error, which is a defect */
export function failureOf(error: unknown): FindingReason {
  if (error instanceof RetryableError || error instanceof TerminalError) {
    return { code: error.code, message: error.message };
  }
  throw error;
}
