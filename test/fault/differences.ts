import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "../harness/cluster.js";
import type { Stored } from "../harness/manifest.js";

/** Where to compare: namespaces of one name in both clusters. */
export interface Compared {
  readonly name: string;
  readonly from: Cluster;
  readonly to: Cluster;
}

/** One address with its port, in the one and the other form that a mirror's endpoints have. */
interface Addresses {
  readonly slices: readonly string[];
  readonly endpoints: readonly string[];
}

interface SliceFields {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null;
}

interface EndpointsFields {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip: string }[] }[];
}

/**
 * An oracle of its own, much simpler than the product: what the destination lacks, what it has too much, what differs.
 * Only for Services of few addresses, all of them ready.
 */
export async function differences({ name, from, to }: Compared): Promise<readonly string[]> {
  const [wanted, mirrors] = await Promise.all([
    from.list("Service", name, "sync=true"),
    to.list("Service", name, "svc-ferry.io/link"),
  ]);
  const [sourceSlices, mirrorSlices, endpoints] = await Promise.all([
    from.list("EndpointSlice", name),
    to.list("EndpointSlice", name),
    to.list("Endpoints", name),
  ]);
  const wantedNames = new Set(wanted.map(nameOf));
  return [
    ...mirrors
      .map(nameOf)
      .filter((mirror) => !wantedNames.has(mirror))
      .map((one) => `${one}: too much`),
    ...wanted.flatMap((service) => {
      const one = nameOf(service);
      const mirror = mirrors.find((each) => nameOf(each) === one);
      if (mirror === undefined) return [`${one}: missing`];
      const sourceAddresses = addressesOf(sourceSlices, one);
      return [
        ...servicesDiffer(service, mirror),
        ...addressesDiffer(one, sourceAddresses, {
          slices: addressesOf(mirrorSlices, one),
          endpoints: endpoints
            .filter((each) => nameOf(each) === one)
            .flatMap(endpointAddresses)
            .sort(),
        }),
      ];
    }),
    ...orphans(mirrorSlices, wantedNames),
  ];
}

function servicesDiffer(service: Stored, mirror: Stored): readonly string[] {
  const name = nameOf(service);
  const sourceUid = mirror.metadata.annotations?.["svc-ferry.io/source-uid"];
  return [
    ...(isDeepStrictEqual(portsOf(service), portsOf(mirror)) ? [] : [`${name}: other ports`]),
    ...(sourceUid === service.metadata.uid ? [] : [`${name}: mirror of another uid`]),
  ];
}

function addressesDiffer(
  name: string,
  source: readonly string[],
  mirror: Addresses,
): readonly string[] {
  return [
    ...(isDeepStrictEqual(source, mirror.slices)
      ? []
      : [`${name}: slices have ${mirror.slices.join()}`]),
    ...(isDeepStrictEqual(source, mirror.endpoints)
      ? []
      : [`${name}: Endpoints have ${mirror.endpoints.join()}`]),
  ];
}

function orphans(slices: readonly Stored[], wanted: ReadonlySet<string>): readonly string[] {
  return slices
    .filter((slice) => !wanted.has(slice.metadata.labels?.["kubernetes.io/service-name"] ?? ""))
    .map((slice) => `slice ${nameOf(slice)}: too much`);
}

function portsOf({ ["spec"]: spec }: Stored): unknown {
  const { ports } = spec as { readonly ports: readonly Readonly<Record<string, unknown>>[] };
  return ports.map(({ name, port, protocol, targetPort }) => ({
    name,
    port,
    protocol,
    targetPort,
  }));
}

function addressesOf(slices: readonly Stored[], service: string): readonly string[] {
  return slices
    .filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === service)
    .flatMap((slice) => (slice as unknown as SliceFields).endpoints ?? [])
    .flatMap(({ addresses }) => addresses)
    .sort();
}

function endpointAddresses(object: Stored): readonly string[] {
  const { subsets = [] } = object as unknown as EndpointsFields;
  return subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
}

function nameOf({ metadata }: Stored): string {
  return metadata.name;
}
