/** A write that the destination did not take, as the reason that people read. */
import type { Reason } from "../domain/codes.js";
import { whyForeign } from "../domain/ownership.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";
import type { ExistingService } from "../ports/destination-view.js";
import type { Applied } from "./applier.js";

/** As `whyNotStored`; a name that is taken is the other one's, or ours after all, and the next pass sees it. */
export function whyRefused(
  applied: Applied,
  target: ServiceKey,
  existing: ExistingService,
): Reason | undefined {
  if (applied.kind !== "occupied") return whyNotStored(applied, target);
  return existing.kind === "foreign" ? whyForeign(target, existing.foreign) : undefined;
}

/** undefined: it was stored, or its name is taken, which is for the next plan. */
export function whyNotStored(applied: Applied, target: ServiceKey): Reason | undefined {
  switch (applied.kind) {
    case "done":
    case "occupied":
      return undefined;
    case "namespace-missing":
      return {
        code: "namespace-missing",
        message: `namespace ${splitKey(target).namespace} does not exist in the destination; create it, or let the route do so (createNamespace: true)`,
      };
    case "namespace-terminating":
      return {
        code: "namespace-terminating",
        message: `${applied.message}; it is tried again when the deletion has ended`,
      };
    case "invalid":
      return { code: "rejected-by-destination", message: applied.message };
  }
}
