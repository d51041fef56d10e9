/** What the log and Events say in words, beside the fields that machines read. Pure. */
import type { ServicePlan } from "../domain/plan.js";
import type { Verdict } from "./proof.js";

type Change = Exclude<Extract<ServicePlan, { kind: "wanted" }>["change"], "none">;

/** That a mirror could be removed, and why. */
export type Proven = Extract<Verdict, { kind: "proven" }>;

/** @param isRepair it was in order before: somebody touched it in the destination */
export function mirrorText(change: Change, isRepair: boolean): string {
  switch (change) {
    case "create":
      return isRepair
        ? "created the mirror again, it was deleted in the destination"
        : "created the mirror";
    case "update":
      return isRepair
        ? "restored the mirror, it was changed in the destination"
        : "updated the mirror";
    case "recreate":
      return "deleted and created the mirror, this change is not possible in place";
    case "adopt":
      return "took over the mirror of k8s-svc-sync";
  }
}

/** Completes "the mirror was removed: …". */
export function removalText(because: Proven["because"]): string {
  switch (because) {
    case "source-deleted":
      return "the Service is gone";
    case "not-selected":
      return "no route selects the Service any more";
    case "mapped-elsewhere":
      return "the Service does not ask for this name any more";
  }
}
