/** Second step of the plan: slices and Endpoints of a mirror that is there. Pure. */
import { desiredEndpoints, type DesiredEndpoints, type MirrorEndpoints } from "./endpoints.js";
import type { Cidr } from "./ip.js";
import {
  ENDPOINTS_MANAGED_BY_LABEL,
  HEADLESS_LABEL,
  LINK_LABEL,
  OVER_CAPACITY_ANNOTATION,
  SKIP_MIRROR_LABEL,
  SLICE_CONTROLLER,
  SLICE_MIRRORING_CONTROLLER,
  SOURCE_ANNOTATION,
} from "./labels.js";
import type { IpFamily, OwnerReference, StringMap } from "./objects.js";
import { mapDiff } from "./service-diff.js";
import type { Mark } from "./route.js";
import { splitKey, type NamespacedName, type ServiceKey } from "./service-key.js";
import {
  desiredSlice,
  parseContent,
  type DesiredSlice,
  type Digest,
  type ForeignSlice,
  type MirrorSlice,
  type SourceSlice,
} from "./slice.js";
import type { Write } from "./writes.js";

export interface EndpointsView {
  readonly target: ServiceKey;
  /** "namespace/name" of the source Service. */
  readonly source: ServiceKey;
  readonly mirrorUid: string;
  readonly headless: boolean;
  /** ExternalName: it has no endpoints of its own. */
  readonly external: boolean;
  readonly family: IpFamily | undefined;
  readonly publishNotReadyAddresses: boolean;
  readonly sourceSlices: readonly SourceSlice[];
  readonly slices: readonly MirrorSlice[];
  readonly foreignSlices: readonly ForeignSlice[];
  readonly endpoints: MirrorEndpoints | undefined;
}

export interface EndpointsPlanContext {
  readonly link: string;
  readonly mark: Mark;
  /** Of every route: those that a mirror no longer has are taken off. */
  readonly marks: readonly Mark[];
  readonly cidrs: readonly Cidr[];
  readonly digest: Digest;
  readonly mode: "slices" | "endpoints" | "both";
}

export interface EndpointsPlan {
  /** Slices are made and changed before Endpoints, and deleted last: there is no moment without addresses. */
  readonly slices: readonly Write[];
  readonly endpoints: readonly Write[];
  /** Of slices that nothing wants. `source` names the source slice whose absence has to be proven first. */
  readonly deletions: readonly SliceDeletion[];
  /** Slices that the mirror has when everything is written. */
  readonly sliceCount: number;
  /** Ready addresses. */
  readonly ready: number;
  readonly total: number;
  readonly dropped: number;
  readonly truncated: boolean;
  /** Foreign slices that we must not touch. */
  readonly foreign: readonly ForeignSlice[];
}

interface SliceDeletion {
  readonly write: Write;
  /** undefined: no slice is wanted at all, whatever the source has. */
  readonly source: string | undefined;
}

type DeletableSlice = Pick<
  MirrorSlice,
  "namespace" | "name" | "uid" | "resourceVersion" | "source"
>;

