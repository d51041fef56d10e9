/**
 * One destination as the rules see it: every Service of the mapped namespaces
 * (foreign names must be seen to come and go), and our own slices and Endpoints.
 * What changes there becomes a key: that is how drift heals.
 */
import type { MirrorEndpoints } from "../domain/endpoints.js";
import type { IpFamily, Service } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { ForeignSlice, MirrorSlice } from "../domain/slice.js";
import type { WriteResource } from "../domain/writes.js";
import type { DestinationView, ExistingService } from "../ports/destination-view.js";
import type { KubeObject } from "../ports/kube-api.js";
import type { Reflector } from "../watch/reflector.js";
import { DestinationWatches, type DestinationWatchesOptions } from "./destination-watches.js";
import { keyOf } from "./source-cache.js";
import { watchHealth, type WatchHealth } from "./watch-health.js";

export interface DestinationCacheOptions extends DestinationWatchesOptions {
  /** Namespaces that any route may write to; "all" when a template depends on the source. */
  readonly namespaces: readonly string[] | "all";
  /** Where mirrors lie that no route leads to: watched as well, so that they are removed, but nothing waits for that. */
  readonly strays: readonly string[];
  /** The primary family, from default/kubernetes. */
  readonly primaryFamilies: readonly IpFamily[];
}

export class DestinationCache implements DestinationView {
  readonly #watches = new Map<string, DestinationWatches>();
  /** Without those of stray namespaces. */
  readonly #mapped: readonly DestinationWatches[];
  readonly #families: Set<IpFamily>;

  constructor(options: DestinationCacheOptions) {
    this.#families = new Set(options.primaryFamilies);
    const learn = (service: Service): void => this.#learnFamilies(service);
    const watch = (namespace: string): void =>
      void this.#watches.set(namespace, new DestinationWatches(namespace, options, learn));
    (options.namespaces === "all" ? [""] : options.namespaces).forEach(watch);
    this.#mapped = [...this.#watches.values()];
    options.strays.forEach(watch);
  }

  async start(signal: AbortSignal): Promise<void> {
    const all = [...this.#watches.values()];
    await Promise.all(all.flatMap((one) => one.each((reflector) => reflector.start(signal))));
  }

  async synced(): Promise<void> {
    await Promise.all(this.#each((reflector) => reflector.synced));
  }

  health(): readonly WatchHealth[] {
    return this.#each((reflector, resource) => watchHealth(resource, reflector));
  }

  get families(): readonly IpFamily[] {
    return [...this.#families];
  }

  existing(target: ServiceKey): ExistingService {
    return this.#of(target)?.services.store.get(target) ?? { kind: "absent" };
  }

  *mirrors(): Generator<ServiceKey> {
    for (const watches of this.#watches.values()) yield* watches.mirrors();
  }

  get mirrorCount(): number {
    return [...this.#watches.values()].reduce((sum, watches) => sum + watches.mirrors().length, 0);
  }

  *leftovers(): Generator<ServiceKey> {
    for (const watches of this.#watches.values()) yield* watches.filled();
  }

  slices(target: ServiceKey): readonly MirrorSlice[] {
    return this.#of(target)?.slicesOf(target) ?? [];
  }

  foreignSlices(target: ServiceKey): readonly ForeignSlice[] {
    return this.#of(target)?.foreignSlicesOf(target) ?? [];
  }

  endpoints(target: ServiceKey): MirrorEndpoints | undefined {
    return this.#of(target)?.endpoints.store.get(target);
  }

  wrote(resource: WriteResource, object: KubeObject): void {
    const key = keyOf(object);
    const watches = this.#of(key);
    if (watches === undefined) return;
    watches.wrote(resource, object);
    // The watch delivered that version and a list since then lacks it: one of the two lied.
    if (!watches.has(resource, key)) watches.relist(resource);
  }

  deleted(resource: WriteResource, key: ServiceKey, uid: string): void {
    this.#of(key)?.deleted(resource, key, uid);
  }

  forget(resource: WriteResource, key: ServiceKey): void {
    this.#of(key)?.forget(resource, key);
  }

  distrust(resource: WriteResource, namespace: string): void {
    this.#in(namespace)?.relist(resource);
  }

  /** NB: a headless Service without selector has both families in every cluster, also in one that has a single one. */
  #learnFamilies({ spec }: Service): void {
    if (spec.clusterIP === "None") return;
    for (const family of spec.ipFamilies ?? []) this.#families.add(family);
  }

  #of(target: ServiceKey): DestinationWatches | undefined {
    return this.#in(target.slice(0, target.indexOf("/")));
  }

  #in(namespace: string): DestinationWatches | undefined {
    return this.#watches.get(namespace) ?? this.#watches.get("");
  }

  #each<R>(visit: <T>(reflector: Reflector<T>, resource: WriteResource) => R): readonly R[] {
    return this.#mapped.flatMap((watches) => watches.each(visit));
  }
}
