/** A plan's currency: the requests that it wants sent to a destination, in order. */
import type { NamespacedName } from "./service-key.js";

export type WriteResource = "services" | "endpointslices" | "endpoints";

/** One request. `why` names the fields that differ or the occasion, for log and metric. */
export type Write =
  | {
      readonly verb: "create";
      readonly resource: WriteResource;
      readonly ref: NamespacedName;
      /** The whole object, with apiVersion and kind. */
      readonly body: Readonly<Record<string, unknown>>;
      readonly why: readonly string[];
    }
  | {
      readonly verb: "patch";
      readonly resource: WriteResource;
      readonly ref: NamespacedName;
      /** JSON merge patch. */
      readonly body: Readonly<Record<string, unknown>>;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly why: readonly string[];
    }
  | {
      readonly verb: "delete";
      readonly resource: WriteResource;
      readonly ref: NamespacedName;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly why: readonly string[];
    };
