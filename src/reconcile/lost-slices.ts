/**
 * Which source slices a plan takes addresses of away, and the proof that they are really gone: Endpoints would be emptied by a
 * lying list like slices.
 */
import type { EndpointsPlan } from "../domain/plan-endpoints.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";
import type { DestinationView } from "../ports/destination-view.js";
import type { SourceView } from "../ports/source-view.js";
import { Fillings, sliceKeys } from "./fillings.js";
import { slicesLost, type SourceProof } from "./proof.js";

export interface LostSlicesParts {
  readonly source: SourceView;
  readonly view: DestinationView;
  readonly proof: SourceProof;
}

/** What one pass takes away. */
export interface Loss {
  /** Whose slices they are. */
  readonly service: ServiceKey;
  /** Slices that the source has, as far as the cache knows. */
  readonly known: ReadonlySet<ServiceKey>;
  /** Those whose addresses go; undefined: nothing tells which ones filled the Endpoints. */
  readonly lost: readonly ServiceKey[] | undefined;
}

export class LostSlices {
  /** Kept only where there are no mirror slices. */
  readonly #fillings = new Fillings();

  constructor(
    private readonly mode: "slices" | "endpoints" | "both",
    private readonly parts: LostSlicesParts,
  ) {}

  /** What this plan would take away from a mirror. */
  of(
    plan: EndpointsPlan,
    target: ServiceKey,
    { service, slices }: { readonly service: ServiceKey; readonly slices: readonly SourceSlice[] },
  ): Loss {
    const known = sliceKeys(slices);
    return { service, known, lost: this.#lost(plan, target, known) };
  }

  /** @throws RetryableError FERRY-R002 when the source still has a slice that the cache merely lost: it is listed again */
  async prove({ service, known, lost }: Loss, signal: AbortSignal): Promise<void> {
    const { proof, source } = this.parts;
    const gone = await Promise.all(
      lost === undefined
        ? [proof.noOtherSlices(service, known, signal)]
        : lost.map((slice) => proof.sliceGone(slice, service, signal)),
    );
    if (!gone.every(Boolean)) throw slicesLost(source, service);
  }

  /** The Endpoints of the target hold what these slices say. */
  remember(target: ServiceKey, slices: readonly SourceSlice[]): void {
    const endpoints = this.parts.view.endpoints(target);
    if (this.mode !== "endpoints" || endpoints === undefined) return;
    this.#fillings.remember(endpoints, slices);
  }

  forget(target: ServiceKey): void {
    this.#fillings.forget(target);
  }

  #lost(
    { deletions, endpoints }: EndpointsPlan,
    target: ServiceKey,
    known: ReadonlySet<ServiceKey>,
  ): readonly ServiceKey[] | undefined {
    const isRefilled = endpoints.some((write) => write.verb === "patch" && "subsets" in write.body);
    // Endpoints that would be empty: mirror slices may have been deleted by hand, and new slices be on their way.
    if (isRefilled && known.size === 0) return undefined;
    if (isRefilled && this.mode === "endpoints") {
      const there = this.parts.view.endpoints(target);
      const filling = there && this.#fillings.of(there);
      return filling && [...filling].filter((slice) => !known.has(slice));
    }
    return deletions.flatMap(({ source }) => (source === undefined ? [] : [source as ServiceKey]));
  }
}
