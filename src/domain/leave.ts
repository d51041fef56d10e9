/** The way out: what has to happen to one mirror so that svc-ferry can go. Pure. */
import { desiredEndpoints, type MirrorEndpoints } from "./endpoints.js";
import {
  isOurAnnotation,
  LINK_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
  SKIP_MIRROR_LABEL,
} from "./labels.js";
import type { Service, StringMap } from "./objects.js";
import type { NamespacedName } from "./service-key.js";
import { CONTENT_DIGEST_LENGTH, type Digest, type SourceSlice } from "./slice.js";
import type { Write, WriteResource } from "./writes.js";

/**
 * `hand-over`: to k8s-svc-sync, which keeps Endpoints and knows its mirrors by their mark. `keep`: everything stays as it is,
 * and is nobody's. `remove`: nothing stays.
 */
export type LeaveKind = "hand-over" | "keep" | "remove";

/** A slice with what precise writes need. */
export interface LeavingSlice extends SourceSlice {
  readonly resourceVersion: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** One mirror and what lies under its name. */
export interface LeavingMirror {
  readonly service: Service;
  /** Ours. */
  readonly slices: readonly LeavingSlice[];
  /** Ours. */
  readonly endpoints: MirrorEndpoints | undefined;
  /** Under its name and not ours: a stranger's, or what became of ours in a run that was cut short. */
  readonly others: MirrorEndpoints | undefined;
}

/** In this order. A run that is cut short anywhere can be made again. */
export interface LeavePlan {
  /** While everything else still stands: there is no moment without addresses. */
  readonly first: readonly Write[];
  /**
   * Addresses that slices of the cluster's own mirroring controller have to hold before ours go; empty: nothing is waited for.
   */
  readonly awaited: readonly string[];
  readonly next: readonly Write[];
  /** The Service last: by it the rest is found again. */
  readonly last: readonly Write[];
}

export function leavePlan(kind: LeaveKind, mirror: LeavingMirror, digest: Digest): LeavePlan {
  switch (kind) {
    case "hand-over":
      return handOver(mirror, digest);
    case "keep":
      return keep(mirror);
    case "remove":
      return removal(mirror);
  }
}

/**
 * Endpoints that somebody else holds, and that say something else than the mirror: then nothing can be handed over, because the
 * name would lose its addresses.
 */
export function isBlocked({ others, ...mirror }: LeavingMirror, digest: Digest): boolean {
  if (others === undefined || mirror.slices.length === 0) return false;
  const { content } = wantedEndpoints(mirror);
  return others.digest !== digest(content, CONTENT_DIGEST_LENGTH);
}

/** Slices of ours go only when the cluster's own, made of the Endpoints, hold the same addresses. */
function handOver(mirror: LeavingMirror, digest: Digest): LeavePlan {
  const { service, slices, endpoints } = mirror;
  const wanted = wantedEndpoints(mirror);
  const awaited = wanted.subsets.flatMap(({ addresses }) => (addresses ?? []).map(({ ip }) => ip));
  return {
    first: slices.length === 0 ? ownEndpoints(endpoints, []) : refreshed(mirror, wanted, digest),
    awaited: slices.length === 0 ? [] : [...new Set(awaited)],
    next: slices.map((slice) => deletion("endpointslices", slice)),
    last: [disowned("services", service)],
  };
}

function wantedEndpoints({
  service,
  slices,
}: Pick<LeavingMirror, "service" | "slices">): ReturnType<typeof desiredEndpoints> {
  const { ipFamilies: [family] = [], publishNotReadyAddresses = false } = service.spec;
  const all = slices.map((slice) => ({ ...slice, labels: {}, source: "", dropped: 0 }));
  const nobody = { mode: "endpoints", link: "", mark: { key: "", value: "" }, source: "" } as const;
  return desiredEndpoints(all, { ...nobody, family, publishNotReadyAddresses });
}

/** Endpoints with the addresses of now, and without what keeps the mirroring controller away. */
function refreshed(
  { service: { namespace, name }, endpoints, others }: LeavingMirror,
  { subsets, content }: ReturnType<typeof desiredEndpoints>,
  digest: Digest,
): readonly Write[] {
  if (endpoints !== undefined) {
    const isSame = endpoints.digest === digest(content, CONTENT_DIGEST_LENGTH);
    return ownEndpoints(endpoints, isSame ? [] : [["subsets", subsets]]);
  }
  // They say the same: an earlier run got so far.
  if (others !== undefined) return [];
  const ref = { namespace, name };
  const body = { apiVersion: "v1", kind: "Endpoints", metadata: ref, subsets };
  return [{ verb: "create", resource: "endpoints", ref, body, why: ["addresses of its slices"] }];
}

function ownEndpoints(
  endpoints: MirrorEndpoints | undefined,
  fields: readonly (readonly [string, unknown])[],
): readonly Write[] {
  if (endpoints === undefined) return [];
  const metadata = withoutOurs(endpoints, [SKIP_MIRROR_LABEL]);
  const isNothing = Object.keys(metadata).length === 0 && fields.length === 0;
  if (isNothing) return [];
  const body = {
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...Object.fromEntries(fields),
  };
  return [patch("endpoints", endpoints, body)];
}

/** Nothing of ours looks after it any more, and nothing of ours would ever touch it again. */
function keep({ service, slices, endpoints }: LeavingMirror): LeavePlan {
  return {
    first: [],
    awaited: [],
    next: [
      ...slices.map((slice) => disowned("endpointslices", slice)),
      ...(endpoints === undefined ? [] : [disowned("endpoints", endpoints)]),
    ],
    last: [disowned("services", service)],
  };
}

/** What is left would send traffic nowhere: the Service goes first. */
function removal({ service, slices, endpoints }: LeavingMirror): LeavePlan {
  return {
    first: [deletion("services", service)],
    awaited: [],
    next: [
      ...slices.map((slice) => deletion("endpointslices", slice)),
      ...(endpoints === undefined ? [] : [deletion("endpoints", endpoints)]),
    ],
    last: [],
  };
}

/** Slices and Endpoints of ours without a mirror of ours: nobody's Service, or none, is behind them. */
export function leftoverWrites(
  kind: LeaveKind,
  slices: readonly LeavingSlice[],
  endpoints: readonly MirrorEndpoints[],
): readonly Write[] {
  const act = kind === "keep" ? disowned : deletion;
  return [
    ...slices.map((slice) => act("endpointslices", slice)),
    ...endpoints.map((one) => act("endpoints", one)),
  ];
}

interface Precise extends NamespacedName {
  readonly uid: string;
  readonly resourceVersion: string;
}

function disowned(
  resource: WriteResource,
  object: Precise & { readonly labels: StringMap; readonly annotations: StringMap },
): Write {
  return patch(resource, object, { metadata: withoutOurs(object, []) });
}

/** A merge patch of metadata that takes away what is ours, and these labels. */
function withoutOurs(
  { labels, annotations }: { readonly labels: StringMap; readonly annotations: StringMap },
  more: readonly string[],
): Readonly<Record<string, unknown>> {
  const ours = Object.entries(labels).filter(
    ([key, value]) =>
      key === LINK_LABEL ||
      (key === MANAGED_BY_LABEL && value === MANAGED_BY) ||
      more.includes(key),
  );
  const nulls = (keys: readonly string[]): Readonly<Record<string, null>> =>
    Object.fromEntries(keys.map((key) => [key, null]));
  const ourAnnotations = Object.keys(annotations).filter(isOurAnnotation);
  return {
    ...(ours.length > 0 ? { labels: nulls(ours.map(([key]) => key)) } : {}),
    ...(ourAnnotations.length > 0 ? { annotations: nulls(ourAnnotations) } : {}),
  };
}

function patch(
  resource: WriteResource,
  { namespace, name, uid, resourceVersion }: Precise,
  body: Readonly<Record<string, unknown>>,
): Write {
  const ref = { namespace, name };
  return { verb: "patch", resource, ref, body, uid, resourceVersion, why: Object.keys(body) };
}

function deletion(
  resource: WriteResource,
  { namespace, name, uid, resourceVersion }: Precise,
): Write {
  const ref = { namespace, name };
  return { verb: "delete", resource, ref, uid, resourceVersion, why: ["svc-ferry leaves"] };
}

/** The Service that a slice belongs to, by its label. */
export function ownerOf({ labels }: Pick<LeavingSlice, "labels">): string {
  return labels[SERVICE_NAME_LABEL] ?? "";
}
