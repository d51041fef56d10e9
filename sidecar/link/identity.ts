/** Whether both sides are the clusters that the link knows. Revisions mean something within one history of one cluster only. */
import type { EtcdHeader } from "../etcd/etcd.js";
import type { LinkPolicy } from "./policy.js";
import type { LinkState } from "./state.js";

export type Identity =
  | { readonly kind: "same" }
  /** The link is new. */
  | { readonly kind: "first" }
  /** Another cluster, or an older state of the same one: everything is compared. `why` is for people. */
  | { readonly kind: "source-changed"; readonly why: string }
  | { readonly kind: "destination-changed"; readonly why: string }
  /** Nothing is written. */
  | { readonly kind: "refused"; readonly why: string };

export interface Sides {
  readonly source: EtcdHeader;
  readonly destination: EtcdHeader;
  /** Prefixes of Kubernetes' keys, with a slash at the end. */
  readonly sourcePrefix: string;
  readonly destinationPrefix: string;
}

export function identityOf(
  state: LinkState | undefined,
  sides: Sides,
  policy: Pick<LinkPolicy, "acceptNewDestination">,
): Identity {
  if (isOneStore(sides)) {
    const why = "source and destination are one etcd cluster, and their prefixes overlap";
    return { kind: "refused", why };
  }
  if (state === undefined) return { kind: "first" };
  if (state.destinationClusterId !== String(sides.destination.clusterId)) {
    const why = "the destination is another cluster than this link has written";
    if (policy.acceptNewDestination) return { kind: "destination-changed", why };
    return { kind: "refused", why: `${why}; --accept-new-destination goes on with it` };
  }
  if (state.sourceClusterId !== String(sides.source.clusterId)) {
    return { kind: "source-changed", why: "the source is another cluster than before" };
  }
  if (state.applied !== undefined && sides.source.revision < state.applied) {
    const why = `the source is at revision ${sides.source.revision}, ${state.applied} was applied: it was restored from a backup`;
    return { kind: "source-changed", why };
  }
  return { kind: "same" };
}

function isOneStore({ source, destination, sourcePrefix, destinationPrefix }: Sides): boolean {
  if (source.clusterId !== destination.clusterId) return false;
  return sourcePrefix.startsWith(destinationPrefix) || destinationPrefix.startsWith(sourcePrefix);
}
