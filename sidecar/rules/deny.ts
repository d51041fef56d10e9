/**
 * What is not mirrored although a rule selects it, each with its reason: objects that would harm the destination, that its
 * own controllers make, or that say who the source cluster is.
 *
 * Some are never mirrored. The others belong to a class that a rule's `allow:` names. What a key alone says (master leases,
 * the allocators' ranges) is no object for the catalog, and whatever hangs on an etcd lease is left out where keys are read.
 * The lists: denied-kinds.ts and denied-objects.ts.
 */
import type { ObjectKey } from "../keys/resource.js";
import type { StoredObject } from "../wire/stored-object.js";

/** What `allow:` of a rule can name. Part of the configuration's API: docs/mirror-rules.md explains each. */
export const ALLOW_CLASSES = [
  "workloads",
  "controller-created",
  "volumes",
  "admission",
  "system-namespaces",
  "default-service-accounts",
  "bootstrap-tokens",
  "helm-releases",
  "cluster-internals",
] as const;

export type AllowClass = (typeof ALLOW_CLASSES)[number];

export interface Denial {
  /** Follows the kind in a sentence: "a Node belongs to …". */
  readonly why: string;
  /** The class that lifts it; "destination-api": a way to the destination's API server does; undefined: nothing does. */
  readonly unlockedBy: AllowClass | "destination-api" | undefined;
}

/** Why this object of a resource is denied; undefined: this is no reason against it. */
export type ObjectDenial = (key: ObjectKey, object: StoredObject) => Denial | undefined;

/** The reason with what lifts it, one sentence. */
export function denialText({ why, unlockedBy }: Denial): string {
  if (unlockedBy === undefined) return `${why}; nothing lifts this`;
  if (unlockedBy === "destination-api") {
    return `${why}; give --dest-kubeconfig, and no \`via: etcd\``;
  }
  return `${why}; \`allow: [${unlockedBy}]\` lifts this`;
}
