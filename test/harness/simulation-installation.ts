/** The installation that the simulation runs: two destinations, routes that overlap, names that meet. */
import type { Config } from "../../src/config/config.js";
import type { Route } from "../../src/domain/route.js";

/** Namespaces with Services that may be ferried. */
export const SOURCE_NAMESPACES = ["shop", "team"] as const;
export const LINK = "simulated";
/** Holds the election's Lease in the source. */
export const LEASE_NAMESPACE = "k8s-sync";
/** What the source is called; the destinations are called `destination-0`, `destination-1`. */
export const SOURCE = "source";

export function destinationName(index: number): string {
  return `destination-${index}`;
}

/** Namespaces of all destinations in which mirrors may lie. */
export const TARGET_NAMESPACES = ["apps", "apps-2", "copy-shop"] as const;

const SYNC: Pick<Route, "selector" | "mark"> = {
  selector: {
    text: "sync=true",
    requirements: [{ key: "sync", operator: "=", values: ["true"] }],
  },
  mark: { key: "sync", value: "true-external" },
};

const TIER: Pick<Route, "selector" | "mark"> = {
  selector: {
    text: "tier in (gold,silver)",
    requirements: [{ key: "tier", operator: "in", values: ["gold", "silver"] }],
  },
  mark: { key: "ferried", value: "yes" },
};

const COMMON = {
  copyAnnotations: ["example.com/note"],
  addressCidrs: [],
  createNamespace: true,
  paused: false,
};

const ROUTES: readonly Route[] = [
  {
    ...COMMON,
    ...SYNC,
    name: "main",
    destination: destinationName(0),
    namespaces: ["shop", "team"],
    target: { namespace: "apps", name: "{name}", allowedNamespaces: ["apps-2"] },
  },
  {
    ...COMMON,
    ...TIER,
    name: "gold",
    destination: destinationName(1),
    namespaces: ["shop"],
    target: { namespace: "copy-{namespace}", name: "{name}", allowedNamespaces: [] },
  },
  {
    ...COMMON,
    ...SYNC,
    name: "team",
    destination: destinationName(1),
    namespaces: ["team"],
    target: { namespace: "copy-shop", name: "{name}", allowedNamespaces: [] },
  },
];

/** Leases are short, so that much happens in little virtual time; sweeps are rare, so that they hide nothing that was lost. */
export function simulatedConfig(podName: string, destinations: number): Config {
  const names = Array.from({ length: destinations }, (_, index) => destinationName(index));
  const access = (context: string): Config["source"]["access"] => ({
    kind: "kubeconfig",
    path: undefined,
    context,
  });
  return {
    podName,
    source: { name: SOURCE, access: access(SOURCE) },
    destinations: names.map((name) => ({ name, access: access(name), paused: false })),
    routes: ROUTES.filter((route) => names.includes(route.destination)),
    lease: {
      namespace: LEASE_NAMESPACE,
      name: "k8s-svc-sync-leader",
      durationMs: 3_000,
      renewDeadlineMs: 2_000,
      retryPeriodMs: 500,
    },
    kubeconfigSecret: undefined,
    link: LINK,
    endpoints: "both",
    adopt: "on",
    allowMassDelete: false,
    sweepIntervalMs: 300_000,
    staleRouteGraceMs: 300_000,
    http: { bindAddress: "127.0.0.1", port: 0, page: "loopback" },
    webhook: {
      on: false,
      port: 0,
      configuration: "svc-ferry",
      handOff: { port: 0, address: undefined },
      certs: { mode: "self", directory: "" },
      changedBy: "full",
    },
    log: { format: "human", level: "info" },
    maxConnections: 4,
  };
}
