/** EndpointSlices and Endpoints as the API server completes and checks them. Facts measured on 1.36.3. */
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { Problem } from "./api-failure.js";
import { isObject, omitEmpty, sameJson } from "./json.js";
import type { KindRules } from "./kind-rules.js";
import { familyOf } from "./service-addresses.js";

interface Endpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: object;
}

interface EndpointPort {
  readonly name?: string;
  readonly port?: number | null;
  readonly protocol?: string;
}

interface Slice extends KubeObject {
  readonly addressType?: string;
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly EndpointPort[] | null;
}

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
  readonly notReadyAddresses?: readonly { readonly ip: string }[];
  readonly ports?: readonly EndpointPort[];
}

/** pkg/apis/discovery/validation: at most 1000 endpoints, 100 addresses each. */
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;

export const ENDPOINT_SLICE_RULES: KindRules = {
  createsOnUpdate: false,
  needsResourceVersion: false,
  hasGeneration: true,
  complete(object) {
    const slice: Slice = object;
    const endpoints = (slice.endpoints ?? []).map((endpoint) => ({
      ...endpoint,
      conditions: withoutNulls(endpoint.conditions ?? {}),
    }));
    const ports = (slice.ports ?? []).map((port) => ({
      ...withoutNulls(port),
      name: port.name ?? "",
      protocol: port.protocol ?? "TCP",
    }));
    // Empty lists come back as null (measured).
    const lists = { endpoints: orNull(endpoints), ports: orNull(ports) };
    return { ...object, ...lists };
  },
  problems(object, before) {
    const slice: Slice = object;
    const old: Slice | undefined = before;
    return [
      ...addressTypeProblems(slice, old),
      ...portNameProblems(slice.ports ?? []),
      ...endpointProblems(slice),
    ];
  },
};

/** Nothing is sorted, merged or de-duplicated here (measured): Endpoints come back as they were sent, with protocols. */
export const ENDPOINTS_RULES: KindRules = {
  createsOnUpdate: true,
  needsResourceVersion: false,
  hasGeneration: false,
  complete(object) {
    const { subsets: sent, ...rest } = object as KubeObject & { subsets?: readonly Subset[] };
    if (sent === undefined || sent.length === 0) return rest;
    const subsets = sent.map((subset) => ({
      ...omitEmpty(subset),
      ...(subset.ports && {
        ports: subset.ports.map((port) => ({ ...port, protocol: port.protocol ?? "TCP" })),
      }),
    }));
    const complete = { ...rest, subsets };
    return complete;
  },
  problems(object) {
    const subsets = (object as { subsets?: readonly Subset[] }).subsets ?? [];
    return subsets.flatMap((subset, i) => subsetProblems(subset, `subsets[${i}]`));
  },
};

function subsetProblems(subset: Subset, field: string): Problem[] {
  const ready = subset.addresses ?? [];
  const unready = subset.notReadyAddresses ?? [];
  const ports = subset.ports ?? [];
  if (ready.length + unready.length === 0) {
    return [{ field, what: "Required value: must specify `addresses` or `notReadyAddresses`" }];
  }
  return [
    ...ready.flatMap(({ ip }, i) => rangeProblems(ip, `${field}.addresses[${i}].ip`)),
    ...unready.flatMap(({ ip }, i) => rangeProblems(ip, `${field}.notReadyAddresses[${i}].ip`)),
    ...ports.flatMap((port, i) =>
      ports.length > 1 && (port.name ?? "") === ""
        ? [{ field: `${field}.ports[${i}].name`, what: "Required value" }]
        : [],
    ),
  ];
}

function addressTypeProblems(slice: Slice, before: Slice | undefined): Problem[] {
  const field = "addressType";
  const type = slice.addressType ?? "";
  if (type === "") return [{ field, what: "Required value" }];
  if (!["IPv4", "IPv6", "FQDN"].includes(type)) {
    return [{ field, what: `Unsupported value: "${type}"` }];
  }
  const changed = before !== undefined && !sameJson(before.addressType, type);
  return changed ? [{ field, what: `Invalid value: "${type}": field is immutable` }] : [];
}

function portNameProblems(ports: readonly EndpointPort[]): Problem[] {
  return ports.flatMap((port, i) =>
    ports.findIndex((other) => other.name === port.name) < i
      ? [{ field: `ports[${i}].name`, what: `Duplicate value: "${port.name ?? ""}"` }]
      : [],
  );
}

function endpointProblems(slice: Slice): Problem[] {
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > MAX_ENDPOINTS) {
    const what = `Too many: ${endpoints.length}: must have at most ${MAX_ENDPOINTS} items`;
    return [{ field: "endpoints", what }];
  }
  return endpoints.flatMap((endpoint, i) => {
    const field = `endpoints[${i}].addresses`;
    const addresses = endpoint.addresses ?? [];
    if (addresses.length === 0) {
      return [{ field, what: "Required value: must contain at least 1 address" }];
    }
    if (addresses.length > MAX_ADDRESSES) return [{ field, what: `Too many: ${addresses.length}` }];
    return addresses.flatMap((address, j) =>
      addressProblems(address, slice.addressType, `${field}[${j}]`),
    );
  });
}

function addressProblems(address: string, type: string | undefined, field: string): Problem[] {
  if (type === "FQDN") return [];
  if (familyOf(address) !== type) {
    return [{ field, what: `Invalid value: "${address}": must be an ${type ?? ""} address` }];
  }
  return rangeProblems(address, field);
}

function rangeProblems(address: string, field: string): Problem[] {
  const refused = (range: string): Problem[] => [
    { field, what: `Invalid value: "${address}": may not be in the ${range} range` },
  ];
  if (address.startsWith("127.") || address === "::1") return refused("loopback");
  if (address.startsWith("169.254.") || /^fe[89ab]/i.test(address)) return refused("link-local");
  if (/^22[4-9]\.|^23\d\./.test(address) || /^ff/i.test(address)) return refused("multicast");
  if (address === "0.0.0.0" || address === "::") return refused("unspecified");
  return [];
}

function withoutNulls(value: object): object {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null))
    : value;
}

function orNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items;
}