export function planEndpoints(view: EndpointsView, context: EndpointsPlanContext): EndpointsPlan {
  const wanted = view.external
    ? []
    : view.sourceSlices.map((slice) =>
        desiredSlice(slice, { ...context, target: view.target, headless: view.headless }),
      );
  const endpoints = desiredEndpoints(wanted, { ...context, ...view });
  const asSlices = context.mode === "endpoints" ? [] : wanted;
  const wantedNames = new Set(asSlices.map((slice) => slice.name));
  return {
    slices: [
      ...asSlices.flatMap((slice) => sliceWrite(slice, view, context)),
      ...view.foreignSlices.filter(isLeftover).map(leftoverDeletion),
    ],
    endpoints: endpointsWrite(endpoints, view, context),
    deletions: [...view.slices, ...view.foreignSlices.flatMap(asLost)]
      .filter((slice) => !wantedNames.has(slice.name))
      .map((slice) => ({
        write: sliceDeletion(slice),
        source: view.external || context.mode === "endpoints" ? undefined : slice.source,
      })),
    sliceCount: asSlices.length,
    ready: endpoints.ready,
    total: wanted.reduce((sum, slice) => sum + parseContent(slice.content).endpoints.length, 0),
    dropped: wanted.reduce((sum, slice) => sum + slice.dropped, 0),
    truncated: endpoints.annotations[OVER_CAPACITY_ANNOTATION] !== undefined,
    // A name of ours without our link: somebody took the label off, and the write above gives it back.
    foreign: view.foreignSlices.filter(
      (slice) =>
        !isLeftover(slice) &&
        // Made from Endpoints of this name, and kept or cleared with them by their own controller.
        slice.managedBy !== SLICE_MIRRORING_CONTROLLER &&
        slice.lostSource === undefined &&
        !wantedNames.has(slice.name),
    ),
  };
}

/** Somebody had put a selector on the mirror, and the destination's controller made slices: nobody else clears them. */
function isLeftover(slice: ForeignSlice): boolean {
  return slice.managedBy === SLICE_CONTROLLER;
}

/** One of ours without its link label that nothing wants any more: no watch of ours would ever see it again. */
function asLost(slice: ForeignSlice): readonly DeletableSlice[] {
  return slice.lostSource === undefined ? [] : [{ ...slice, source: slice.lostSource }];
}

function leftoverDeletion(slice: ForeignSlice): Write {
  const { namespace, name, uid, resourceVersion } = slice;
  return {
    verb: "delete",
    resource: "endpointslices",
    ref: { namespace, name },
    uid,
    resourceVersion,
    why: ["left by the endpoint slice controller"],
  };
}

/**
 * Labels that others add stay theirs: a policy that adds one would put it back, and we would never stop writing. So does the mark
 * of a route that is gone: unlike a Service a slice has no record of what we wrote, and nobody reads the mark there.
 */
function sliceWrite(
  wanted: DesiredSlice,
  view: EndpointsView,
  { marks }: Pick<EndpointsPlanContext, "marks">,
): readonly Write[] {
  const { namespace } = splitKey(view.target);
  const ref = { namespace, name: wanted.name };
  const existing = view.slices.find((slice) => slice.name === wanted.name);
  if (existing === undefined) return [sliceCreation(ref, wanted, view)];
  const ours = [HEADLESS_LABEL, SKIP_MIRROR_LABEL, ...markKeys(existing.labels, marks)];
  const labels = mapDiff(existing.labels, wanted.labels, ours);
  const reown = existing.ownerUid !== view.mirrorUid;
  const content = existing.digest !== wanted.digest;
  const unnamed = existing.source !== wanted.source;
  const why = [
    ...(content ? ["endpoints"] : []),
    ...(reown ? ["ownerReferences"] : []),
    ...Object.keys(labels).map((key) => `labels[${key}]`),
    ...(unnamed ? [`annotations[${SOURCE_ANNOTATION}]`] : []),
  ];
  if (why.length === 0) return [];
  const metadata = {
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    // What it mirrors is asked about before it is deleted.
    ...(unnamed ? { annotations: { [SOURCE_ANNOTATION]: wanted.source } } : {}),
    ...(reown ? { ownerReferences: owners(view) } : {}),
  };
  const { uid, resourceVersion } = existing;
  const body = {
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(content ? parseContent(wanted.content) : {}),
  };
  return [{ verb: "patch", resource: "endpointslices", ref, body, uid, resourceVersion, why }];
}

/** Keys of marks of any route. */
function markKeys(labels: StringMap, marks: readonly Mark[]): readonly string[] {
  return marks.filter(({ key, value }) => labels[key] === value).map(({ key }) => key);
}

