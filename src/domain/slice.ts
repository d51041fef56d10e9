/** EndpointSlices: reading one of the source, and what its mirror has to be. */
import { isAllowedAddress, type Cidr } from "./ip.js";
import {
  HEADLESS_LABEL,
  LINK_LABEL,
  SERVICE_NAME_LABEL,
  SLICE_MANAGED_BY,
  SLICE_MANAGED_BY_LABEL,
} from "./labels.js";
import { memoised } from "./memoised.js";
import type { AddressType, Endpoint, EndpointPort, StringMap } from "./objects.js";
import type { Mark } from "./route.js";
import { serviceKey, splitKey, type ServiceKey } from "./service-key.js";

/** Short, collision-resistant and stable: hex of SHA-256, cut. Given, because the domain has no Node built-ins. */
export type Digest = (text: string, hexCharacters: number) => string;

/** What a slice says, in one spelling: equal content gives equal text. Kept as text because memory counts. */
export type SliceContent = string;

/** A slice of a ferried Service. */
export interface SourceSlice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceName: string;
  readonly addressType: AddressType;
  readonly content: SliceContent;
  readonly digest: string;
}

/** A slice of ours in the destination: what it says is kept as a digest only. */
export interface MirrorSlice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: StringMap;
  /** "namespace/name" of the source slice. */
  readonly source: string | undefined;
  readonly ownerUid: string | undefined;
  /** The mirror that its owner reference names: it is found there even when somebody edited its labels. */
  readonly ownerKey: ServiceKey | undefined;
  readonly digest: string;
}

/** A slice under a mirror's name that is not ours. */
export interface ForeignSlice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly serviceName: string;
  readonly managedBy: string | undefined;
  /** "namespace/name" of the source slice, when it is one of ours whose link label somebody took off. */
  readonly lostSource?: string | undefined;
}

export interface DesiredSlice {
  readonly name: string;
  readonly addressType: AddressType;
  readonly labels: StringMap;
  readonly source: string;
  readonly content: SliceContent;
  readonly digest: string;
  /** Addresses that the route does not allow. */
  readonly dropped: number;
}

interface ParsedContent {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly EndpointPort[];
}

/** Hex characters of a content digest: 128 bits. */
export const CONTENT_DIGEST_LENGTH = 32;

/** What travels of a slice: addresses, conditions, host name, ports. Nodes, zones, hints and targets mean nothing elsewhere. */
export function sourceContent(
  endpoints: readonly Endpoint[] | null | undefined,
  ports: readonly EndpointPort[] | null | undefined,
): SliceContent {
  return spelled(
    (endpoints ?? []).map(({ addresses, conditions, hostname }) => ({
      addresses,
      conditions: canonicalConditions(conditions),
      ...(hostname === undefined ? {} : { hostname }),
    })),
    (ports ?? []).map(canonicalEndpointPort),
  );
}

/** The same spelling for a slice of ours, with whatever somebody else put into an endpoint: that is drift. */
export function mirrorContent(
  endpoints: readonly (Endpoint & Readonly<Record<string, unknown>>)[] | null | undefined,
  ports: readonly EndpointPort[] | null | undefined,
): SliceContent {
  return spelled(
    (endpoints ?? []).map(({ addresses, conditions, hostname, ...others }) => ({
      addresses,
      conditions: canonicalConditions(conditions),
      ...(hostname === undefined ? {} : { hostname }),
      ...others,
    })),
    (ports ?? []).map(canonicalEndpointPort),
  );
}

export function parseContent(content: SliceContent): ParsedContent {
  return parsed(content, undefined);
}

/** One pass asks for the same content several times. */
const parsed = memoised<SliceContent, undefined, ParsedContent>((content) => {
  const { endpoints, ports } = JSON.parse(content) as SpelledContent; // written by spelled, nowhere else
  return { endpoints: endpoints.map(inFull), ports };
});

