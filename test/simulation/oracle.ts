/**
 * What a destination must be, f(source, holders): written from the design alone, in as few words as possible, so that
 * it can judge the product's own rules. Texts, because two texts differ where two objects do.
 */
import { annotation, keyOf, label, type RawPort, type RawService, type RawSlice } from "./raw.js";

/** One wish: this Service wants that name there. */
export interface Wish {
  /** Index of the destination. */
  readonly destination: number;
  /** "namespace/name" in the destination. */
  readonly target: string;
  readonly service: RawService;
  /** The mark that its route puts on a mirror. */
  readonly mark: readonly [key: string, value: string];
}

/** Everything about one mirror that must be right. */
export interface Mirror {
  readonly source: string;
  /** One line per property. */
  readonly service: readonly string[];
  /** One line per slice. */
  readonly slices: readonly string[];
  /** One line per ready address and port; undefined: it must have no Endpoints of ours. */
  readonly endpoints: readonly string[] | undefined;
}

const IS_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Where a Service wants to be, and may be. */
export function wishes(service: RawService): readonly Wish[] {
  return asked(service).filter(({ isRefused }) => !isRefused);
}

/**
 * A Service that asks for what is refused goes on wanting the name that its mirror has (a slip takes nothing away), but
 * for a name that the route itself no longer allows.
 */
export function retained(
  service: RawService,
  { destination, target }: Pick<Wish, "destination" | "target">,
): readonly Wish[] {
  return asked(service)
    .filter((wish) => wish.isRefused && wish.destination === destination && wish.target !== target)
    .map((wish) => ({ ...wish, target }));
}

function asked(service: RawService): readonly (Wish & { readonly isRefused: boolean })[] {
  const { namespace = "", name, deletionTimestamp } = service.metadata;
  const isMirror =
    label(service, "app.kubernetes.io/managed-by") === "svc-ferry" ||
    label(service, "sync") === "true-external" ||
    label(service, "ferried") === "yes" ||
    label(service, "svc-ferry.io/link") !== undefined;
  if (isMirror || deletionTimestamp !== undefined) return [];
  const synced = label(service, "sync") === "true";
  const gold = ["gold", "silver"].includes(label(service, "tier") ?? "");
  const targetName = annotation(service, "svc-ferry.io/target-name") ?? name;
  const targetNamespace = annotation(service, "svc-ferry.io/target-namespace");
  const wish = (
    destination: number,
    home: string,
    allowed: readonly string[],
    mark: Wish["mark"],
  ): ReturnType<typeof asked> => {
    const there = targetNamespace ?? home;
    const isAllowed = there === home || allowed.includes(there);
    const isRefused = !isAllowed || !IS_NAME.test(targetName);
    return [{ destination, target: `${there}/${targetName}`, service, mark, isRefused }];
  };
  const SYNC = ["sync", "true-external"] as const;
  return [
    ...(synced ? wish(0, "apps", ["apps-2"], SYNC) : []),
    ...(gold && namespace === "shop" ? wish(1, "copy-shop", [], ["ferried", "yes"]) : []),
    ...(synced && namespace === "team" ? wish(1, "copy-shop", [], SYNC) : []),
  ];
}

/** Who must have the name: whoever has it keeps it as long as it wants it, else the oldest, else the first by key. */
export function rightful(candidates: readonly Wish[], holder: string | undefined): Wish {
  const order = ({ service }: Wish): string =>
    `${service.metadata.creationTimestamp ?? ""} ${keyOf(service)}`;
  const [first] = candidates.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  const holding = candidates.find(({ service }) => keyOf(service) === holder);
  if (first === undefined) throw new TypeError("nobody wants it");
  return holding ?? first;
}

/**
 * The mirror of `wish`, given all slices of the source.
 *
 * @param selectorKeys keys of any route's selector: a mirror must never be selected itself
 * @param family the one that both clusters have
 */
