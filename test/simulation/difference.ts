/** Compares a world with the oracle: every sentence is one thing that is not as it must be. */
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../src/ports/kube-resources.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import {
  addressLines,
  content,
  mirrorOf,
  portLines,
  retained,
  rightful,
  unique,
  wishes,
  type Mirror,
  type Wish,
} from "./oracle.js";
import {
  all,
  annotation,
  keyOf,
  label,
  type RawEndpoints,
  type RawService,
  type RawSlice,
} from "./raw.js";

const LINK = "svc-ferry.io/link";
const SOURCE = "svc-ferry.io/source";

/**
 * Empty: all destinations are what the source, and who holds the names, make of them.
 *
 * @param families of the destinations
 */
export function differences(world: SimulatedWorld, families: readonly string[]): readonly string[] {
  const slices = all<RawSlice>(world.source, ENDPOINT_SLICES);
  const services = all<RawService>(world.source, SERVICES);
  const wanted = services.flatMap(wishes);
  const selectorKeys = world.destinations.length > 1 ? ["sync", "tier"] : ["sync"];
  return world.destinations.flatMap((server, index) => {
    const mine = wanted.filter(({ destination }) => destination === index);
    const seen = new Seen(server);
    const kept = [...seen.mirrors].flatMap(([target, mirror]) =>
      services
        .filter((service) => keyOf(service) === annotation(mirror, SOURCE))
        .flatMap((service) => retained(service, { destination: index, target })),
    );
    return destinationDifferences({ seen, selectorKeys, families }, [...mine, ...kept], slices).map(
      (text) => `destination-${index} ${text}`,
    );
  });
}

interface Place {
  readonly seen: Seen;
  readonly selectorKeys: readonly string[];
  /** Of the destination. */
  readonly families: readonly string[];
}

function destinationDifferences(
  { seen, selectorKeys, families }: Place,
  wanted: readonly Wish[],
  sourceSlices: readonly RawSlice[],
): readonly string[] {
  const targets = new Set([...wanted.map(({ target }) => target), ...seen.mirrors.keys()]);
  const expected = new Map<string, Mirror>();
  const skipped = new Set<string>();
  for (const target of targets) {
    const candidates = wanted.filter((wish) => wish.target === target);
    if (candidates.length === 0 || seen.foreign.has(target)) continue;
    const there = seen.mirrors.get(target);
    const winner = rightful(candidates, there && annotation(there, SOURCE));
    const family = familyOf(winner.service, families, there);
    if (family === undefined) skipped.add(target);
    else expected.set(target, mirrorOf(winner, sourceSlices, selectorKeys, family));
  }
  const isExpected = (target: string): boolean => expected.has(target) || skipped.has(target);
  return [
    ...[...targets]
      .filter((target) => expected.has(target) || !isExpected(target))
      .flatMap((target) => compare(target, expected.get(target), seen)),
    ...seen.orphans(isExpected),
  ];
}

/**
 * The family of a mirror: what it has, if both clusters have that, which a headless one shows by itself; undefined: they have
 * none in common, and what lies there is left alone.
 */
function familyOf(
  { spec }: RawService,
  available: readonly string[],
  there: RawService | undefined,
): string | undefined {
  if (spec.type === "ExternalName") return "none";
  const has = there?.spec.ipFamilies?.[0];
  const shown = there?.spec.clusterIP === "None" && has !== undefined ? [has] : [];
  const common = (spec.ipFamilies ?? []).filter((family) =>
    [...available, ...shown].includes(family),
  );
  if (has !== undefined && common.includes(has)) return has;
  return common[0];
}

function compare(target: string, expected: Mirror | undefined, seen: Seen): readonly string[] {
  const actual = seen.mirror(target);
  if (expected === undefined) {
    return actual === undefined
      ? []
      : [`${target}: a mirror of ${actual.source} that nobody wants`];
  }
  if (actual === undefined) return [`${target}: no mirror of ${expected.source}`];
  if (actual.source !== expected.source) {
    return [`${target}: mirrors ${actual.source}, not ${expected.source}`];
  }
  const keepsForeign = seen.strangeEndpoints(target, expected.endpoints ?? []);
  // A Service that never had a slice has no Endpoints, and one that lost them all has empty ones.
  const mayLack = expected.slices.length === 0 && actual.endpoints === undefined;
  const endpoints = keepsForeign || mayLack ? undefined : expected.endpoints;
  return [
    ...lineDifferences(`${target} service`, expected.service, actual.service),
    ...lineDifferences(`${target} slices`, expected.slices, actual.slices),
    ...lineDifferences(`${target} endpoints`, endpoints ?? ["none"], actual.endpoints ?? ["none"]),
  ];
}

function lineDifferences(
  what: string,
  expected: readonly string[],
  actual: readonly string[],
): readonly string[] {
  return [
    ...expected.filter((line) => !actual.includes(line)).map((line) => `${what}: lacks ${line}`),
    ...actual.filter((line) => !expected.includes(line)).map((line) => `${what}: has ${line}`),
    ...(new Set(actual).size < actual.length ? [`${what}: has a line twice`] : []),
  ];
}

/** One destination as it is. */
class Seen {
  readonly mirrors = new Map<string, RawService>();
  readonly foreign = new Set<string>();
  readonly #slices: readonly RawSlice[];
  readonly #endpoints: readonly RawEndpoints[];