/** Where and for whom the mirrors of a Service's slices are made. */
export interface SliceContext {
  readonly link: string;
  readonly mark: Mark;
  readonly target: ServiceKey;
  readonly headless: boolean;
  readonly cidrs: readonly Cidr[];
  readonly digest: Digest;
}

/** One slice in, one slice out. */
export function desiredSlice(slice: SourceSlice, context: SliceContext): DesiredSlice {
  const { content, dropped } = allowedContent(slice, context.cidrs);
  return {
    name: sliceName(slice, context),
    addressType: slice.addressType,
    labels: {
      [SERVICE_NAME_LABEL]: splitKey(context.target).name,
      [SLICE_MANAGED_BY_LABEL]: SLICE_MANAGED_BY,
      [LINK_LABEL]: context.link,
      [context.mark.key]: context.mark.value,
      ...(context.headless ? { [HEADLESS_LABEL]: "" } : {}),
    },
    source: serviceKey(slice.namespace, slice.name),
    content,
    digest: dropped === 0 ? slice.digest : context.digest(content, CONTENT_DIGEST_LENGTH),
    dropped,
  };
}

/** Readable head, unique tail: two links, namespaces or families never meet in one name. */
function sliceName(slice: SourceSlice, context: SliceContext): string {
  const { name } = splitKey(context.target);
  const identity = [context.link, slice.namespace, slice.name, slice.addressType].join("\n");
  return `${name.slice(0, 40).replace(/-+$/, "")}-${context.digest(identity, 20)}`;
}

function allowedContent(
  slice: SourceSlice,
  cidrs: readonly Cidr[],
): { content: SliceContent; dropped: number } {
  if (slice.addressType === "FQDN") return { content: slice.content, dropped: 0 };
  const { endpoints, ports } = parseContent(slice.content);
  let dropped = 0;
  const allowed = endpoints.flatMap((endpoint) => {
    const addresses = endpoint.addresses.filter((address) => isAllowedAddress(address, cidrs));
    dropped += endpoint.addresses.length - addresses.length;
    return addresses.length === 0 ? [] : [{ ...endpoint, addresses }];
  });
  if (dropped === 0) return { content: slice.content, dropped };
  return { content: spelled(allowed, ports), dropped };
}

/** An endpoint, or only its address when it is an ordinary one: a fifth of the text, and there may be 100,000 of them. */
type SpelledEndpoint = Endpoint | string;

interface SpelledContent {
  readonly endpoints: readonly SpelledEndpoint[];
  readonly ports: readonly EndpointPort[];
}

/** What the endpoint controller says of a Pod that is well. */
const ORDINARY = { ready: true, serving: true, terminating: false };
const ORDINARY_TEXT = JSON.stringify(ORDINARY);

function spelled(endpoints: readonly Endpoint[], ports: readonly EndpointPort[]): SliceContent {
  return JSON.stringify({ endpoints: endpoints.map(inShort), ports });
}

function inShort(endpoint: Endpoint): SpelledEndpoint {
  const { addresses, conditions, ...others } = endpoint;
  const [address] = addresses;
  const isOrdinary =
    addresses.length === 1 &&
    JSON.stringify(conditions) === ORDINARY_TEXT &&
    Object.keys(others).length === 0;
  return isOrdinary && address !== undefined ? address : endpoint;
}

function inFull(endpoint: SpelledEndpoint): Endpoint {
  return typeof endpoint === "string" ? { addresses: [endpoint], conditions: ORDINARY } : endpoint;
}

function canonicalConditions(conditions: Endpoint["conditions"]): Record<string, boolean> {
  const { ready, serving, terminating } = conditions ?? {};
  return {
    ...(typeof ready === "boolean" ? { ready } : {}),
    ...(typeof serving === "boolean" ? { serving } : {}),
    ...(typeof terminating === "boolean" ? { terminating } : {}),
  };
}

function canonicalEndpointPort(port: EndpointPort): EndpointPort {
  return {
    name: port.name ?? "",
    ...(typeof port.port === "number" ? { port: port.port } : {}),
    protocol: port.protocol ?? "TCP",
    ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
  };
}
