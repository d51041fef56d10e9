import type { Stored } from "../harness/manifest.js";
import type { Sighting } from "./live-view.js";

/** What an EndpointSlice says about one address. */
export interface Endpoint {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  readonly conditions: { readonly ready?: boolean };
}

/** A slice of this Service was written, and its ready addresses are these, in any order. */
export function readyAre(service: string, addresses: readonly string[]) {
  const wanted = addresses.toSorted().join(" ");
  return ({ kind, object }: Sighting): boolean =>
    kind !== "DELETED" &&
    isSliceOf(service, object) &&
    ready(object).toSorted().join(" ") === wanted;
}

export function isSliceOf(service: string, { metadata }: Stored): boolean {
  return metadata.labels?.["kubernetes.io/service-name"] === service;
}

export function endpointsOf(slice: Stored): readonly Endpoint[] {
  return (slice["endpoints"] ?? []) as readonly Endpoint[];
}

function ready(slice: Stored): readonly string[] {
  return endpointsOf(slice)
    .filter(({ conditions }) => conditions.ready !== false)
    .flatMap(({ addresses }) => addresses);
}