function sliceCreation(ref: NamespacedName, wanted: DesiredSlice, view: EndpointsView): Write {
  const body = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      ...ref,
      labels: wanted.labels,
      annotations: { [SOURCE_ANNOTATION]: wanted.source },
      ownerReferences: owners(view),
    },
    addressType: wanted.addressType,
    ...parseContent(wanted.content),
  };
  return { verb: "create", resource: "endpointslices", ref, body, why: ["created"] };
}

function sliceDeletion(slice: DeletableSlice): Write {
  const { namespace, name, uid, resourceVersion } = slice;
  return {
    verb: "delete",
    resource: "endpointslices",
    ref: { namespace, name },
    uid,
    resourceVersion,
    why: ["its source slice is gone"],
  };
}

function endpointsWrite(
  wanted: DesiredEndpoints,
  view: EndpointsView,
  context: EndpointsPlanContext,
): readonly Write[] {
  const existing = view.endpoints;
  const ref = splitKey(view.target);
  if (view.external || context.mode === "slices") {
    // Only what is ours goes; what a predecessor left is not in this view, and EndpointsPass asks for it.
    return existing?.labels[LINK_LABEL] === context.link ? [endpointsDeletion(existing)] : [];
  }
  // A Service without slices has no Endpoints in its own cluster either: no controller makes any.
  if (existing === undefined && view.sourceSlices.length === 0) return [];
  if (existing === undefined) return [endpointsCreation(ref, wanted, view)];
  return endpointsPatch(existing, ref, wanted, view, context);
}

function endpointsPatch(
  existing: MirrorEndpoints,
  ref: NamespacedName,
  wanted: DesiredEndpoints,
  view: EndpointsView,
  { digest, marks }: Pick<EndpointsPlanContext, "digest" | "marks">,
): readonly Write[] {
  const marked = markKeys(existing.labels, marks);
  const ours = [ENDPOINTS_MANAGED_BY_LABEL, SKIP_MIRROR_LABEL, ...marked];
  const labels = mapDiff(existing.labels, wanted.labels, ours);
  const annotations = mapDiff(existing.annotations, wanted.annotations, [OVER_CAPACITY_ANNOTATION]);
  const reown = existing.ownerUid !== view.mirrorUid;
  const content = existing.digest !== digest(wanted.content, existing.digest.length);
  const why = [
    ...(content ? ["subsets"] : []),
    ...(reown ? ["ownerReferences"] : []),
    ...Object.keys(labels).map((key) => `labels[${key}]`),
    ...Object.keys(annotations).map((key) => `annotations[${key}]`),
  ];
  if (why.length === 0) return [];
  const metadata = {
    ...changed("labels", labels),
    ...changed("annotations", annotations),
    ...(reown ? { ownerReferences: owners(view) } : {}),
  };
  const body = {
    ...changed("metadata", metadata),
    ...(content ? { subsets: wanted.subsets } : {}),
  };
  const { uid, resourceVersion } = existing;
  return [{ verb: "patch", resource: "endpoints", ref, body, uid, resourceVersion, why }];
}

function endpointsCreation(
  ref: NamespacedName,
  wanted: DesiredEndpoints,
  view: EndpointsView,
): Write {
  const { labels, annotations, subsets } = wanted;
  const metadata = { ...ref, labels, annotations, ownerReferences: owners(view) };
  return {
    verb: "create",
    resource: "endpoints",
    ref,
    body: { apiVersion: "v1", kind: "Endpoints", metadata, subsets },
    why: ["created"],
  };
}

function endpointsDeletion(existing: MirrorEndpoints): Write {
  const { namespace, name, uid, resourceVersion } = existing;
  return {
    verb: "delete",
    resource: "endpoints",
    ref: { namespace, name },
    uid,
    resourceVersion,
    why: ["not wanted"],
  };
}

function owners(view: EndpointsView): readonly OwnerReference[] {
  return [
    { apiVersion: "v1", kind: "Service", name: splitKey(view.target).name, uid: view.mirrorUid },
  ];
}

function changed(
  name: string,
  value: StringMap | Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.keys(value).length > 0 ? { [name]: value } : {};
}
