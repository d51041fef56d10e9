/**
 * The source cluster as the rules see it: which Services are selected, where each
 * goes, and the slices of those that go somewhere. Every change becomes a key.
 */
import type { Candidate } from "../domain/plan.js";
import type { Service } from "../domain/objects.js";
import { parseService } from "../domain/parse.js";
import { matches } from "../domain/selection.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";
import { mappings, type Mapping, type MappingContext } from "../domain/target.js";
import type { KubeObject } from "../ports/kube-api.js";
import { SERVICES } from "../ports/kube-resources.js";
import type { SourceView } from "../ports/source-view.js";
import type { WorkNote } from "../ports/work.js";
import type { Change } from "../watch/change.js";
import { Reflector } from "../watch/reflector.js";
import type { CacheParts } from "./cache-parts.js";
import { SliceCache } from "./slice-cache.js";
import { serviceScopes, sourceNamespaces, type ScopeOfServices } from "./source-scopes.js";
import { TargetIndex, type Destined, type Wanting } from "./target-index.js";
import { watchHealth, type WatchHealth } from "./watch-health.js";

/** What the cache tells: keys, never objects. */
interface SourceListener {
  /** Something about who wants this name, or about its endpoints, is different. */
  onTarget(destination: string, target: ServiceKey, note: WorkNote): void;
  /** A selected Service's mapping is refused, is refused otherwise than before, or no longer is. */
  onRefusal(service: ServiceKey): void;
  /** A list replaced what was known: compare everything. */
  onRelisted(): void;
  /** Something about this Service was learnt. */
  onService?(service: ServiceKey): void;
}

export interface SourceCacheOptions extends CacheParts {
  readonly listener: SourceListener;
  /** `ownTargetNamespaces` may grow as destinations turn out to be the source itself: then `remap` is called. */
  readonly mapping: MappingContext;
}

type Refused = Extract<Mapping, { kind: "refused" }>;

export class SourceCache implements SourceView {
  readonly #services: readonly Watched[];
  readonly #slices: SliceCache;
  readonly #index = new TargetIndex();
  readonly #refused = new Map<ServiceKey, readonly Refused[]>();
  readonly #keepAnnotation: (key: string) => boolean;
  #mapping: MappingContext;

