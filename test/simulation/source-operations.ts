/** What application teams do in the source. */
import type { KubeObject } from "../../src/ports/kube-api.js";
import { ENDPOINT_SLICES, SERVICES } from "../../src/ports/kube-resources.js";
import { ApiFailure } from "../fakes/api-failure.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import { SOURCE_NAMESPACES } from "../harness/simulation-installation.js";
import type { OperationKind } from "./operations.js";

const NAMES = ["web", "api", "db"] as const;
const NOTHING = "nothing there";

interface Ref {
  readonly namespace: string;
  readonly name: string;
}

/** One of the few Services that exist at times; few, so that names meet. */
function service(a: number): Ref {
  const namespace = SOURCE_NAMESPACES[a % 2] ?? "shop";
  const name = NAMES[Math.floor(a / 2) % NAMES.length] ?? "web";
  return { namespace, name };
}

const SHAPES: readonly (readonly [string, object])[] = [
  ["ClusterIP", { ports: [{ name: "http", port: 80, targetPort: 8080 }] }],
  [
    "two ports",
    {
      ports: [
        { name: "web", port: 80, targetPort: "http", appProtocol: "http" },
        { name: "metrics", port: 9090 },
      ],
    },
  ],
  ["headless", { clusterIP: "None", ports: [{ name: "http", port: 80 }] }],
  ["ExternalName", { type: "ExternalName", externalName: "db.example.com" }],
  ["NodePort", { type: "NodePort", ports: [{ port: 80 }] }],
  [
    "sticky",
    { ports: [{ port: 443 }], sessionAffinity: "ClientIP", publishNotReadyAddresses: true },
  ],
  ["headless without ports", { clusterIP: "None" }],
  [
    "UDP and TCP",
    {
      ports: [
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dns-tcp", port: 53 },
      ],
    },
  ],
  ["dual-stack", { ipFamilyPolicy: "PreferDualStack", ports: [{ name: "http", port: 80 }] }],
  [
    "IPv6 first",
    {
      ipFamilies: ["IPv6", "IPv4"],
      ipFamilyPolicy: "PreferDualStack",
      ports: [{ name: "http", port: 80 }],
    },
  ],
  ["IPv6 only", { ipFamilies: ["IPv6"], ports: [{ name: "http", port: 80 }] }],
  ["LoadBalancer", { type: "LoadBalancer", ports: [{ name: "http", port: 80 }] }],
];

const LABELS: readonly Readonly<Record<string, string>>[] = [
  { sync: "true", app: "web" },
  { sync: "true", tier: "gold", app: "web" },
  { tier: "silver", version: "2" },
  { sync: "true", version: "1", "helm.sh/chart": "web-1.0.0" },
  { sync: "true", "app.kubernetes.io/name": "web", "app.kubernetes.io/managed-by": "Helm" },
  { app: "web" },
];

function put(server: MemoryApiServer, ref: Ref, b: number, c: number): string {
  const [shape, spec] = SHAPES[c % SHAPES.length] ?? ["", {}];
  const object = {
    metadata: { ...ref, labels: LABELS[b % LABELS.length] ?? {} },
    spec,
  };
  const there = read(server, ref);
  const how = there === undefined ? "created" : change(server, object);
  if (how !== "changed" && !created(server, object)) return `${shape} is not for this cluster`;
  return `${how} ${ref.namespace}/${ref.name} as ${shape} with ${JSON.stringify(object.metadata.labels)}`;
}

/** Not every shape is possible in every cluster. */
function created(server: MemoryApiServer, object: KubeObject): boolean {
  try {
    server.create(SERVICES, object);
    return true;
  } catch (error) {
    if (error instanceof ApiFailure) return false;
    throw error;
  }
}

/** In place where the API allows it, else as `kubectl replace --force` does it. */
function change(server: MemoryApiServer, object: KubeObject): "changed" | "re-created" {
  try {
    server.replace(SERVICES, object);
    return "changed";
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    server.delete(SERVICES, object.metadata);
    return "re-created";
  }
}

function read(server: MemoryApiServer, ref: Ref): KubeObject | undefined {
  try {
    return server.get(SERVICES, ref);
  } catch (error) {
    if (error instanceof ApiFailure) return undefined;
    throw error;
  }
}

function edit(
  server: MemoryApiServer,
  a: number,
  patch: Readonly<Record<string, unknown>>,
): string {
  const ref = service(a);
  if (read(server, ref) === undefined) return NOTHING;
  server.patch(SERVICES, ref, patch);
  return `${ref.namespace}/${ref.name} ${JSON.stringify(patch)}`;
}

function annotate(server: MemoryApiServer, a: number, key: string, value: string | null): string {
  return edit(server, a, { metadata: { annotations: { [key]: value } } });
}

/** Endpoint number `n` of a slice: few addresses, so that slices share some. */
function endpoint(n: number, prefix: string, c: number): object {
  const ready = (c >> n) % 2 === 0;
  const last = (n + (c % 3)) % 5;
  return {
    addresses: [`${prefix}${last + 1}`],
    conditions: n === 3 ? {} : { ready, serving: true, terminating: !ready },
    ...(last === 2 ? { hostname: "web-2" } : {}),
    nodeName: `node-${n}`,
    zone: "a",
  };
}

