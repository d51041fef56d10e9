import type { KubeObject, Resource } from "../ports/kube-api.js";
import { rfc3339 } from "../ports/timestamps.js";

/** Leases, as their URL names them. */
export const LEASES: Resource = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

/** The random id of the process that holds a Lease: two processes of one pod name are two holders. */
const PROCESS_ID_ANNOTATION = "svc-ferry.io/process-id";

/** Who takes part in an election. */
export interface Candidate {
  /** The pod's name, as holderIdentity. */
  readonly identity: string;
  /** New in each process. */
  readonly processId: string;
  /** Published on the Lease while this process holds it, e.g. where it can be reached; removed on release. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a Lease says, as far as the protocol looks at it. Times are not parsed: clocks of two machines are never compared. */
export interface LeaseRecord {
  /** "": nobody. */
  readonly holder: string;
  /** "": written by somebody else's software. */
  readonly processId: string;
  /** undefined: the Lease says none, or nonsense. */
  readonly durationSeconds: number | undefined;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: unknown;
    readonly leaseDurationSeconds?: unknown;
    readonly acquireTime?: unknown;
    readonly renewTime?: unknown;
    readonly leaseTransitions?: unknown;
  };
}

/** Reads a Lease; whatever is absent or of the wrong type reads as empty. */
export function readLease(object: KubeObject): LeaseRecord {
  const { spec = {}, metadata } = object as LeaseObject;
  const seconds = spec.leaseDurationSeconds;
  const transitions = spec.leaseTransitions;
  return {
    holder: text(spec.holderIdentity),
    processId: metadata.annotations?.[PROCESS_ID_ANNOTATION] ?? "",
    durationSeconds: typeof seconds === "number" && seconds > 0 ? seconds : undefined,
    acquireTime: text(spec.acquireTime),
    renewTime: text(spec.renewTime),
    transitions: typeof transitions === "number" ? transitions : 0,
  };
}

/** Ours only if both match: a restarted container has the pod's name, but not its predecessor's word. */
export function isHeldBy(record: LeaseRecord, candidate: Candidate): boolean {
  return record.holder === candidate.identity && record.processId === candidate.processId;
}

/** What a claim is written from. */
export interface Claim {
  readonly candidate: Candidate;
  readonly durationMs: number;
  /** Wall clock, ms: for people who read the Lease. */
  readonly nowMs: number;
}

/** A Lease that does not exist yet, held by the candidate. */
export function newLease(namespace: string, name: string, claim: Claim): KubeObject {
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace, name },
  };
  return claimed(lease, claim);
}

/** `lease` held by the candidate: renewed if it was so before, else acquired. What others wrote into it stays. */
export function claimed(lease: KubeObject, { candidate, durationMs, nowMs }: Claim): KubeObject {
  const record = readLease(lease);
  const isRenewal = isHeldBy(record, candidate);
  const isFirst = lease.metadata.resourceVersion === undefined;
  const now = microTime(nowMs);
  const annotations = {
    ...lease.metadata.annotations,
    ...candidate.annotations,
    [PROCESS_ID_ANNOTATION]: candidate.processId,
  };
  return withSpec(lease, annotations, {
    holderIdentity: candidate.identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1_000),
    acquireTime: isRenewal ? record.acquireTime : now,
    renewTime: now,
    leaseTransitions: record.transitions + (isRenewal || isFirst ? 0 : 1),
  });
}

/** `lease` held by nobody, as client-go's ReleaseOnCancel leaves it; the candidate's annotations are gone. */
export function released(lease: KubeObject, { candidate, nowMs }: Claim): KubeObject {
  const now = microTime(nowMs);
  const ours = new Set([PROCESS_ID_ANNOTATION, ...Object.keys(candidate.annotations)]);
  const kept = Object.entries(lease.metadata.annotations ?? {}).filter(([key]) => !ours.has(key));
  return withSpec(lease, Object.fromEntries(kept), {
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: readLease(lease).transitions,
  });
}

/**
 * How long before a Lease runs out its holder stops to start writes: a write on its way must arrive before somebody else may
 * begin. A second is a slow request; a tenth of the Lease covers clocks that run at different speeds. A third is the most, so
 * that a short Lease stays of use: 15 s leave 13.5 s, 3 s leave 2 s.
 */
export function safetyMarginMs(durationMs: number): number {
  return Math.min(Math.max(1_000, durationMs / 10), durationMs / 3);
}

function withSpec(
  lease: KubeObject,
  annotations: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, unknown>>,
): KubeObject {
  const { spec } = lease as LeaseObject;
  const object: LeaseObject = {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: { ...spec, ...ours },
  };
  return object;
}

/** RFC 3339 with microseconds, as Kubernetes' MicroTime demands. */
function microTime(ms: number): string {
  return rfc3339(ms).replace("Z", "000Z");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
