import type { KubeObject, ObjectRef, Resource, WriteResult } from "./kube-api.js";

/** What an API server says to a write that it does not store. */
export interface Rehearsed {
  /** As of a write in earnest; an object in it is what would have been stored. */
  readonly result: WriteResult;
  /** Texts of the `Warning` headers: what kubectl prints behind "Warning:". */
  readonly warnings: readonly string[];
}

/**
 * Asks an API server what would become of a write (`dryRun=All`): rights, admission webhooks, quotas and validation are asked
 * as in earnest, and nothing is stored. @throws as the writes of KubeApi
 */
export interface Rehearsal {
  create(resource: Resource, object: KubeObject, signal: AbortSignal): Promise<Rehearsed>;
  /** JSON merge patch, without preconditions: nothing is stored that could be stale. */
  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Rehearsed>;
}
