import type { InjectionToken } from "tsyringe";
import type { Candidate } from "../domain/plan.js";
import type { Service } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { SourceSlice } from "../domain/slice.js";
import type { Mapping } from "../domain/target.js";

/** What the caches know of the source cluster, as of now. Reads never wait. */
export interface SourceView {
  /** Who wants this name in this destination. */
  candidates(destination: string, target: ServiceKey): readonly Candidate[];
  /** Every name that somebody wants there. */
  targets(destination: string): Iterable<ServiceKey>;
  /** undefined: not yet known (the name became tracked a moment ago); its slices follow with an event of their own. */
  slices(service: ServiceKey): readonly SourceSlice[] | undefined;
  /** Selected Services whose mapping is refused. */
  refused(): Iterable<readonly [Service, Extract<Mapping, { kind: "refused" }>]>;
  /** The same for one Service: a refusal for each route that refuses it. */
  refusals(
    service: ServiceKey,
  ): readonly (readonly [Service, Extract<Mapping, { kind: "refused" }>])[];
  /**
   * A mirror was found at `mapping.target` whose Service the same route now refuses: it goes on wanting that name until it asks
   * for one that it may have, or for none.
   */
  retain(service: ServiceKey, mapping: Extract<Mapping, { kind: "refused" }>): void;
  /** Where this Service maps to now, by the configuration of this process; for one that was just read from the API. */
  mappings(service: Service): readonly Mapping[];
  /** A proof turned up that the cache is wrong (a list lied): list again. */
  distrust(what: "services" | "slices", namespace: string): void;
}
export const SourceView: InjectionToken<SourceView> = Symbol("SourceView");
