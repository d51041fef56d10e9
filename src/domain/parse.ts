/**
 * The parsing edge: an object as the API server sent it becomes what the rules read.
 * The only place where raw JSON is cast; what is not an object of its kind is refused here.
 */
import { endpointsContent, type EndpointSubset, type MirrorEndpoints } from "./endpoints.js";
import {
  isOurAnnotation,
  LINK_LABEL,
  SERVICE_NAME_LABEL,
  SLICE_MANAGED_BY,
  SLICE_MANAGED_BY_LABEL,
  SOURCE_ANNOTATION,
} from "./labels.js";
import type {
  AddressType,
  Editable,
  Endpoint,
  EndpointPort,
  IpFamily,
  ObjectMeta,
  Service,
  ServicePort,
  ServiceSpec,
  StringMap,
} from "./objects.js";
import { serviceKey } from "./service-key.js";
import { shared, sharedMap } from "./shared-text.js";
import { sharedValue } from "./shared-value.js";
import {
  CONTENT_DIGEST_LENGTH,
  mirrorContent,
  sourceContent,
  type Digest,
  type ForeignSlice,
  type MirrorSlice,
  type SourceSlice,
} from "./slice.js";

interface RawObject {
  readonly metadata: ObjectMeta;
}

/** Source: apimachinery pkg/apis/meta/v1/types.go, FinalizerDeleteDependents. */
const FOREGROUND = "foregroundDeletion";

const NO_LABELS: StringMap = Object.freeze({});

/**
 * For how long an object is looked at. What a cache keeps has its texts and values in memory once, however many objects say them;
 * to find those out costs more than all the rest of the parsing, so that what is forgotten at once does without.
 */
interface Lifetime {
  readonly text: <T extends string>(text: T) => T;
  readonly map: (map: StringMap) => StringMap;
  readonly value: <T extends object>(value: T) => T;
}

const KEPT: Lifetime = { text: shared, map: sharedMap, value: sharedValue };
const PASSING: Lifetime = { text: (text) => text, map: (map) => map, value: (value) => value };

/** For a cache. @param keepAnnotation which annotations beside ours are kept (those that a route copies) */
export function parseService(object: RawObject, keepAnnotation: (key: string) => boolean): Service {
  return serviceOf(object, keepAnnotation, KEPT);
}

/** The same for a Service that is judged and forgotten. */
export function parsePassingService(
  object: RawObject,
  keepAnnotation: (key: string) => boolean,
): Service {
  return serviceOf(object, keepAnnotation, PASSING);
}

function serviceOf(
  object: RawObject,
  keepAnnotation: (key: string) => boolean,
  as: Lifetime,
): Service {
  const { metadata } = object;
  const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
  const spec = (object as { spec?: ServiceSpec }).spec ?? {};
  const service: Editable<Service> = {
    namespace: as.text(namespace),
    name: as.text(name),
    uid: as.text(uid),
    resourceVersion,
    creationTimestamp: metadata.creationTimestamp ?? "",
    generateName: metadata.generateName,
    deleting: metadata.deletionTimestamp !== undefined,
    labels: as.value(as.map(metadata.labels ?? NO_LABELS)),
    annotations: keptAnnotations(metadata.annotations, keepAnnotation, as),
    spec: as.value(reducedSpec(spec)),
  };
  if (metadata.finalizers?.includes(FOREGROUND) === true) service.losesDependents = true;
  return service;
}

export function parseSourceSlice(object: RawObject, digest: Digest): SourceSlice {
  const { metadata } = object;
  const raw = object as RawSlice;
  const content = sourceContent(raw.endpoints, raw.ports);
  const { namespace, name, uid } = identity(metadata);
  return {
    namespace,
    name,
    uid,
    serviceName: shared(metadata.labels?.[SERVICE_NAME_LABEL] ?? ""),
    addressType: raw.addressType ?? "IPv4",
    content,
    digest: shared(digest(content, CONTENT_DIGEST_LENGTH)),
  };
}

export function parseMirrorSlice(object: RawObject, digest: Digest): MirrorSlice {
  const { metadata } = object;
  const raw = object as RawSlice;
  const { namespace, name, uid, resourceVersion } = identity(metadata);
  const [owner] = metadata.ownerReferences ?? [];
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    labels: sharedMap(metadata.labels ?? NO_LABELS),
    source: metadata.annotations?.[SOURCE_ANNOTATION],
    ownerUid: owner && shared(owner.uid),
    ownerKey: owner && shared(serviceKey(metadata.namespace ?? "", owner.name)),
    digest: shared(digest(mirrorContent(raw.endpoints, raw.ports), CONTENT_DIGEST_LENGTH)),
  };
}

