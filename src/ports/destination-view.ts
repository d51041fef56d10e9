import type { MirrorEndpoints } from "../domain/endpoints.js";
import type { IpFamily, Service } from "../domain/objects.js";
import type { ForeignService } from "../domain/ownership.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { ForeignSlice, MirrorSlice } from "../domain/slice.js";
import type { WriteResource } from "../domain/writes.js";
import type { KubeObject } from "./kube-api.js";

/** What lies under a name: nothing, a mirror of ours, or somebody else's Service. */
export type ExistingService =
  | { readonly kind: "absent" }
  | { readonly kind: "ours"; readonly service: Service }
  | { readonly kind: "foreign"; readonly foreign: ForeignService };

/**
 * What the caches know of one destination, as of now. Reads never wait and see our own writes at once: an answer of the
 * API server is remembered until the watch has delivered it.
 */
export interface DestinationView {
  existing(target: ServiceKey): ExistingService;
  /** Names of all mirrors that carry our link; not of those that are being deleted and wait for their finalizers. */
  mirrors(): Iterable<ServiceKey>;
  readonly mirrorCount: number;
  /** Names under which slices or Endpoints of ours lie, with or without a mirror. */
  leftovers(): Iterable<ServiceKey>;
  slices(target: ServiceKey): readonly MirrorSlice[];
  foreignSlices(target: ServiceKey): readonly ForeignSlice[];
  endpoints(target: ServiceKey): MirrorEndpoints | undefined;
  /** IP families that the cluster is known to have, primary first. */
  readonly families: readonly IpFamily[];
  /** Remembers what the API server answered to a create or patch, or to a GET that proved the cache wrong. */
  wrote(resource: WriteResource, object: KubeObject): void;
  /** Remembers that this object is gone. */
  deleted(resource: WriteResource, target: ServiceKey, uid: string): void;
  /** What was remembered under this name turned out not to be ours: no watch would ever confirm it. */
  forget(resource: WriteResource, target: ServiceKey): void;
  /** A proof turned up that the cache is wrong: list again. */
  distrust(resource: WriteResource, namespace: string): void;
}
