/** What separates a mirror from what it has to be, as the write that ends it. */
import {
  canonicalPort,
  DEFAULT_AFFINITY_TIMEOUT_SECONDS,
  type DesiredMirror,
  type DesiredSpec,
} from "./desired.js";
import { recordedKeys } from "./labels.js";
import type { Service, ServiceSpec, StringMap } from "./objects.js";

export type ServiceDiff =
  | { readonly kind: "equal" }
  /** A JSON merge patch; `fields` names what differs, for log and metric. */
  | {
      readonly kind: "patch";
      readonly patch: Readonly<Record<string, unknown>>;
      readonly fields: readonly string[];
    }
  /** The API forbids this change in place. */
  | { readonly kind: "recreate"; readonly fields: readonly string[] };

/** Compares what we send; what others added to the mirror is left alone. */
export function serviceDiff(mirror: Service, wanted: DesiredMirror): ServiceDiff {
  const immutable = immutableDifference(mirror.spec, wanted.spec);
  if (immutable !== undefined) return { kind: "recreate", fields: [immutable] };
  const recorded = recordedKeys(mirror.annotations);
  const labels = mapDiff(mirror.labels, wanted.labels, recorded.labels);
  const annotations = mapDiff(mirror.annotations, wanted.annotations, recorded.annotations);
  const spec = specDiff(mirror.spec, wanted.spec);
  const fields = [
    ...Object.keys(labels).map((key) => `metadata.labels[${key}]`),
    ...Object.keys(annotations).map((key) => `metadata.annotations[${key}]`),
    ...Object.keys(spec).map((key) => `spec.${key}`),
  ];
  if (fields.length === 0) return { kind: "equal" };
  const metadata = {
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  return {
    kind: "patch",
    fields,
    patch: {
      ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
      ...(Object.keys(spec).length > 0 ? { spec } : {}),
    },
  };
}

/** The spec of a new mirror. */
export function createSpec(spec: DesiredSpec): Readonly<Record<string, unknown>> {
  return {
    type: spec.type,
    ...(spec.headless ? { clusterIP: "None" } : {}),
    ...(spec.externalName === undefined ? {} : { externalName: spec.externalName }),
    ...(spec.ports.length > 0 ? { ports: spec.ports } : {}),
    sessionAffinity: spec.sessionAffinity,
    ...(spec.affinityTimeout === undefined
      ? {}
      : { sessionAffinityConfig: affinityConfig(spec.affinityTimeout) }),
    ...(spec.publishNotReadyAddresses ? { publishNotReadyAddresses: true } : {}),
    ...(spec.family === undefined
      ? {}
      : { ipFamilies: [spec.family], ipFamilyPolicy: spec.familyPolicy }),
  };
}

/** ClusterIP and headless cannot become each other, nor can the primary family change (pkg/apis/core/validation). */
function immutableDifference(actual: ServiceSpec, wanted: DesiredSpec): string | undefined {
  if (actual.type === "ExternalName" || wanted.type === "ExternalName") return undefined;
  if ((actual.clusterIP === "None") !== wanted.headless) return "spec.clusterIP";
  const family = actual.ipFamilies?.[0];
  return family !== undefined && wanted.family !== undefined && family !== wanted.family
    ? "spec.ipFamilies[0]"
    : undefined;
}

function specDiff(actual: ServiceSpec, wanted: DesiredSpec): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const compare = (field: string, is: unknown, want: unknown, value: unknown = want): void => {
    if (JSON.stringify(is) !== JSON.stringify(want)) patch[field] = value ?? null;
  };
  compare("type", actual.type ?? "ClusterIP", wanted.type);
  compare("externalName", actual.externalName || undefined, wanted.externalName);
  compare("ports", (actual.ports ?? []).map(canonicalPort), wanted.ports);
  compare("sessionAffinity", actual.sessionAffinity ?? "None", wanted.sessionAffinity);
  compare(
    "sessionAffinityConfig",
    affinityTimeout(actual),
    wanted.affinityTimeout,
    wanted.affinityTimeout === undefined ? null : affinityConfig(wanted.affinityTimeout),
  );
  compare(
    "publishNotReadyAddresses",
    actual.publishNotReadyAddresses ?? false,
    wanted.publishNotReadyAddresses,
  );
  if (Object.keys(actual.selector ?? {}).length > 0) patch["selector"] = null;
  if (wanted.family !== undefined) familyDiff(actual, wanted, patch);
  if (wanted.headless && actual.clusterIP !== "None") patch["clusterIP"] = "None";
  return patch;
}

/** What the destination added to a PreferDualStack mirror by itself (a second family) is no difference. */
function familyDiff(
  actual: ServiceSpec,
  wanted: DesiredSpec,
  patch: Record<string, unknown>,
): void {
  const narrowing = wanted.familyPolicy === "SingleStack" && (actual.ipFamilies?.length ?? 0) > 1;
  if (actual.ipFamilyPolicy !== wanted.familyPolicy || narrowing) {
    patch["ipFamilyPolicy"] = wanted.familyPolicy;
  }
  if (actual.ipFamilies?.[0] !== wanted.family || narrowing) patch["ipFamilies"] = [wanted.family];
}

function affinityTimeout(spec: ServiceSpec): number | undefined {
  if (spec.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_TIMEOUT_SECONDS;
}

function affinityConfig(timeoutSeconds: number): Readonly<Record<string, unknown>> {
  return { clientIP: { timeoutSeconds } };
}

/** Sets what differs, and takes away (null) the keys that we once wrote and no longer want. */
export function mapDiff(
  actual: StringMap,
  wanted: StringMap,
  ours: readonly string[],
): Record<string, string | null> {
  const patch: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(actual, key) || actual[key] !== value) patch[key] = value;
  }
  for (const key of ours) {
    // Label keys are the users': "constructor" is one, and every object has that.
    if (Object.hasOwn(actual, key) && !Object.hasOwn(wanted, key)) patch[key] = null;
  }
  return patch;
}
