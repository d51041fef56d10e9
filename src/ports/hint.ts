import type { InjectionToken } from "tsyringe";
import type { ServiceKey } from "../domain/service-key.js";

/**
 * A change that admission let pass. It is a doorbell: it may never be stored, so it says when to look and never what to write.
 * One for each key is enough, for whoever looks sees all that happened until then.
 */
export interface Hint {
  readonly service: ServiceKey;
  readonly operation: "create" | "update" | "delete";
  /** The id in the object's stamp, or the uid of an object that is deleted; undefined where nothing was stamped: no key was loaded. */
  readonly changeId: string | undefined;
  /** Who asked for it, as `--changed-by` lets it be written. */
  readonly by: string;
  /** Of the object that is changed or deleted; "" for one that is created. */
  readonly uid: string;
  /** Wall clock of the replica that was asked, ms. */
  readonly admittedAtMs: number;
}

/** Where hints go. Never waits and never throws: what cannot be kept is found by the watch. */
export interface HintSink {
  offer(hint: Hint): void;
}
export const HintSink: InjectionToken<HintSink> = Symbol("HintSink");
