/**
 * One destination as the rules see it: every Service of the mapped namespaces
 * (foreign names must be seen to come and go), and our own slices and Endpoints.
 * What changes there becomes a key: that is how drift heals.
 */
import type { MirrorEndpoints } from "../domain/endpoints.js";
import {
  LINK_LABEL,
  SERVICE_NAME_LABEL,
  SLICE_MANAGED_BY_LABEL,
  SLICE_MIRRORING_CONTROLLER,
} from "../domain/labels.js";
import type { IpFamily, Service } from "../domain/objects.js";
import { foreignService, linkOf, type ForeignService } from "../domain/ownership.js";
import {
  parseEndpoints,
  parseForeignSlice,
  parseMirrorSlice,
  parseService,
} from "../domain/parse.js";
import type { Mark } from "../domain/route.js";
import { serviceKey, type ServiceKey } from "../domain/service-key.js";
import type { Digest, ForeignSlice, MirrorSlice } from "../domain/slice.js";
import type { WriteResource } from "../domain/writes.js";
import type { Clock } from "../ports/clock.js";
import type { DestinationView, ExistingService } from "../ports/destination-view.js";
import type { KubeApi, KubeObject, Resource } from "../ports/kube-api.js";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../ports/kube-resources.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import { Reflector } from "../watch/reflector.js";
import type { WatchObserver } from "../watch/reflector-options.js";
import type { Store } from "../watch/store.js";
import { keyOf } from "./source-cache.js";
import { watchHealth, type WatchHealth } from "./watch-health.js";

export interface DestinationCacheOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly digest: Digest;
  readonly observe: (resource: string) => WatchObserver;
  readonly link: string;
  readonly marks: readonly Mark[];
  /** Namespaces that any route may write to; "all" when a template depends on the source. */
  readonly namespaces: readonly string[] | "all";
  /** The primary family, from default/kubernetes. */
  readonly primaryFamilies: readonly IpFamily[];
  readonly onTarget: (target: ServiceKey) => void;
  readonly onRelisted: () => void;
}

type Seen =
  | { readonly kind: "ours"; readonly service: Service }
  | { readonly kind: "foreign"; readonly foreign: ForeignService };

/** The four watches of one namespace. */
interface Watches {
  readonly services: Reflector<Seen>;
  readonly slices: Reflector<MirrorSlice>;
  readonly foreignSlices: Reflector<ForeignSlice>;
  readonly endpoints: Reflector<MirrorEndpoints>;
}

const BY_SERVICE = "service";

export class DestinationCache implements DestinationView {
  readonly #watches = new Map<string, Watches>();
  readonly #families: Set<IpFamily>;

  constructor(private readonly options: DestinationCacheOptions) {
    this.#families = new Set(options.primaryFamilies);
    const namespaces = options.namespaces === "all" ? [""] : options.namespaces;
    for (const namespace of namespaces) this.#watches.set(namespace, this.#open(namespace));
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#each((reflector) => reflector.start(signal)));
  }

  async synced(): Promise<void> {
    await Promise.all(this.#each((reflector) => reflector.synced));
  }

  health(): readonly WatchHealth[] {
    return [...this.#watches.values()].flatMap(({ services, slices, foreignSlices, endpoints }) => [
      watchHealth("services", services),
      watchHealth("endpointslices", slices),
      watchHealth("endpointslices", foreignSlices),
      watchHealth("endpoints", endpoints),
    ]);
  }

