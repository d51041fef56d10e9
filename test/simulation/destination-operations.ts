/** What people and others do in a destination: drift, damage, and objects that are none of our business. */
import type { KubeObject, Resource } from "../../src/ports/kube-api.js";
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  SERVICES,
} from "../../src/ports/kube-resources.js";
import { ApiFailure } from "../fakes/api-failure.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import { LINK, TARGET_NAMESPACES } from "../harness/simulation-installation.js";
import type { OperationKind } from "./operations.js";
import { label } from "./raw.js";

const NOTHING = "nothing there";
const NAMES = ["web", "api", "db", "shared"] as const;

function destination(world: SimulatedWorld, a: number): MemoryApiServer {
  return world.destinations[a % world.destinations.length] ?? world.destination;
}

/** What a server refuses to a person is no part of the history. */
function tried(act: () => string): string {
  try {
    return act();
  } catch (error) {
    if (error instanceof ApiFailure) return `refused: ${error.message}`;
    throw error;
  }
}

/** Picks one of our objects of a kind. */
function withOurs(
  server: MemoryApiServer,
  resource: Resource,
  b: number,
  act: (object: KubeObject) => void,
): string {
  const ours = server.list(resource, { labelSelector: `svc-ferry.io/link=${LINK}` }).items;
  const object = ours[b % Math.max(1, ours.length)];
  if (object === undefined) return NOTHING;
  return tried(() => {
    act(object);
    return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  });
}

