/** What was found of one Service, before it is worded. */
import type { Service } from "../domain/objects.js";
import type { Mapping } from "../domain/target.js";
import type { FindingReason, ProbeFinding } from "../ports/explain-report.js";
import type { Look } from "./dry-destination.js";
import type { FixContext } from "./fixes.js";

/** What is in the way of all mirrors of a destination. */
export interface Blocked {
  readonly reason: FindingReason;
  /** undefined: the reason's own. */
  readonly fix?: string | undefined;
}

/** One mapping of one Service, and what was found where it leads. */
export interface Evidence {
  readonly service: Service;
  readonly mapping: Mapping;
  readonly contexts: Pick<FixContext, "sourceContext" | "destinationContext">;
  /** undefined: nothing was looked at, because the mapping is refused. */
  readonly look: Look | undefined;
  /** Why nothing is written to the destination at all; undefined: nothing is in the way. */
  readonly blocked: Blocked | undefined;
  /** Pods in the source that are not ready. */
  readonly notReady: readonly string[];
  /** When svc-ferry wrote the mirror last, RFC 3339; undefined: never, or nobody asked. */
  readonly lastWrite: string | undefined;
  /** undefined: nobody asked for connections. */
  readonly probes: readonly ProbeFinding[] | undefined;
}