  constructor(private readonly options: SourceCacheOptions) {
    this.#mapping = options.mapping;
    const copied = new Set(options.mapping.routes.flatMap((route) => route.copyAnnotations));
    this.#keepAnnotation = (key) => copied.has(key);
    this.#services = serviceScopes(options.mapping.routes).map((scope) => ({
      ...scope,
      reflector: this.#serviceReflector(scope),
    }));
    this.#slices = new SliceCache({
      ...options,
      namespaces: sourceNamespaces(options.mapping.routes),
      isTracked: (service) => this.#index.has(service),
      onService: (service) => this.#ring(service, { cause: "endpoints" }),
    });
  }

  /** Runs until `signal` aborts. Slices are listed after the Services, because those say which slices are kept. */
  async start(signal: AbortSignal): Promise<void> {
    const services = this.#services.map(({ reflector }) => reflector.start(signal));
    const slices = Promise.all(this.#services.map(({ reflector }) => reflector.synced)).then(() =>
      this.#slices.start(signal),
    );
    // A first list that never succeeds leaves `slices` pending; the signal ends the Services' loops and with them this wait.
    await Promise.all(services);
    if (this.#services.every(({ reflector }) => reflector.isSynced)) await slices;
  }

  /** Resolves when everything was listed once. */
  async synced(): Promise<void> {
    await Promise.all(this.#services.map(({ reflector }) => reflector.synced));
    await this.#slices.synced();
  }

  /** Every watch, for health and metrics. */
  health(): readonly WatchHealth[] {
    return [
      ...this.#services.map(({ reflector }) => watchHealth("services", reflector)),
      ...this.#slices.health(),
    ];
  }

  /** The mapping's context changed: map every Service anew. */
  remap(mapping: MappingContext): void {
    this.#mapping = mapping;
    const keys = this.#services.flatMap(({ reflector }) => [...reflector.store.keys()]);
    for (const key of new Set(keys)) {
      this.#map(key as ServiceKey, false);
    }
  }

  candidates(destination: string, target: ServiceKey): readonly Candidate[] {
    return this.#index.sources(destination, target).flatMap(({ source, ...how }) => {
      const service = this.service(source);
      return service === undefined ? [] : [{ service, ...how }];
    });
  }

  targets(destination: string): Iterable<ServiceKey> {
    return this.#index.targets(destination);
  }

  /** The same with the names of those who want it. */
  wanting(destination: string): Iterable<readonly [ServiceKey, readonly Wanting[]]> {
    return this.#index.wanting(destination);
  }

  slices(service: ServiceKey): readonly SourceSlice[] | undefined {
    return this.#slices.of(service);
  }

  *refused(): Generator<readonly [Service, Refused]> {
    for (const key of this.#refused.keys()) yield* this.refusals(key);
  }

  refusals(key: ServiceKey): readonly (readonly [Service, Refused])[] {
    const service = this.service(key);
    if (service === undefined) return [];
    return (this.#refused.get(key) ?? []).map((refusal) => [service, refusal]);
  }

  retain(source: ServiceKey, { route, target }: Refused): void {
    const wasTracked = this.#index.has(source);
    this.#index.replace(source, [...this.#index.of(source), { route, target, retained: true }]);
    if (!wasTracked) this.#slices.track(source);
    this.#map(source, true);
  }

  mappings(service: Service): readonly Mapping[] {
    return mappings(service, this.#mapping);
  }

  distrust(what: "services" | "slices", namespace: string): void {
    if (what === "slices") return this.#slices.distrust(namespace);
    for (const { reflector } of this.#services) reflector.relist();
  }

  /** What a quorum read has found under this name, ahead of the watch; undefined: nothing. */
  observed(key: ServiceKey, object: KubeObject | undefined): void {
    const service = object && this.parse(object);
    for (const { reflector, namespace, selector } of this.#services) {
      const { store } = reflector;
      const known = store.stored(key);
      const isHere = namespace === undefined || splitKey(key).namespace === namespace;
      if (service !== undefined && isHere && matches(selector, service.labels)) {
        store.assume(key, service.uid, service.resourceVersion, service);
      } else if (known !== undefined) {
        store.assumeDeleted(key, known.uid);
      }
    }
    this.#map(key, true);
  }

  /** As it is kept here. */
  parse(object: KubeObject): Service {
    return parseService(object, this.#keepAnnotation);
  }

  #serviceReflector({ namespace, selector }: ScopeOfServices): Reflector<Service> {
    const { api, clock, random, log, observe, listener } = this.options;
    return new Reflector<Service>({
      namespace,
      labelSelector: selector.text,
      api,
      clock,
      random,
      log,
      resource: SERVICES,
      observer: observe("services"),
      keep: (object: KubeObject) => this.parse(object),
      onChange: (change: Change<Service>) =>
        this.#map(change.key as ServiceKey, change.kind !== "missing"),
      onRelisted: (relists) => {
        if (relists > 1) listener.onRelisted();
      },
    });
  }

  /** The Service by that name in whichever watch has it: selectors of several routes may overlap. */
  service(key: ServiceKey): Service | undefined {
    for (const { reflector } of this.#services) {
      const service = reflector.store.get(key);
      if (service !== undefined) return service;
    }
    return undefined;
  }

  /** @param seen the watch itself delivered the change, so what is gone is really gone */
  #map(source: ServiceKey, seen: boolean): void {
    const service = this.service(source);
    const all = service === undefined ? [] : mappings(service, this.#mapping);
    const wasTracked = this.#index.has(source);
    const lost = this.#index.replace(
      source,
      all.flatMap<Pick<Destined, "route" | "target" | "retained">>((one) =>
        one.kind === "target" ? [one] : this.#retained(source, one),
      ),
    );
    const sinceMs = this.options.clock.monotonicMs();
    for (const { destination, target } of lost) {
      const note = { sinceMs, cause: "service" as const, ...(seen ? { unmapped: true } : {}) };
      this.options.listener.onTarget(destination, target, note);
    }
    this.#ring(source, { cause: "service", sinceMs });
    if (!wasTracked && this.#index.has(source)) this.#slices.track(source);
    if (wasTracked && !this.#index.has(source)) this.#slices.untrack(source);
    this.#mapRefusals(
      source,
      all.flatMap((one) => (one.kind === "refused" ? [one] : [])),
    );
    this.options.listener.onService?.(source);
  }

  /**
   * What a Service had by a route that now refuses what it asks for: a slip in an annotation must not take away what works. A
   * target that the route no longer allows is another matter, and so is a mirror that a person made a source.
   */
  #retained(source: ServiceKey, refused: Refused): readonly Destined[] {
    if (refused.reason.code === "is-a-mirror") return [];
    return this.#index
      .of(source)
      .filter(({ route, target }) => route.name === refused.route.name && target !== refused.target)
      .map((one) => ({ ...one, retained: true }));
  }

  #mapRefusals(source: ServiceKey, refusals: readonly Refused[]): void {
    const before = this.#refused.get(source) ?? [];
    if (refusals.length > 0) this.#refused.set(source, refusals);
    else this.#refused.delete(source);
    if (!areEqual(before, refusals)) this.options.listener.onRefusal(source);
  }

  #ring(source: ServiceKey, note: Pick<WorkNote, "cause"> & { sinceMs?: number }): void {
    const { clock, listener } = this.options;
    const full = { cause: note.cause, sinceMs: note.sinceMs ?? clock.monotonicMs() };
    for (const { destination, target } of this.#index.of(source)) {
      listener.onTarget(destination, target, full);
    }
  }
}

/** Refused alike, as far as anybody is told: what else changed about a Service that stays refused changes nothing. */
function areEqual(before: readonly Refused[], after: readonly Refused[]): boolean {
  const isSame = ({ route, target, reason }: Refused, index: number): boolean => {
    const old = before[index];
    return (
      old?.route.name === route.name &&
      old.target === target &&
      old.reason.code === reason.code &&
      old.reason.message === reason.message
    );
  };
  return before.length === after.length && after.every(isSame);
}

interface Watched extends ScopeOfServices {
  readonly reflector: Reflector<Service>;
}

/** "namespace/name" of any object. */
export function keyOf(object: KubeObject): ServiceKey {
  return serviceKey(object.metadata.namespace ?? "", object.metadata.name);
}