function withForeign(
  server: MemoryApiServer,
  resource: Resource,
  b: number,
  act: (object: KubeObject) => void,
): string {
  const foreign = server
    .list(resource)
    .items.filter((object) => label(object, "made-by") === "a-person");
  const object = foreign[b % Math.max(1, foreign.length)];
  if (object === undefined) return NOTHING;
  act(object);
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function place(b: number, c: number): { readonly namespace: string; readonly name: string } {
  return {
    namespace: TARGET_NAMESPACES[b % TARGET_NAMESPACES.length] ?? "apps",
    name: NAMES[c % NAMES.length] ?? "web",
  };
}

/** Ways to damage a mirror, as merge patches. */
const SERVICE_DAMAGE: readonly object[] = [
  { spec: { ports: [{ name: "odd", port: 1234 }] } },
  { spec: { selector: { app: "mine" } } },
  { metadata: { labels: { "app.kubernetes.io/managed-by": null, sync: null, app: null } } },
  { metadata: { labels: { "svc-ferry.io/link": null } } },
  { metadata: { labels: { "person.example/mine": "yes", sync: "true" } } },
  // Not the record of our keys: what a source has dropped by the time it is restored can be known by nobody.
  { metadata: { annotations: { "svc-ferry.io/route": null, "svc-ferry.io/source-uid": "x" } } },
  { spec: { publishNotReadyAddresses: true, sessionAffinity: "ClientIP" } },
  { metadata: { annotations: { "example.com/note": "mine" } } },
];

const SLICE_DAMAGE: readonly object[] = [
  { endpoints: [{ addresses: ["198.51.100.7"], conditions: { ready: true } }] },
  { endpoints: [] },
  { ports: [{ name: "odd", port: 1 }] },
  { metadata: { labels: { "svc-ferry.io/link": null } } },
  { metadata: { labels: { "kubernetes.io/service-name": "other" } } },
  { metadata: { labels: { "endpointslice.kubernetes.io/managed-by": "me", odd: "yes" } } },
  { metadata: { ownerReferences: null } },
];

const ENDPOINTS_DAMAGE: readonly object[] = [
  { subsets: [{ addresses: [{ ip: "198.51.100.7" }], ports: [{ port: 1 }] }] },
  { subsets: null },
  { metadata: { labels: { "svc-ferry.io/link": null } } },
  { metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": null } } },
  { metadata: { ownerReferences: null } },
];

function damage(resource: Resource, damages: readonly object[]): OperationKind["act"] {
  return ({ world }, a, b, c) => {
    const server = destination(world, a);
    const patch: Readonly<Record<string, unknown>> = { ...damages[c % damages.length] };
    const what = withOurs(server, resource, b, ({ metadata }) => {
      server.patch(resource, metadata, patch);
    });
    return `${what} ${JSON.stringify(patch)}`;
  };
}

function deletion(resource: Resource): OperationKind["act"] {
  return ({ world }, a, b) => {
    const server = destination(world, a);
    return withOurs(server, resource, b, ({ metadata }) => {
      server.delete(resource, metadata);
    });
  };
}

function create(server: MemoryApiServer, resource: Resource, object: KubeObject): string {
  return tried(() => {
    server.create(resource, object);
    return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  });
}

export const DESTINATION_OPERATIONS: Readonly<Record<string, OperationKind>> = {
  "mirror deleted": { weight: 4, act: deletion(SERVICES) },
  "mirror edited": { weight: 7, act: damage(SERVICES, SERVICE_DAMAGE) },
  "mirror slice deleted": { weight: 2, act: deletion(ENDPOINT_SLICES) },
  "mirror slice edited": { weight: 5, act: damage(ENDPOINT_SLICES, SLICE_DAMAGE) },
  "endpoints deleted": { weight: 2, act: deletion(ENDPOINTS) },
  "endpoints edited": { weight: 4, act: damage(ENDPOINTS, ENDPOINTS_DAMAGE) },
  "foreign service": {
    weight: 4,
    act: ({ world }, a, b, c) =>
      create(destination(world, a), SERVICES, {
        metadata: { ...place(b, c), labels: { "made-by": "a-person" } },
        ...{
          // A headless Service without selector has both families, whatever the cluster has.
          spec:
            c % 3 === 0
              ? { clusterIP: "None", ports: [{ port: 5432 }] }
              : { selector: { app: "own" }, ports: [{ port: 5432 }] },
        },
      }),
  },
  "foreign service gone": {
    weight: 5,
    act: ({ world }, a, b) => {
      const server = destination(world, a);
      return withForeign(server, SERVICES, b, ({ metadata }) => {
        server.delete(SERVICES, metadata);
      });
    },
  },
  "foreign slice": {
    weight: 1,
    act: ({ world }, a, b, c) => {
      const { namespace, name } = place(b, c);
      return create(destination(world, a), ENDPOINT_SLICES, {
        metadata: {
          namespace,
          name: `${name}-own`,
          labels: {
            "made-by": "a-person",
            "kubernetes.io/service-name": name,
            "endpointslice.kubernetes.io/managed-by": "a-person",
          },
        },
        ...{ addressType: "IPv4", endpoints: [{ addresses: ["203.0.113.9"] }] },
      });
    },
  },
  "slice of the destination's controller": {
    weight: 1,
    act: ({ world }, a, b) => {
      const server = destination(world, a);
      const mirrors = server.list(SERVICES, { labelSelector: `svc-ferry.io/link=${LINK}` }).items;
      const mirror = mirrors[b % Math.max(1, mirrors.length)];
      if (mirror === undefined) return NOTHING;
      const { namespace = "", name } = mirror.metadata;
      return create(server, ENDPOINT_SLICES, {
        metadata: {
          namespace,
          name: `${name}-abcde`,
          labels: {
            "kubernetes.io/service-name": name,
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
        },
        ...{ addressType: "IPv4", endpoints: [{ addresses: ["203.0.113.8"] }] },
      });
    },
  },
  "foreign endpoints": {
    weight: 1,
    act: ({ world }, a, b, c) =>
      create(destination(world, a), ENDPOINTS, {
        metadata: { ...place(b, c), labels: { "made-by": "a-person" } },
        ...{ subsets: [{ addresses: [{ ip: "203.0.113.5" }], ports: [{ port: 80 }] }] },
      }),
  },
  "foreign endpoints gone": {
    weight: 2,
    act: ({ world }, a, b) => {
      const server = destination(world, a);
      return withForeign(server, ENDPOINTS, b, ({ metadata }) => {
        server.delete(ENDPOINTS, metadata);
      });
    },
  },
  "namespace deleted": {
    weight: 1,
    act: ({ world }, a, b) =>
      tried(() => {
        const name = TARGET_NAMESPACES[b % TARGET_NAMESPACES.length] ?? "apps";
        destination(world, a).delete(NAMESPACES, { name });
        return name;
      }),
  },
};