  constructor(server: MemoryApiServer) {
    for (const service of all<RawService>(server, SERVICES)) {
      const isOurs = [label(service, LINK), annotation(service, LINK)].includes("simulated");
      if (isOurs) this.mirrors.set(keyOf(service), service);
      else this.foreign.add(keyOf(service));
    }
    this.#slices = all<RawSlice>(server, ENDPOINT_SLICES);
    this.#endpoints = all<RawEndpoints>(server, ENDPOINTS);
  }

  mirror(target: string): Mirror | undefined {
    const service = this.mirrors.get(target);
    if (service === undefined) return undefined;
    const endpoints = this.#endpoints.find((one) => keyOf(one) === target && isOurs(one));
    return {
      source: annotation(service, SOURCE) ?? "unknown",
      service: actualLines(service),
      slices: this.#slices
        .filter((slice) => isUnder(slice, target) && !isStrange(slice))
        .map((slice) => sliceLine(slice, service))
        .toSorted(),
      endpoints:
        endpoints === undefined
          ? undefined
          : [...endpointsLines(endpoints), ...ownerLines(endpoints, service)],
    };
  }

  /** Endpoints of that name that are not ours and hold addresses that the source does not have: they must stay. */
  strangeEndpoints(target: string, expected: readonly string[]): boolean {
    const there = this.#endpoints.find((one) => keyOf(one) === target);
    if (there === undefined || isOurs(there)) return false;
    const ips = (there.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) =>
      [...addresses, ...notReadyAddresses].map(({ ip }) => ip),
    );
    return ips.length > 0 && !ips.some((ip) => expected.some((line) => line.startsWith(`${ip} `)));
  }

  /** Slices and Endpoints of ours under names where no mirror has to be. */
  orphans(isExpected: (target: string) => boolean): readonly string[] {
    const slices = this.#slices.filter(isOurs).map((slice) => ({
      kind: "slice",
      target: `${slice.metadata.namespace ?? ""}/${label(slice, "kubernetes.io/service-name") ?? ""}`,
    }));
    const endpoints = this.#endpoints
      .filter(isOurs)
      .map((one) => ({ kind: "Endpoints", target: keyOf(one) }));
    return [...slices, ...endpoints]
      .filter(({ target }) => !isExpected(target))
      .map(({ kind, target }) => `${target}: a left-over ${kind}`);
  }
}

function isOurs(object: RawSlice | RawEndpoints): boolean {
  return label(object, LINK) === "simulated";
}

function isUnder(slice: RawSlice, target: string): boolean {
  const name = label(slice, "kubernetes.io/service-name") ?? "";
  return `${slice.metadata.namespace ?? ""}/${name}` === target;
}

/** Somebody's own slice under a mirror's name: it stays, and a report says so. */
function isStrange(slice: RawSlice): boolean {
  return label(slice, "endpointslice.kubernetes.io/managed-by") === "a-person";
}

/** People may add what they like, as long as it is theirs: where the mark has another key, "sync" is. */
function actualLines(service: RawService): readonly string[] {
  const { spec, metadata } = service;
  const labels = Object.entries(metadata.labels ?? {}).filter(
    ([key, value]) => !key.startsWith("person.example/") && !(key === "sync" && value === "true"),
  );
  return [
    `uid ${annotation(service, "svc-ferry.io/source-uid") ?? ""}`,
    `type ${spec.type ?? ""}`,
    `headless ${spec.clusterIP === "None"}`,
    `externalName ${spec.externalName ?? ""}`,
    `ports ${portLines(spec.ports ?? [])}`,
    `affinity ${spec.sessionAffinity ?? ""}`,
    `publishNotReady ${spec.publishNotReadyAddresses ?? false}`,
    `family ${spec.ipFamilies?.[0] ?? ""}`,
    `policy ${spec.ipFamilyPolicy ?? ""}`,
    `selector ${JSON.stringify(spec.selector ?? {})}`,
    `note ${(annotation(service, "example.com/note") ?? "").replace("mine", "")}`,
    ...labels.map(([key, value]) => `label ${key}=${value}`),
  ].toSorted();
}

/** As with mirrors, what people add stays; here that is the label "odd". */
function sliceLine(slice: RawSlice, mirror: RawService): string {
  const known = [
    "kubernetes.io/service-name",
    "endpointslice.kubernetes.io/managed-by",
    LINK,
    "service.kubernetes.io/headless",
    "sync",
    "ferried",
    "odd",
  ];
  const { labels = {} } = slice.metadata;
  const odd = [
    ...Object.keys(labels).filter((key) => !known.includes(key)),
    ...ownerLines(slice, mirror),
    ...(isOurs(slice) ? [] : ["without our link"]),
    ...(label(slice, "endpointslice.kubernetes.io/managed-by") === "svc-ferry.io"
      ? []
      : ["managed by another"]),
    ...((labels["service.kubernetes.io/headless"] !== undefined) ===
    (mirror.spec.clusterIP === "None")
      ? []
      : ["headless or not"]),
  ];
  const remark = odd.length === 0 ? "" : ` (${odd.join(", ")})`;
  return `${annotation(slice, SOURCE) ?? keyOf(slice)} ${content(slice)}${remark}`;
}

function endpointsLines({ subsets }: RawEndpoints): readonly string[] {
  return unique(
    (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
      ...addresses.flatMap(({ ip, hostname }) => addressLines(ip, hostname, ports)),
      ...notReadyAddresses.map(({ ip }) => `${ip} not ready`),
    ]),
  );
}

function ownerLines(object: RawSlice | RawEndpoints, mirror: RawService): readonly string[] {
  const [owner] = object.metadata.ownerReferences ?? [];
  return owner?.uid === mirror.metadata.uid ? [] : ["owned by another"];
}
