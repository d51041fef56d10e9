import type { Sighting } from "./live-view.js";

/** The fields of a Service that the demo looks at. */
interface ServiceSpec {
  readonly type: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
  readonly ports?: readonly { readonly port: number; readonly targetPort: number | string }[];
}

/** The Service is there, by an event that brought or changed it. */
export function isThere(name: string) {
  return ({ kind, object }: Sighting): boolean =>
    kind !== "DELETED" && object.metadata.name === name;
}

export function isGone(name: string) {
  return ({ kind, object }: Sighting): boolean =>
    kind === "DELETED" && object.metadata.name === name;
}

/** The Service carries the label that asks for a mirror. */
export function isLabelled(name: string) {
  return (one: Sighting): boolean =>
    isThere(name)(one) && one.object.metadata.labels?.["sync"] === "true";
}

export function specOf({ object }: Sighting): ServiceSpec {
  return object["spec"] as ServiceSpec;
}
