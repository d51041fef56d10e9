import type { ServiceKey } from "../domain/service-key.js";
import type { Write } from "../domain/writes.js";
import type { DestinationView } from "../ports/destination-view.js";

/** Deletions of all that a mirror leaves when it goes. */
export function leftovers(view: DestinationView, target: ServiceKey): readonly Write[] {
  const endpoints = view.endpoints(target);
  return [
    ...view.slices(target).map((slice) => deletion("endpointslices", slice)),
    ...(endpoints === undefined ? [] : [deletion("endpoints", endpoints)]),
  ];
}

interface Deletable {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

function deletion(
  resource: "endpointslices" | "endpoints",
  { namespace, name, uid, resourceVersion }: Deletable,
): Write {
  const ref = { namespace, name };
  return { verb: "delete", resource, ref, uid, resourceVersion, why: ["its mirror is gone"] };
}
