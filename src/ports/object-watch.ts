import type { InjectionToken } from "tsyringe";
import type { KubeObject, ObjectRef, Resource } from "./kube-api.js";

/** Follows single objects of the source cluster, each by its name. */
export interface ObjectWatch {
  /**
   * Calls `onObject` with the object at first and after each change, with undefined while there is none. Runs until `signal`
   * aborts, whatever fails meanwhile. Never rejects; what `onObject` throws is logged and dropped.
   *
   * A doorbell: what it says may be old. Whoever writes because of it reads the object first.
   */
  follow(
    resource: Resource,
    ref: ObjectRef,
    onObject: (object: KubeObject | undefined) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
export const ObjectWatch: InjectionToken<ObjectWatch> = Symbol("ObjectWatch");
