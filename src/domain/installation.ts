/** What one installation is, once its configuration is read and its source cluster has answered. Pure. */
import { parseCidr, type Cidr } from "./ip.js";
import { routeOf } from "./labels.js";
import type { StringMap } from "./objects.js";
import type { Route } from "./route.js";
import { selectorKeys } from "./selection.js";
import type { Digest } from "./slice.js";

export interface Installation {
  /** Whose our objects are. */
  readonly link: string;
  /** UID of the source's kube-system. */
  readonly sourceCluster: string;
  readonly routes: readonly Route[];
  readonly selectorKeys: ReadonlySet<string>;
  /** `name@digest` by route name: tells a mirror's route from one of the same name in another configuration. */
  readonly routeRecords: ReadonlyMap<string, string>;
  readonly pausedRoutes: ReadonlySet<string>;
  readonly cidrs: ReadonlyMap<string, readonly Cidr[]>;
}

export interface InstallationFacts {
  readonly routes: readonly Route[];
  /** `--link`. */
  readonly link: string | undefined;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly sourceCluster: string;
  readonly digest: Digest;
}

const MAX_LABEL_VALUE = 63;
const DIGEST_LENGTH = 8;

export function installation(facts: InstallationFacts): Installation {
  const { routes, digest } = facts;
  return {
    link: facts.link ?? defaultLink(facts),
    sourceCluster: facts.sourceCluster,
    routes,
    selectorKeys: selectorKeys(routes),
    routeRecords: new Map(
      routes.map((route) => [route.name, `${route.name}@${digest(spelling(route), 8)}`]),
    ),
    pausedRoutes: new Set(routes.filter((route) => route.paused).map((route) => route.name)),
    cidrs: new Map(
      routes.map((route) => [
        route.name,
        route.addressCidrs.flatMap((text) => parseCidr(text) ?? []),
      ]),
    ),
  };
}

/**
 * Did a route of this configuration make the mirror? Of one whose record somebody took away: is there a route that takes
 * Services of that namespace there?
 */
export function madeByKnownRoute(
  { routes, routeRecords }: Pick<Installation, "routes" | "routeRecords">,
  mirror: { readonly annotations: StringMap },
  from: { readonly namespace: string; readonly destination: string },
): boolean {
  const record = routeOf(mirror.annotations);
  if (record === undefined) {
    return routes.some(
      ({ namespaces, destination }) =>
        destination === from.destination &&
        (namespaces === "all" || namespaces.includes(from.namespace)),
    );
  }
  return [...routeRecords.values()].some((one) => one.endsWith(`@${record.digest}`));
}

/** May this very route have made the mirror? It says so by name, or by what it selects and where to if the route was renamed. */
export function madeByRoute(
  { routeRecords }: Pick<Installation, "routeRecords">,
  mirror: { readonly annotations: StringMap },
  route: Pick<Route, "name">,
): boolean {
  const record = routeOf(mirror.annotations);
  if (record === undefined || record.name === route.name) return true;
  return routeRecords.get(route.name)?.endsWith(`@${record.digest}`) === true;
}

/** `<lease namespace>.<lease name>.<8 of the UID>`; a head that is too long is cut and told apart by a digest. */
function defaultLink(facts: InstallationFacts): string {
  const uid = facts.sourceCluster.slice(0, 8);
  const head = `${facts.lease.namespace}.${facts.lease.name}`;
  const room = MAX_LABEL_VALUE - uid.length - 1;
  if (head.length <= room) return `${head}.${uid}`;
  const digest = facts.digest(head, DIGEST_LENGTH);
  const cut = head.slice(0, room - DIGEST_LENGTH - 1).replace(/[^a-zA-Z0-9]+$/, "");
  return `${cut}.${digest}.${uid}`;
}

/** What decides which Services a route selects and where they go; the rest may change without moving a mirror. */
function spelling(route: Route): string {
  const namespaces = route.namespaces === "all" ? "all" : [...route.namespaces].sort();
  return JSON.stringify([namespaces, route.selector.text, route.destination, route.target]);
}
