/** core/v1 Endpoints, for those who still read them: what all slices of a mirror say together, in the old form. */
import type { StringMap, Endpoint, EndpointPort, IpFamily } from "./objects.js";
import {
  LINK_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OVER_CAPACITY_ANNOTATION,
  SKIP_MIRROR_LABEL,
  SOURCE_ANNOTATION,
} from "./labels.js";
import type { Mark } from "./route.js";
import { parseContent, type DesiredSlice } from "./slice.js";

/** Endpoints of ours in the destination, or of the one from whom we adopt. */
export interface MirrorEndpoints {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly ownerUid: string | undefined;
  /** Of the subsets in canonical spelling. */
  readonly digest: string;
}

interface EndpointAddress {
  readonly ip: string;
  readonly hostname?: string;
}

export interface EndpointSubset {
  readonly addresses?: readonly EndpointAddress[] | null;
  readonly notReadyAddresses?: readonly EndpointAddress[] | null;
  readonly ports?: readonly EndpointPort[] | null;
}

export interface DesiredEndpoints {
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly subsets: readonly EndpointSubset[];
  /** Canonical spelling of the subsets. */
  readonly content: string;
  /** Ready addresses before truncation. */
  readonly ready: number;
}

/** The endpoints controller's own limit (pkg/controller/endpoint, maxCapacity); above it, it truncates and says so. */
export const MAX_ENDPOINTS_ADDRESSES = 1_000;

export interface EndpointsContext {
  /** With slices of ours beside them they are marked skip-mirror; alone, the destination's controller makes slices of them. */
  readonly mode: "slices" | "endpoints" | "both";
  readonly link: string;
  readonly mark: Mark;
  readonly source: string;
  /** Endpoints know one family: the mirror's primary one. undefined: whatever there is. */
  readonly family: IpFamily | undefined;
  readonly publishNotReadyAddresses: boolean;
}

/** Ready addresses of the primary family, grouped by their ports, sorted so that equal sets give equal text. */
export function desiredEndpoints(
  slices: readonly DesiredSlice[],
  context: EndpointsContext,
): DesiredEndpoints {
  const all = readyAddresses(slices, context);
  const kept = all.slice(0, MAX_ENDPOINTS_ADDRESSES);
  const subsets = groupByPorts(kept);
  return {
    labels: {
      [MANAGED_BY_LABEL]: MANAGED_BY,
      [LINK_LABEL]: context.link,
      [context.mark.key]: context.mark.value,
      ...(context.mode === "both" ? { [SKIP_MIRROR_LABEL]: "true" } : {}),
    },
    annotations: {
      [SOURCE_ANNOTATION]: context.source,
      ...(all.length > kept.length ? { [OVER_CAPACITY_ANNOTATION]: "truncated" } : {}),
    },
    subsets,
    content: endpointsContent(subsets),
    ready: new Set(all.map(({ address }) => address.ip)).size,
  };
}

/**
 * Subsets in one spelling: the set of (address, port) pairs. The API server repacks subsets by itself
 * (pkg/api/endpoints, RepackSubsets), so their grouping and order mean nothing.
 */
export function endpointsContent(subsets: readonly EndpointSubset[] | null | undefined): string {
  return [...new Set((subsets ?? []).flatMap(pairs))].sort().join("\n");
}

interface ReadyAddress {
  readonly address: EndpointAddress;
  readonly ports: readonly EndpointPort[];
  /** Ports in one spelling: the group. */
  readonly group: string;
}

function readyAddresses(
  slices: readonly DesiredSlice[],
  context: EndpointsContext,
): readonly ReadyAddress[] {
  const found = new Map<string, ReadyAddress>();
  for (const slice of slices) {
    if (slice.addressType === "FQDN") continue;
    if (context.family !== undefined && slice.addressType !== context.family) continue;
    const { endpoints, ports } = parseContent(slice.content);
    const group = JSON.stringify(ports);
    for (const endpoint of endpoints.filter((one) => isReady(one, context))) {
      for (const ip of endpoint.addresses) {
        const { hostname } = endpoint;
        const address = { ip, ...(hostname === undefined ? {} : { hostname }) };
        found.set(`${group} ${ip}`, { address, ports, group });
      }
    }
  }
  return oneHostname([...found.keys()].sort().flatMap((key) => found.get(key) ?? []));
}

/** Where the API server repacks subsets, it keeps one host name for an address: the first one. */
function oneHostname(addresses: readonly ReadyAddress[]): readonly ReadyAddress[] {
  const addressByIp = new Map<string, EndpointAddress>();
  return addresses.map((ready) => {
    const address = addressByIp.get(ready.address.ip) ?? ready.address;
    addressByIp.set(address.ip, address);
    return { ...ready, address };
  });
}

/** A condition that is not set means ready (discovery/v1 EndpointConditions). */
function isReady(endpoint: Endpoint, context: EndpointsContext): boolean {
  return context.publishNotReadyAddresses || endpoint.conditions?.ready !== false;
}

function groupByPorts(addresses: readonly ReadyAddress[]): readonly EndpointSubset[] {
  const subsets = new Map<
    string,
    { ports: readonly EndpointPort[]; addresses: EndpointAddress[] }
  >();
  for (const { address, ports, group } of addresses) {
    const subset = subsets.get(group) ?? { ports, addresses: [] };
    subset.addresses.push(address);
    subsets.set(group, subset);
  }
  return [...subsets.values()].map(({ ports, addresses: ready }) => ({
    addresses: ready,
    // A port without a number ("all ports") has no form in Endpoints.
    ports: ports.filter((port) => port.port !== undefined).map(withoutEmptyName),
  }));
}

function withoutEmptyName(port: EndpointPort): EndpointPort {
  const { name, ...rest } = port;
  return name === undefined || name === "" ? rest : { name, ...rest };
}

function pairs(subset: EndpointSubset): readonly string[] {
  const ports = (subset.ports ?? []).map((port) =>
    [port.name ?? "", port.port ?? "", port.protocol ?? "TCP", port.appProtocol ?? ""].join(" "),
  );
  const spell = (state: string, addresses: EndpointSubset["addresses"]): string[] =>
    (addresses ?? []).flatMap(({ ip, hostname = "" }) =>
      (ports.length === 0 ? [""] : ports).map((port) => `${state} ${ip} ${hostname} ${port}`),
    );
  return [...spell("ready", subset.addresses), ...spell("not-ready", subset.notReadyAddresses)];
}
