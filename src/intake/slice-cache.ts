/**
 * The slices of ferried Services. One unfiltered watch per source namespace,
 * because hand-written slices carry no labels of their Service but its name; what
 * belongs to nobody that is tracked is not kept.
 */
import { SERVICE_NAME_LABEL } from "../domain/labels.js";
import { parseSourceSlice } from "../domain/parse.js";
import { serviceKey, splitKey, type ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";
import type { KubeObject } from "../ports/kube-api.js";
import { ENDPOINT_SLICES } from "../ports/kube-resources.js";
import { codeOf, Pace } from "../watch/pace.js";
import { Reflector } from "../watch/reflector.js";
import type { CacheParts } from "./cache-parts.js";
import { PassedOver } from "./passed-over.js";
import { watchHealth, type WatchHealth } from "./watch-health.js";

export interface SliceCacheOptions extends CacheParts {
  readonly namespaces: readonly string[] | "all";
  readonly isTracked: (service: ServiceKey) => boolean;
  /** The slices of this Service are different, or known at last. */
  readonly onService: (service: ServiceKey) => void;
}

/** Names in one LIST: a selector of this many names of 63 characters stays below 8 kB of URL, which any proxy takes. */
const MAX_NAMES_PER_LIST = 100;

export class SliceCache {
  readonly #reflectors = new Map<string, Reflector<SourceSlice>>();
  /** Tracked since the last list, slices not yet known, by namespace: one that is forbidden holds up no other. */
  readonly #unknown = new Map<string, Set<ServiceKey>>();
  readonly #merging = new Set<string>();
  readonly #passedOver = new PassedOver();
  #signal: AbortSignal | undefined;

  constructor(private readonly options: SliceCacheOptions) {
    const namespaces = options.namespaces === "all" ? [""] : options.namespaces;
    for (const namespace of namespaces) this.#reflectors.set(namespace, this.#reflector(namespace));
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.start(signal)));
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.synced));
  }

  health(): readonly WatchHealth[] {
    return [...this.#reflectors.values()].map((reflector) =>
      watchHealth("endpointslices", reflector),
    );
  }

  /** undefined: not known yet; `onService` follows. */
  of(service: ServiceKey): readonly SourceSlice[] | undefined {
    const reflector = this.#reflectorOf(service);
    if (reflector?.isSynced !== true || this.#unknownOf(service).has(service)) return undefined;
    return reflector.store.byIndex("service", service);
  }

  distrust(namespace: string): void {
    (this.#reflectors.get(namespace) ?? this.#reflectors.get(""))?.relist();
  }

  /** A name became tracked: what the watch may have passed over is listed once, together with others that wait. */
  track(service: ServiceKey): void {
    const reflector = this.#reflectorOf(service);
    if (this.#signal === undefined || reflector === undefined) return; // the first list finds it
    if (reflector.isSynced && !this.#passedOver.mayHave(service)) return; // what it gets, the watch will bring
    const waiting = this.#unknownOf(service);
    waiting.add(service);
    const { namespace } = splitKey(service);
    if (this.#merging.has(namespace)) return;
    this.#merging.add(namespace);
    void this.#mergeAll(namespace, reflector, waiting, this.#signal);
  }

  untrack(service: ServiceKey): void {
    this.#unknownOf(service).delete(service);
    const store = this.#reflectorOf(service)?.store;
    for (const key of store?.keysBy("service", service) ?? []) store?.drop(key);
    this.#passedOver.add(service);
  }

  #reflector(namespace: string): Reflector<SourceSlice> {
    const { api, clock, random, log, digest, observe, isTracked, onService } = this.options;
    const reflector = new Reflector<SourceSlice>({
      api,
      clock,
      random,
      log,
      namespace: namespace === "" ? undefined : namespace,
      labelSelector: SERVICE_NAME_LABEL,
      resource: ENDPOINT_SLICES,
      observer: observe("endpointslices"),
      keep: (object) => {
        const service = serviceOf(object);
        if (isTracked(service)) return parseSourceSlice(object, digest);
        this.#passedOver.add(service);
        return undefined;
      },
      onChange: (change) => {
        const services = new Set(
          ["value" in change ? change.value : undefined, change.previous].flatMap((slice) =>
            slice === undefined ? [] : [ownerOf(slice)],
          ),
        );
        for (const service of services) onService(service);
      },
    });
    reflector.store.index("service", (slice) => [ownerOf(slice)]);
    return reflector;
  }

  /** The catch is this loop's own: a list that fails is made again, nothing else can bring these slices. */
  async #mergeAll(
    namespace: string,
    reflector: Reflector<SourceSlice>,
    waiting: Set<ServiceKey>,
    signal: AbortSignal,
  ): Promise<void> {
    // The names of one tick go together.
    await Promise.resolve();
    const { random, log, clock, onService } = this.options;
    const pace = new Pace(random);
    let told: string | undefined;
    while (waiting.size > 0 && !signal.aborted) {
      const batch = [...waiting].slice(0, MAX_NAMES_PER_LIST);
      try {
        await reflector.merge({ namespace, labelSelector: ofServices(batch) }, signal);
      } catch (error) {
        if (signal.aborted) break;
        const code = codeOf(error);
        if (code !== told) {
          log.warn(
            { namespace, code, err: error },
            "endpoint slices of new services not listed, trying again",
          );
        }
        told = code;
        await clock.sleep(pace.listFailed(error), signal);
        continue;
      }
      pace.listed();
      for (const service of batch) {
        if (waiting.delete(service)) onService(service);
      }
    }
    this.#merging.delete(namespace);
  }

  #reflectorOf(service: ServiceKey): Reflector<SourceSlice> | undefined {
    return this.#reflectors.get(this.#scopeOf(service));
  }

  #scopeOf(service: ServiceKey): string {
    return this.options.namespaces === "all" ? "" : splitKey(service).namespace;
  }

  #unknownOf(service: ServiceKey): Set<ServiceKey> {
    const { namespace } = splitKey(service);
    const waiting = this.#unknown.get(namespace) ?? new Set<ServiceKey>();
    this.#unknown.set(namespace, waiting);
    return waiting;
  }
}

/** Selects the slices of Services of one namespace. */
function ofServices(services: readonly ServiceKey[]): string {
  const names = services.map((service) => splitKey(service).name);
  return `${SERVICE_NAME_LABEL} in (${names.join(",")})`;
}

function serviceOf(object: KubeObject): ServiceKey {
  const { namespace = "", labels } = object.metadata;
  return serviceKey(namespace, labels?.[SERVICE_NAME_LABEL] ?? "");
}

function ownerOf(slice: SourceSlice): ServiceKey {
  return serviceKey(slice.namespace, slice.serviceName);
}
