/** What is watched in one namespace of a destination, or in all of them, and what is kept of it. */
import type { MirrorEndpoints } from "../domain/endpoints.js";
import {
  LINK_LABEL,
  SERVICE_NAME_LABEL,
  SLICE_MANAGED_BY_LABEL,
  SLICE_MIRRORING_CONTROLLER,
} from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { foreignService, linkOf, type ForeignService } from "../domain/ownership.js";
import {
  parseEndpoints,
  parseForeignSlice,
  parseMirrorSlice,
  parseService,
} from "../domain/parse.js";
import type { Mark } from "../domain/route.js";
import { serviceKey, type ServiceKey } from "../domain/service-key.js";
import type { ForeignSlice, MirrorSlice } from "../domain/slice.js";
import type { WriteResource } from "../domain/writes.js";
import type { KubeObject, Resource } from "../ports/kube-api.js";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../ports/kube-resources.js";
import { Reflector } from "../watch/reflector.js";
import type { Store } from "../watch/store.js";
import type { CacheParts } from "./cache-parts.js";
import { keyOf } from "./source-cache.js";

export interface DestinationWatchesOptions extends CacheParts {
  readonly link: string;
  readonly marks: readonly Mark[];
  readonly onTarget: (target: ServiceKey) => void;
  readonly onRelisted: () => void;
}

/** A Service of the destination. */
export type Seen =
  | { readonly kind: "ours"; readonly service: Service }
  | { readonly kind: "foreign"; readonly foreign: ForeignService };

/** What is watched, and of which objects. */
interface Scope {
  readonly namespace: string | undefined;
  readonly labelSelector?: string;
  readonly metadataOnly?: boolean;
}

const BY_SERVICE = "service";
const OURS = "ours";

export class DestinationWatches {
  readonly services: Reflector<Seen>;
  readonly slices: Reflector<MirrorSlice>;
  readonly foreignSlices: Reflector<ForeignSlice>;
  readonly endpoints: Reflector<MirrorEndpoints>;

  /**
   * @param namespace "": all
   * @param onService is told every Service before it is kept
   */
  constructor(
    namespace: string,
    private readonly options: DestinationWatchesOptions,
    private readonly onService: (service: Service) => void,
  ) {
    const ours = `${LINK_LABEL}=${options.link}`;
    // The mirroring controller gives its slices the labels of the Endpoints that it copies, our link among them.
    const ourSlices = `${ours},${SLICE_MANAGED_BY_LABEL}!=${SLICE_MIRRORING_CONTROLLER}`;
    const others = `${SERVICE_NAME_LABEL},${LINK_LABEL}!=${options.link}`;
    const scope = { namespace: namespace === "" ? undefined : namespace };
    this.services = this.#reflect(SERVICES, scope, (object) => this.#seen(object), keySame);
    this.slices = this.#reflect(
      ENDPOINT_SLICES,
      { ...scope, labelSelector: ourSlices },
      (object) => parseMirrorSlice(object, options.digest),
      (_, slice) => sliceOwner(slice),
    );
    this.foreignSlices = this.#reflect(
      ENDPOINT_SLICES,
      { ...scope, labelSelector: others, metadataOnly: true },
      parseForeignSlice,
      (_, slice) => serviceKey(slice.namespace, slice.serviceName),
    );
    this.endpoints = this.#reflect(
      ENDPOINTS,
      { ...scope, labelSelector: ours },
      (object) => parseEndpoints(object, options.digest),
      keySame,
    );
    this.services.store.index(OURS, (seen) =>
      seen.kind === "ours" && !seen.service.deleting ? [""] : [],
    );
    this.slices.store.index(BY_SERVICE, (slice) => [
      ...new Set([sliceOwner(slice), slice.ownerKey ?? sliceOwner(slice)]),
    ]);
    this.foreignSlices.store.index(BY_SERVICE, (slice) => [
      serviceKey(slice.namespace, slice.serviceName),
    ]);
  }

  /** The same for every watch, whatever it keeps. */
  each<R>(visit: <T>(reflector: Reflector<T>, resource: WriteResource) => R): readonly R[] {
    return [
      visit(this.services, "services"),
      visit(this.slices, "endpointslices"),
      visit(this.foreignSlices, "endpointslices"),
      visit(this.endpoints, "endpoints"),
    ];
  }

  mirrors(): readonly ServiceKey[] {
    return this.services.store.keysBy(OURS, "") as readonly ServiceKey[];
  }

  /** Names under which slices or Endpoints of ours stand, whether or not there is a mirror. */
  *filled(): Generator<ServiceKey> {
    for (const slice of this.slices.store.values()) yield sliceOwner(slice);
    for (const key of this.endpoints.store.keys()) yield key as ServiceKey;
  }

  slicesOf(target: ServiceKey): readonly MirrorSlice[] {
    return this.slices.store.byIndex(BY_SERVICE, target);
  }

  foreignSlicesOf(target: ServiceKey): readonly ForeignSlice[] {
    return this.foreignSlices.store.byIndex(BY_SERVICE, target);
  }

  /** What a server answered to our own write or read is known at once; the watch repeats it later. */
  wrote(resource: WriteResource, object: KubeObject): void {
    switch (resource) {
      case "services":
        return assume(this.services, object, (one) => this.#seen(one));
      case "endpoints":
        return assume(this.endpoints, object, (one) => parseEndpoints(one, this.options.digest));
      case "endpointslices":
        return assume(this.slices, object, (one) => parseMirrorSlice(one, this.options.digest));
    }
  }

  has(resource: WriteResource, key: ServiceKey): boolean {
    return this.#of(resource).store.has(key);
  }

  deleted(resource: WriteResource, key: ServiceKey, uid: string): void {
    if (resource === "endpointslices") this.foreignSlices.store.assumeDeleted(key, uid);
    this.#of(resource).store.assumeDeleted(key, uid);
  }

  forget(resource: WriteResource, key: ServiceKey): void {
    this.#of(resource).store.drop(key);
  }

  relist(resource: WriteResource): void {
    this.#of(resource).relist();
  }

  /** Where our own objects of this kind are. */
  #of(resource: WriteResource): { readonly store: OwnStore; relist(): void } {
    return this[resource === "endpointslices" ? "slices" : resource];
  }

  #reflect<T>(
    resource: Resource,
    scope: Scope,
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
    this.onService(service);
    if (linkOf(service) === this.options.link) return { kind: "ours", service };
    const owned = (object.metadata.ownerReferences ?? []).length > 0;
    return { kind: "foreign", foreign: foreignService(service, owned, this.options.marks) };
  }
}

type OwnStore = Store<Seen> | Store<MirrorSlice> | Store<MirrorEndpoints>;

function assume<T>(
  { store }: Reflector<T>,
  object: KubeObject,
  keep: (one: KubeObject) => T,
): void {
  const key = keyOf(object);
  const { uid = "", resourceVersion = "" } = object.metadata;
  if (!store.isPast(key, resourceVersion)) store.assume(key, uid, resourceVersion, keep(object));
}

function keySame(key: ServiceKey): ServiceKey {
  return key;
}

/** The name whose endpoints a slice holds. */
function sliceOwner(slice: MirrorSlice): ServiceKey {
  return serviceKey(slice.namespace, slice.labels[SERVICE_NAME_LABEL] ?? "");
}
