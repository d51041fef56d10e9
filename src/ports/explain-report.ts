/**
 * What `svc-ferry explain -o json` prints. Part of the API: fields are only added, never renamed. Moments are RFC 3339 in UTC.
 */

import type { ServiceKey } from "../domain/service-key.js";
import type { ConnectAnswer } from "./connect.js";

export interface ExplainQuestion {
  /** undefined: everything that is selected. */
  readonly service: ServiceKey | undefined;
  /** Name of a destination: `service` is then a mirror's name there; for everything only that one is looked at. */
  readonly destination: string | undefined;
  /** Connect to the endpoints from this host as well. */
  readonly probe: boolean;
}

export interface ExplainReport {
  readonly apiVersion: "svc-ferry.io/cli/v1";
  readonly kind: "ExplainReport";
  readonly time: string;
  readonly version: string;
  /** What the source is called. */
  readonly source: string;
  /** What was asked for, "namespace/name"; undefined: everything. */
  readonly asked?: string | undefined;
  /** The pod that leads, as its Lease says; undefined: nobody does. */
  readonly leader?: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * `synced`: in order. `not-synced`: selected, but not in order; also a mirror that nobody wants. `not-selected`: no route takes
 * it, or there is no such Service. `unknown`: could not be found out.
 */
export type ExplainVerdict = "synced" | "not-synced" | "not-selected" | "unknown";

/** One Service and one destination. */
export interface Finding {
  /** "namespace/name" in the source. */
  readonly service: string;
  /** undefined while no route says so. */
  readonly destination?: string | undefined;
  /** "namespace/name" in the destination. */
  readonly target?: string | undefined;
  readonly verdict: ExplainVerdict;
  /** In the order in which they are asked; after the first `no` nothing is asked. */
  readonly steps: readonly Step[];
  readonly reason?: FindingReason | undefined;
  /** A command to paste, or a sentence where there is none. */
  readonly fix?: string | undefined;
  /** Synced, but somebody should look. */
  readonly remarks: readonly FindingReason[];
  readonly endpoints?: EndpointsFinding | undefined;
  /** When svc-ferry wrote the mirror last; undefined: never, or everything was asked for. */
  readonly lastWrite?: string | undefined;
  /** What connections from this host came to; undefined: none were asked for, or there is nobody to connect to. */
  readonly probes?: readonly ProbeFinding[] | undefined;
  /** Writes that are due, `create services prod/web`. */
  readonly due: readonly string[];
  /** The last change that admission saw. */
  readonly lastChange?: LastChange | undefined;
  /** What the leader says of it; undefined: it was not asked, or knows nothing. */
  readonly leader?: LeaderFinding | undefined;
}

export type StepId = "selected" | "mapped" | "name-free" | "written" | "endpoints" | "reachable";

export interface Step {
  readonly id: StepId;
  /** `look`: in order, but somebody should look. `not-asked`: a step before said no. */
  readonly result: "yes" | "no" | "look" | "not-asked" | "unknown";
  readonly text: string;
}

export interface FindingReason {
  /** A code of docs/codes.md; "pending" while a write is merely due. */
  readonly code: string;
  readonly message: string;
}

export interface EndpointsFinding {
  readonly ready: number;
  readonly total: number;
  readonly slices: number;
  /** Pods in the source that are not ready, some of them. */
  readonly notReady: readonly string[];
}

export interface ProbeFinding {
  /** "10.1.0.1:80", IPv6 in brackets. */
  readonly address: string;
  readonly answer: ConnectAnswer;
}

export interface LastChange {
  readonly id: string;
  readonly by?: string | undefined;
  readonly at?: string | undefined;
}

export interface LeaderFinding {
  readonly podName: string;
  readonly state: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** Names that wait in the destination's queue. */
  readonly queued?: number | undefined;
}
