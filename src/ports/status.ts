import type { InjectionToken } from "tsyringe";
import type { ReasonCode } from "../domain/codes.js";
import type { LeaseCause } from "./destination-lease.js";
import type { ErrorCode } from "./errors.js";

/**
 * What `/status` answers and `svc-ferry status` prints. Part of the API: fields are only added, never renamed.
 * Moments are RFC 3339 in UTC.
 */
export interface StatusReport {
  readonly apiVersion: "svc-ferry.io/cli/v1";
  readonly kind: "StatusReport";
  /** When the report was made; ages count from here. */
  readonly time: string;
  readonly version: string;
  /** The replica that answers. */
  readonly podName: string;
  readonly role: "leader" | "follower";
  /** Pod name of the leader, if it is known. */
  readonly leader?: string | undefined;
  /**
   * False: this replica cannot say how the Services stand (it follows, or its caches are not filled yet). `services` is
   * then empty, and `svc-ferry status` exits with 2.
   */
  readonly observed: boolean;
  /** Whose the mirrors are; unknown until the source has answered. */
  readonly link?: string | undefined;
  readonly source: ClusterStatus;
  readonly destinations: readonly DestinationStatus[];
  /** Every ferried Service and every mirror that is left over; sorted by destination and service. */
  readonly services: readonly ServiceStatus[];
}

/** How a cluster is connected. */
export interface ClusterStatus {
  readonly name: string;
  /** Every watch is synced and heard from. */
  readonly connected: boolean;
  /** Last byte from its API server. */
  readonly lastContact?: string | undefined;
}

/** One destination as a whole. */
export interface DestinationStatus extends ClusterStatus {
  readonly paused: boolean;
  /** The Lease named after the link: held by us, by another process (then nothing is written), or not known. */
  readonly heartbeat: "held" | "held-elsewhere" | "unknown";
  /** Who holds it, when it is held elsewhere. */
  readonly heartbeatHolder?: string | undefined;
  /** Why it is not known, when attempts at it fail. */
  readonly heartbeatCause?: LeaseCause;
  /** A mass deletion is blocked; `svc-ferry run --allow-mass-delete` lets it go on. */
  readonly brake: boolean;
  readonly mirrors: number;
  /** Names that wait to be looked at, or are looked at now; without those that wait for another try. */
  readonly queued: number;
}

/** `pending`: no attempt was made yet. `held`: nothing is written on purpose other than a pause; `reason` says why. */
type ServiceState = "synced" | "pending" | "retrying" | "conflict" | "refused" | "paused" | "held";

/** One Service in one destination. */
export interface ServiceStatus {
  /** "namespace/name" in the source. */
  readonly service: string;
  /** Name of the destination. */
  readonly destination: string;
  /** "namespace/name" in the destination. */
  readonly target: string;
  readonly state: ServiceState;
  /** Code of docs/codes.md; for a Service that is synced a warning. */
  readonly reason?: ReasonCode | ErrorCode | "unknown" | undefined;
  /** For people: what happened and what to do. */
  readonly message?: string | undefined;
  /** undefined for a Service without endpoints of its own (ExternalName) and while they are not known. */
  readonly endpoints?: EndpointsStatus | undefined;
  /** When the state became what it is. */
  readonly lastChange?: string | undefined;
  readonly lastWrite?: string | undefined;
  /** From seeing the last change to its last write, ms. */
  readonly lagMs?: number | undefined;
  readonly changeId?: string | undefined;
}

interface EndpointsStatus {
  readonly ready: number;
  readonly total: number;
  readonly slices: number;
}

/** Makes the report from memory, in one tick. */
export interface StatusSource {
  report(): StatusReport;
}
export const StatusSource: InjectionToken<StatusSource> = Symbol("StatusSource");