  get families(): readonly IpFamily[] {
    return [...this.#families];
  }

  existing(target: ServiceKey): ExistingService {
    return this.#of(target)?.services.store.get(target) ?? { kind: "absent" };
  }

  *mirrors(): Generator<ServiceKey> {
    for (const { services } of this.#watches.values()) {
      for (const key of services.store.keysBy("ours", "")) yield key as ServiceKey;
    }
  }

  get mirrorCount(): number {
    return [...this.#watches.values()].reduce(
      (sum, { services }) => sum + services.store.keysBy("ours", "").length,
      0,
    );
  }

  *leftovers(): Generator<ServiceKey> {
    for (const { slices, endpoints } of this.#watches.values()) {
      for (const slice of slices.store.values()) yield sliceOwner(slice);
      for (const key of endpoints.store.keys()) yield key as ServiceKey;
    }
  }

  slices(target: ServiceKey): readonly MirrorSlice[] {
    return this.#of(target)?.slices.store.byIndex(BY_SERVICE, target) ?? [];
  }

  foreignSlices(target: ServiceKey): readonly ForeignSlice[] {
    return this.#of(target)?.foreignSlices.store.byIndex(BY_SERVICE, target) ?? [];
  }

  endpoints(target: ServiceKey): MirrorEndpoints | undefined {
    return this.#of(target)?.endpoints.store.get(target);
  }

  wrote(resource: WriteResource, object: KubeObject): void {
    const key = keyOf(object);
    const watches = this.#of(key);
    if (watches === undefined) return;
    this.#assume(watches, resource, object);
    // The watch delivered that version and a list since then lacks it: one of the two lied.
    if (!this.#store(watches, resource).has(key)) {
      this.distrust(resource, object.metadata.namespace ?? "");
    }
  }

  deleted(resource: WriteResource, key: ServiceKey, uid: string): void {
    const watches = this.#of(key);
    if (watches === undefined) return;
    if (resource === "endpointslices") watches.foreignSlices.store.assumeDeleted(key, uid);
    this.#store(watches, resource).assumeDeleted(key, uid);
  }

  distrust(resource: WriteResource, namespace: string): void {
    const watches = this.#watches.get(namespace) ?? this.#watches.get("");
    if (watches === undefined) return;
    watches[resource === "endpointslices" ? "slices" : resource].relist();
  }

  #assume(watches: Watches, resource: WriteResource, object: KubeObject): void {
    const key = keyOf(object);
    const { uid = "", resourceVersion = "" } = object.metadata;
    if (this.#store(watches, resource).isPast(key, resourceVersion)) return;
    switch (resource) {
      case "services":
        return watches.services.store.assume(key, uid, resourceVersion, this.#seen(object));
      case "endpoints":
        return watches.endpoints.store.assume(
          key,
          uid,
          resourceVersion,
          this.#parseEndpoints(object),
        );
      case "endpointslices":
        return watches.slices.store.assume(key, uid, resourceVersion, this.#parseSlice(object));
    }
  }

  #store(
    watches: Watches,
    resource: WriteResource,
  ): Store<Seen> | Store<MirrorSlice> | Store<MirrorEndpoints> {
    switch (resource) {
      case "services":
        return watches.services.store;
      case "endpoints":
        return watches.endpoints.store;
      case "endpointslices":
        return watches.slices.store;
    }
  }

  #open(namespace: string): Watches {
    const ours = `${LINK_LABEL}=${this.options.link}`;
    // The mirroring controller gives its slices the labels of the Endpoints that it copies, our link among them.
    const ourSlices = `${ours},${SLICE_MANAGED_BY_LABEL}!=${SLICE_MIRRORING_CONTROLLER}`;
    const others = `${SERVICE_NAME_LABEL},${LINK_LABEL}!=${this.options.link}`;
    const scope = { namespace: namespace === "" ? undefined : namespace };
    const watches: Watches = {
      services: this.#reflect(SERVICES, scope, (object) => this.#seen(object), keySame),
      slices: this.#reflect(
        ENDPOINT_SLICES,
        { ...scope, labelSelector: ourSlices },
        (object) => this.#parseSlice(object),
        (_, slice) => sliceOwner(slice),
      ),
      foreignSlices: this.#reflect(
        ENDPOINT_SLICES,
        { ...scope, labelSelector: others, metadataOnly: true },
        parseForeignSlice,
        (_, slice) => serviceKey(slice.namespace, slice.serviceName),
      ),
      endpoints: this.#reflect(
        ENDPOINTS,
        { ...scope, labelSelector: ours },
        (object) => this.#parseEndpoints(object),
        keySame,
      ),
    };
    watches.services.store.index("ours", (seen) => (seen.kind === "ours" ? [""] : []));
    watches.slices.store.index(BY_SERVICE, (slice) => [
      ...new Set([sliceOwner(slice), slice.ownerKey ?? sliceOwner(slice)]),
    ]);
    watches.foreignSlices.store.index(BY_SERVICE, (slice) => [
      serviceKey(slice.namespace, slice.serviceName),
    ]);
    return watches;
  }

  #reflect<T>(
    resource: Resource,
    scope: { namespace: string | undefined; labelSelector?: string; metadataOnly?: boolean },
    keep: (object: KubeObject) => T,
    target: (key: ServiceKey, value: T) => ServiceKey,
  ): Reflector<T> {
    const { api, clock, random, log, observe, onTarget, onRelisted } = this.options;
    return new Reflector<T>({
      ...scope,
      api,
      clock,
      random,
      log,
      resource,
      keep,
      observer: observe(resource.plural),
      onChange: (change) => {
        const key = change.key as ServiceKey;
        if ("value" in change) onTarget(target(key, change.value));
        if (change.previous !== undefined) onTarget(target(key, change.previous));
      },
      onRelisted: (relists) => {
        if (relists > 1) onRelisted();
      },
    });
  }

  /** Ours by the link; of a foreign Service only what conflicts need is kept. */
  #seen(object: KubeObject): Seen {
    const service = parseService(object, () => true);
    this.#learnFamilies(service);
    if (linkOf(service) === this.options.link) return { kind: "ours", service };
    const owned = (object.metadata.ownerReferences ?? []).length > 0;
    return { kind: "foreign", foreign: foreignService(service, owned, this.options.marks) };
  }

  /** NB: a headless Service without selector has both families in every cluster, also in one that has a single one. */
  #learnFamilies({ spec }: Service): void {
    if (spec.clusterIP === "None") return;
    for (const family of spec.ipFamilies ?? []) this.#families.add(family);
  }

  #parseSlice(object: KubeObject): MirrorSlice {
    return parseMirrorSlice(object, this.options.digest);
  }

  #parseEndpoints(object: KubeObject): MirrorEndpoints {
    return parseEndpoints(object, this.options.digest);
  }

  #of(target: ServiceKey): Watches | undefined {
    return this.#watches.get(target.slice(0, target.indexOf("/"))) ?? this.#watches.get("");
  }

  /** The same for every watch, whatever it keeps. */
  #each<R>(visit: <T>(reflector: Reflector<T>) => R): readonly R[] {
    return [...this.#watches.values()].flatMap(({ services, slices, foreignSlices, endpoints }) => [
      visit(services),
      visit(slices),
      visit(foreignSlices),
      visit(endpoints),
    ]);
  }
}

function keySame(key: ServiceKey): ServiceKey {
  return key;
}

/** The name whose endpoints a slice holds. */
function sliceOwner(slice: MirrorSlice): ServiceKey {
  return serviceKey(slice.namespace, slice.labels[SERVICE_NAME_LABEL] ?? "");
}