export function parseForeignSlice(object: RawObject): ForeignSlice {
  const { metadata } = object;
  const { labels = NO_LABELS, annotations = NO_LABELS } = metadata;
  const managedBy = labels[SLICE_MANAGED_BY_LABEL];
  const isLost = managedBy === SLICE_MANAGED_BY && labels[LINK_LABEL] === undefined;
  return {
    ...identity(metadata),
    serviceName: labels[SERVICE_NAME_LABEL] ?? "",
    managedBy,
    ...(isLost ? { lostSource: annotations[SOURCE_ANNOTATION] } : {}),
  };
}

export function parseEndpoints(object: RawObject, digest: Digest): MirrorEndpoints {
  const { metadata } = object;
  const { subsets } = object as { subsets?: readonly EndpointSubset[] | null };
  const { namespace, name, uid, resourceVersion } = identity(metadata);
  const [owner] = metadata.ownerReferences ?? [];
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    labels: sharedValue(sharedMap(metadata.labels ?? NO_LABELS)),
    annotations: sharedMap(metadata.annotations ?? NO_LABELS),
    ownerUid: owner && shared(owner.uid),
    digest: digest(endpointsContent(subsets), CONTENT_DIGEST_LENGTH),
  };
}

/** Families of a ServiceCIDR's ranges. */
export function parseServiceCidr(object: RawObject): readonly IpFamily[] {
  const { cidrs = [] } = (object as { spec?: { cidrs?: readonly string[] } }).spec ?? {};
  return cidrs.map((cidr) => (cidr.includes(":") ? "IPv6" : "IPv4"));
}

/** All addresses of a raw Endpoints object, ready or not: what the adoption rule compares. */
export function endpointsAddresses(object: RawObject): readonly string[] {
  const { subsets } = object as { subsets?: readonly EndpointSubset[] | null };
  return (subsets ?? []).flatMap((subset) =>
    [...(subset.addresses ?? []), ...(subset.notReadyAddresses ?? [])].map(({ ip }) => ip),
  );
}

interface RawSlice {
  readonly addressType?: AddressType;
  readonly endpoints?: readonly (Endpoint & Readonly<Record<string, unknown>>)[] | null;
  readonly ports?: readonly EndpointPort[] | null;
}

/** NB: callers list the four fields: an object that spreads them has them in memory twice as large. */
function identity(metadata: ObjectMeta): {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
} {
  const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
  return { namespace: shared(namespace), name: shared(name), uid: shared(uid), resourceVersion };
}

function keptAnnotations(
  annotations: StringMap | undefined,
  keep: (key: string) => boolean,
  as: Lifetime,
): StringMap {
  const kept = Object.entries(annotations ?? NO_LABELS).filter(
    ([key]) => isOurAnnotation(key) || keep(key),
  );
  return kept.length === 0 ? NO_LABELS : as.map(Object.fromEntries(kept));
}

/**
 * Only what the rules read, so that memory follows what is synced and not what a Service may hold.
 *
 * NB: field by field. Every review of admission passes here twice, and an object that is spread of ten others costs as much as
 * half of the parsing of its JSON.
 */
function reducedSpec(spec: ServiceSpec): ServiceSpec {
  const { type, clusterIP, externalName, ports, selector } = spec;
  const { sessionAffinity, sessionAffinityConfig, publishNotReadyAddresses } = spec;
  const { ipFamilies, ipFamilyPolicy } = spec;
  const reduced: Editable<ServiceSpec> = {};
  if (type !== undefined) reduced.type = type;
  if (clusterIP === "None") reduced.clusterIP = clusterIP;
  if (externalName !== undefined) reduced.externalName = externalName;
  if (ports !== undefined) reduced.ports = ports.map(reducedPort);
  if (selector !== undefined) reduced.selector = selector;
  if (sessionAffinity !== undefined) reduced.sessionAffinity = sessionAffinity;
  if (sessionAffinityConfig !== undefined) reduced.sessionAffinityConfig = sessionAffinityConfig;
  if (publishNotReadyAddresses === true) reduced.publishNotReadyAddresses = true;
  if (ipFamilies !== undefined) reduced.ipFamilies = ipFamilies;
  if (ipFamilyPolicy !== undefined) reduced.ipFamilyPolicy = ipFamilyPolicy;
  return reduced;
}

function reducedPort(port: ServicePort): ServicePort {
  const { name, port: number, protocol, appProtocol, targetPort } = port;
  const reduced: Editable<ServicePort> = { port: number };
  if (name !== undefined) reduced.name = name;
  if (protocol !== undefined) reduced.protocol = protocol;
  if (appProtocol !== undefined) reduced.appProtocol = appProtocol;
  if (targetPort !== undefined) reduced.targetPort = targetPort;
  return reduced;
}