function putSlice(server: MemoryApiServer, a: number, b: number, c: number): string {
  const owner = service(a);
  const isIpv6 = c % 6 === 5;
  const name = `${owner.name}-slice-${b % 3}${isIpv6 ? "-v6" : ""}`;
  const there = read(server, owner);
  const object = {
    metadata: {
      namespace: owner.namespace,
      name,
      labels: {
        "kubernetes.io/service-name": owner.name,
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
      // Hand-written ones have no owner and outlive the Service.
      ...(there === undefined || b % 3 === 0
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: "v1",
                kind: "Service",
                name: owner.name,
                uid: there.metadata.uid ?? "",
              },
            ],
          }),
    },
    addressType: isIpv6 ? "IPv6" : "IPv4",
    endpoints: Array.from({ length: c % 5 }, (_, n) =>
      endpoint(n, isIpv6 ? "fd00::" : `10.0.${b % 2}.`, c),
    ),
    ports: c % 2 === 0 ? [{ name: "http", port: 8080 }] : [{ name: "http", port: 8080 + (c % 4) }],
  };
  const exists = slices(server).some(
    ({ metadata }) => metadata.namespace === owner.namespace && metadata.name === name,
  );
  if (exists) server.patch(ENDPOINT_SLICES, object.metadata, object);
  else server.create(ENDPOINT_SLICES, object);
  return `${owner.namespace}/${name} with ${c % 5} endpoints`;
}

function slices(server: MemoryApiServer): readonly KubeObject[] {
  return server.list(ENDPOINT_SLICES).items;
}

function withSlice(server: MemoryApiServer, a: number, act: (slice: KubeObject) => string): string {
  const there = slices(server);
  const slice = there[a % Math.max(1, there.length)];
  return slice === undefined ? NOTHING : act(slice);
}

const TARGET_NAMES = [null, "db", "shared", "NOT_A_NAME", "x".repeat(64)] as const;
const TARGET_NAMESPACES = [null, "apps-2", "kube-system", "apps"] as const;

export const SOURCE_OPERATIONS: Readonly<Record<string, OperationKind>> = {
  "service put": {
    weight: 14,
    act: ({ world }, a, b, c) => put(world.source, service(a), b, c),
  },
  "service deleted": {
    weight: 4,
    act: ({ world: { source } }, a) => {
      const ref = service(a);
      if (read(source, ref) === undefined) return NOTHING;
      source.delete(SERVICES, ref);
      return `${ref.namespace}/${ref.name}`;
    },
  },
  "service re-created at once": {
    weight: 4,
    act: ({ world: { source } }, a, b, c) => {
      const ref = service(a);
      if (read(source, ref) !== undefined) source.delete(SERVICES, ref);
      return put(source, ref, b, c);
    },
  },
  "service labelled": {
    weight: 4,
    act: ({ world }, a, b) =>
      edit(world.source, a, {
        metadata: { labels: b % 2 === 0 ? { sync: "true" } : { tier: "gold" } },
      }),
  },
  "service unlabelled": {
    weight: 4,
    act: ({ world }, a, b) =>
      edit(world.source, a, {
        metadata: { labels: b % 3 === 0 ? { tier: null } : { sync: null } },
      }),
  },
  "label for a moment": {
    weight: 2,
    act: ({ world }, a) => {
      edit(world.source, a, { metadata: { labels: { sync: null } } });
      return edit(world.source, a, { metadata: { labels: { sync: "true" } } });
    },
  },
  "changed for a moment": {
    weight: 3,
    act: ({ world: { source } }, a) => {
      const ref = service(a);
      const before = read(source, ref);
      if (before === undefined) return NOTHING;
      source.patch(SERVICES, ref, { metadata: { labels: { app: "moment" } } });
      const { labels = {} } = before.metadata;
      source.patch(SERVICES, ref, { metadata: { labels: { app: labels["app"] ?? null } } });
      return `${ref.namespace}/${ref.name}`;
    },
  },
  "target name": {
    weight: 4,
    act: ({ world }, a, b) =>
      annotate(world.source, a, "svc-ferry.io/target-name", TARGET_NAMES[b % 5] ?? null),
  },
  "target namespace": {
    weight: 3,
    act: ({ world }, a, b) =>
      annotate(world.source, a, "svc-ferry.io/target-namespace", TARGET_NAMESPACES[b % 4] ?? null),
  },
  note: {
    weight: 2,
    act: ({ world }, a, b) =>
      annotate(world.source, a, "example.com/note", b % 2 === 0 ? `note ${b}` : null),
  },
  "service paused": {
    weight: 1,
    act: ({ world }, a, b) =>
      annotate(world.source, a, "svc-ferry.io/paused", b % 2 === 0 ? "true" : null),
  },
  "source made a mirror": {
    weight: 1,
    act: ({ world }, a, b) =>
      edit(world.source, a, {
        metadata: { labels: { "app.kubernetes.io/managed-by": b % 2 === 0 ? "svc-ferry" : null } },
      }),
  },
  "slice put": { weight: 14, act: ({ world }, a, b, c) => putSlice(world.source, a, b, c) },
  "slice deleted": {
    weight: 3,
    act: ({ world: { source } }, a) =>
      withSlice(source, a, ({ metadata }) => {
        source.delete(ENDPOINT_SLICES, metadata, undefined);
        return metadata.name;
      }),
  },
  "slice moved": {
    weight: 2,
    act: ({ world: { source } }, a, b) =>
      withSlice(source, a, ({ metadata }) => {
        const to = NAMES[b % NAMES.length] ?? "web";
        const labels = { "kubernetes.io/service-name": b % 4 === 3 ? null : to };
        source.patch(ENDPOINT_SLICES, metadata, { metadata: { labels } });
        return `${metadata.name} to ${String(labels["kubernetes.io/service-name"])}`;
      }),
  },
};
