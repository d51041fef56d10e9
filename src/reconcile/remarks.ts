/** What somebody should know about a Service although it is synced. */
import type { Reason, ReasonCode } from "../domain/codes.js";
import type { EndpointsResult } from "./endpoints-pass.js";

/** Their sentences hold counts, or what a server says, which are others at each change of the endpoints: one remark all the same. */
const VARYING: ReadonlySet<ReasonCode> = new Set([
  "address-not-allowed",
  "endpoints-truncated",
  "rejected-by-destination",
]);

/** Equal for remarks that say the same to a person. */
export function remarkId({ code, message }: Reason): string {
  return VARYING.has(code) ? code : `${code} ${message}`;
}

export function endpointRemarks({
  plan,
  strangeEndpoints,
  refused,
}: EndpointsResult): readonly Reason[] {
  const remarks: Reason[] = [];
  if (refused !== undefined) {
    remarks.push({
      code: "rejected-by-destination",
      message: `the mirror is there, but the destination refuses its endpoints: ${refused.message}`,
    });
  }
  if (strangeEndpoints) {
    remarks.push({
      code: "foreign-endpoints",
      message: "Endpoints of this name in the destination are somebody else's and stay as they are",
    });
  }
  if (plan === undefined) return remarks;
  if (plan.foreign.length > 0) {
    const names = plan.foreign.map(
      (slice) => `${slice.name} (${slice.managedBy ?? "managed by nobody"})`,
    );
    remarks.push({
      code: "foreign-endpoints",
      message: `slices of others add endpoints to the mirror: ${names.slice(0, 3).join(", ")}`,
    });
  }
  if (plan.dropped > 0) {
    remarks.push({
      code: "address-not-allowed",
      message: `${plan.dropped} addresses are loopback, link-local or outside the route's addressCIDRs and were left out`,
    });
  }
  if (plan.truncated) {
    remarks.push({
      code: "endpoints-truncated",
      message: `Endpoints hold the first 1000 of ${plan.ready} ready addresses; EndpointSlices hold all`,
    });
  }
  return remarks;
}
