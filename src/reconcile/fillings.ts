import type { MirrorEndpoints } from "../domain/endpoints.js";
import { serviceKey, type ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";

interface Filling {
  readonly resourceVersion: string;
  readonly slices: ReadonlySet<ServiceKey>;
}

/**
 * Which source slices filled Endpoints. Mirror slices name theirs; Endpoints without slices beside them do not, and a list
 * that lost one of several slices would take its addresses away unnoticed.
 */
export class Fillings {
  readonly #byTarget = new Map<ServiceKey, Filling>();

  /** undefined: another process wrote these Endpoints, or a person. */
  of(endpoints: MirrorEndpoints): ReadonlySet<ServiceKey> | undefined {
    const filling = this.#byTarget.get(serviceKey(endpoints.namespace, endpoints.name));
    return filling?.resourceVersion === endpoints.resourceVersion ? filling.slices : undefined;
  }

  /** The Endpoints, as they are now, hold what these slices say. */
  remember(
    { namespace, name, resourceVersion }: MirrorEndpoints,
    slices: readonly SourceSlice[],
  ): void {
    const filling = { resourceVersion, slices: sliceKeys(slices) };
    this.#byTarget.set(serviceKey(namespace, name), filling);
  }

  forget(target: ServiceKey): void {
    this.#byTarget.delete(target);
  }
}

/** "namespace/name" of each. */
export function sliceKeys(slices: readonly SourceSlice[]): ReadonlySet<ServiceKey> {
  return new Set(slices.map(({ namespace, name }) => serviceKey(namespace, name)));
}