export function mirrorOf(
  wish: Wish,
  sourceSlices: readonly RawSlice[],
  selectorKeys: readonly string[],
  family: string | undefined,
): Mirror {
  const { service } = wish;
  const slices = sourceSlices.filter(
    (slice) =>
      slice.metadata.namespace === service.metadata.namespace &&
      label(slice, "kubernetes.io/service-name") === service.metadata.name,
  );
  const isExternal = service.spec.type === "ExternalName";
  const publishes = service.spec.publishNotReadyAddresses === true;
  return {
    source: keyOf(service),
    service: serviceLines(wish, selectorKeys, family),
    slices: isExternal ? [] : slices.map((slice) => `${keyOf(slice)} ${content(slice)}`).toSorted(),
    endpoints: isExternal
      ? undefined
      : unique(slices.flatMap((slice) => readyLines(slice, family, publishes))),
  };
}

function serviceLines(
  { service, mark }: Wish,
  selectorKeys: readonly string[],
  family: string | undefined,
): readonly string[] {
  const { spec } = service;
  const isExternal = spec.type === "ExternalName";
  return [
    `uid ${service.metadata.uid ?? ""}`,
    `type ${isExternal ? "ExternalName" : "ClusterIP"}`,
    `headless ${!isExternal && spec.clusterIP === "None"}`,
    `externalName ${isExternal ? (spec.externalName ?? "") : ""}`,
    `ports ${portLines(spec.ports ?? [])}`,
    `affinity ${isExternal ? "None" : (spec.sessionAffinity ?? "None")}`,
    `publishNotReady ${spec.publishNotReadyAddresses ?? false}`,
    `family ${isExternal ? "" : (family ?? "")}`,
    `policy ${isExternal ? "" : (spec.ipFamilies ?? []).length > 1 ? "PreferDualStack" : "SingleStack"}`,
    "selector {}",
    `note ${annotation(service, "example.com/note") ?? ""}`,
    ...travelling(service, selectorKeys).map(([key, value]) => `label ${key}=${value}`),
    `label ${mark[0]}=${mark[1]}`,
    "label app.kubernetes.io/managed-by=svc-ferry",
    "label svc-ferry.io/link=simulated",
  ].toSorted();
}

/** Labels that a mirror has from its source. */
function travelling(
  service: RawService,
  selectorKeys: readonly string[],
): readonly (readonly [string, string])[] {
  const stays = [...selectorKeys, "helm.sh/chart", "app.kubernetes.io/managed-by"];
  return Object.entries(service.metadata.labels ?? {}).filter(([key]) => !stays.includes(key));
}

export function portLines(ports: readonly RawPort[]): string {
  return ports
    .map(({ name = "", port, protocol = "TCP", appProtocol = "", targetPort }) =>
      [name, port, protocol, appProtocol, targetPort ?? port].join(" "),
    )
    .join("; ");
}

/** What travels of a slice. */
export function content({ addressType, endpoints, ports }: RawSlice): string {
  const parts = (endpoints ?? []).map(({ addresses, hostname = "", conditions = {} }) => {
    const { ready = "?", serving = "?", terminating = "?" } = conditions;
    return [addresses.join(","), hostname, ready, serving, terminating].join(" ");
  });
  const numbers = (ports ?? []).map((port) =>
    [port.name ?? "", port.port ?? "", port.protocol ?? "TCP", port.appProtocol ?? ""].join(" "),
  );
  return `${addressType ?? ""} [${parts.join("; ")}] [${numbers.join("; ")}]`;
}

/** Ready addresses of one family with each of their ports. */
function readyLines(
  slice: RawSlice,
  family: string | undefined,
  publishesNotReady: boolean,
): readonly string[] {
  if (slice.addressType !== family) return [];
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => publishesNotReady || conditions?.["ready"] !== false)
    .flatMap(({ addresses, hostname }) =>
      addresses.flatMap((ip) => addressLines(ip, hostname, slice.ports ?? [])),
    );
}

export function addressLines(
  ip: string,
  hostname: string | undefined,
  ports: readonly RawPort[],
): readonly string[] {
  const all = ports.length === 0 ? [{}] : ports;
  return all.map(({ name = "", port, protocol = "TCP" }: RawPort) =>
    [ip, hostname ?? "", name, port ?? "", protocol].join(" "),
  );
}

export function unique(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)].toSorted();
}
