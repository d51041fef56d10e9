/** What one link has in a destination, read for those who take it away. */
import type { MirrorEndpoints } from "./domain/endpoints.js";
import {
  LINK_LABEL,
  SERVICE_NAME_LABEL,
  SLICE_MANAGED_BY_LABEL,
  SLICE_MIRRORING_CONTROLLER,
} from "./domain/labels.js";
import { ownerOf, type LeavingMirror, type LeavingSlice } from "./domain/leave.js";
import type { Service } from "./domain/objects.js";
import { linkOf } from "./domain/ownership.js";
import { parseEndpoints, parseService, parseSourceSlice } from "./domain/parse.js";
import { serviceKey, type NamespacedName, type ServiceKey } from "./domain/service-key.js";
import { parseContent } from "./domain/slice.js";
import { LEASES } from "./leader/lease-record.js";
import type { Digest } from "./ports/digest.js";
import { TerminalError } from "./ports/errors.js";
import type { KubeApi, KubeObject, ListOptions, Resource } from "./ports/kube-api.js";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "./ports/kube-resources.js";
import { listPages } from "./watch/list-pages.js";

export interface Leaving {
  readonly mirrors: readonly LeavingMirror[];
  /** Ours, under names that are not. */
  readonly leftovers: {
    readonly slices: readonly LeavingSlice[];
    readonly endpoints: readonly MirrorEndpoints[];
  };
}

/** client-go tools/pager/pager.go. */
const PAGE_SIZE = 500;

export class MirrorsOfLink {
  /** @param namespaces empty: all */
  constructor(
    private readonly api: KubeApi,
    private readonly digest: Digest,
    private readonly namespaces: readonly string[],
  ) {}

  /** Every link that has a Service here. */
  async links(signal: AbortSignal): Promise<readonly string[]> {
    const all = await this.#list(
      SERVICES,
      { labelSelector: LINK_LABEL, metadataOnly: true },
      signal,
    );
    return [...new Set(all.flatMap(({ metadata }) => metadata.labels?.[LINK_LABEL] ?? []))].sort();
  }

  async of(link: string, signal: AbortSignal): Promise<Leaving> {
    const options = { labelSelector: `${LINK_LABEL}=${link}` };
    const services = (await this.#list(SERVICES, options, signal)).map(serviceOf);
    const slices = (await this.#list(ENDPOINT_SLICES, options, signal))
      .filter(isOurs)
      .map((object) => this.#slice(object));
    const endpoints = (await this.#list(ENDPOINTS, options, signal)).map((object) =>
      parseEndpoints(object, this.digest),
    );
    const slicesOf = grouped(slices, (slice) => serviceKey(slice.namespace, ownerOf(slice)));
    const endpointsOf = new Map(endpoints.map((one) => [keyOf(one), one]));
    const mirrors = services.map((service) => {
      const key = keyOf(service);
      const found = { slices: slicesOf.get(key) ?? [], endpoints: endpointsOf.get(key) };
      return { service, ...found, others: undefined };
    });
    const names = new Set(services.map(keyOf));
    return {
      mirrors,
      leftovers: {
        slices: slices.filter((slice) => !names.has(serviceKey(slice.namespace, ownerOf(slice)))),
        endpoints: endpoints.filter((one) => !names.has(keyOf(one))),
      },
    };
  }

  /** One mirror as it is now; undefined: it is gone, or no longer ours. */
  async mirror(
    link: string,
    { namespace, name }: NamespacedName,
    signal: AbortSignal,
  ): Promise<LeavingMirror | undefined> {
    const ref = { namespace, name };
    const object = await this.api.get(SERVICES, ref, signal);
    const service = object && serviceOf(object);
    if (service === undefined || linkOf(service) !== link) return undefined;
    const labelSelector = `${SERVICE_NAME_LABEL}=${name},${LINK_LABEL}=${link}`;
    const { items } = await this.api.list(ENDPOINT_SLICES, { namespace, labelSelector }, signal);
    const slices = items.filter(isOurs).map((one) => this.#slice(one));
    const found = await this.api.get(ENDPOINTS, ref, signal);
    const endpoints = found && parseEndpoints(found, this.digest);
    return endpoints?.labels[LINK_LABEL] === link
      ? { service, slices, endpoints, others: undefined }
      : { service, slices, endpoints: undefined, others: endpoints };
  }

  /** Addresses in slices that the cluster's own controller made of the Endpoints of this name. */
  async mirroredAddresses(
    { namespace, name }: NamespacedName,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const labelSelector = `${SERVICE_NAME_LABEL}=${name},${SLICE_MANAGED_BY_LABEL}=${SLICE_MIRRORING_CONTROLLER}`;
    const { items } = await this.api.list(ENDPOINT_SLICES, { namespace, labelSelector }, signal);
    const contents = items.map((object) => parseContent(this.#slice(object).content));
    return new Set(contents.flatMap(({ endpoints }) => endpoints.flatMap((one) => one.addresses)));
  }

  /** The link's Lease; undefined: there is none where was looked. It may lie in `default`, where no mirror is. */
  async lease(link: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    if (this.namespaces.length === 0) {
      const options = { fieldSelector: `metadata.name=${link}` };
      const all = await this.#list(LEASES, options, signal);
      return all.find(({ metadata }) => metadata.name === link);
    }
    for (const namespace of [...this.namespaces, "default"]) {
      const lease = await this.api.get(LEASES, { namespace, name: link }, signal);
      if (lease !== undefined) return lease;
    }
    return undefined;
  }

  /** @throws TerminalError FERRY-K011 when the list changed faster than its pages could be read */
  async #list(
    resource: Resource,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[]> {
    const found: KubeObject[] = [];
    const places = this.namespaces.length === 0 ? [undefined] : this.namespaces;
    for (const namespace of places) {
      const paged = { ...options, namespace, limit: PAGE_SIZE };
      const each = (object: KubeObject): void => void found.push(object);
      const version = await listPages({ api: this.api, resource, options: paged, each }, signal);
      if (version === undefined) {
        throw new TerminalError(
          "FERRY-K011",
          `the list of ${resource.plural} took too long; try again`,
        );
      }
    }
    return found;
  }

  #slice(object: KubeObject): LeavingSlice {
    const { resourceVersion = "", labels = {}, annotations = {} } = object.metadata;
    return { ...parseSourceSlice(object, this.digest), resourceVersion, labels, annotations };
  }
}

function serviceOf(object: KubeObject): Service {
  return parseService(object, () => true);
}

/** The mirroring controller gives its slices the labels of the Endpoints, our link among them. */
function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.[SLICE_MANAGED_BY_LABEL] !== SLICE_MIRRORING_CONTROLLER;
}

function keyOf({ namespace, name }: NamespacedName): ServiceKey {
  return serviceKey(namespace, name);
}

function grouped<T>(
  items: readonly T[],
  key: (item: T) => ServiceKey,
): ReadonlyMap<ServiceKey, readonly T[]> {
  const groups = new Map<ServiceKey, T[]>();
  for (const item of items) {
    const group = groups.get(key(item)) ?? [];
    groups.set(key(item), [...group, item]);
  }
  return groups;
}
