import { describe, expect, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../../../sidecar/keys/builtin-resources.js";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { readCrd, type Crd } from "../../../../sidecar/keys/crd.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";

const catalog = Catalog.builtin();
const CRONTABS = crd("stable.example.com", "crontabs", "CronTab");

/** events.k8s.io and the core group share one path; the core group's is what is stored. */
const STORED = BUILTIN_RESOURCES.filter(({ group }) => group !== "events.k8s.io");

describe("the table of built-in resources", () => {
  // The renames of test/integration/etcd/data.go in kubernetes/kubernetes, written out: the table must not judge itself.
  it.each([
    ["", "Service", "/registry/services/specs/shop/x"],
    ["", "Endpoints", "/registry/services/endpoints/shop/x"],
    ["", "Node", "/registry/minions/x"],
    ["", "ReplicationController", "/registry/controllers/shop/x"],
    ["", "Secret", "/registry/secrets/shop/x"],
    ["", "Namespace", "/registry/namespaces/x"],
    ["", "Event", "/registry/events/shop/x"],
    ["events.k8s.io", "Event", "/registry/events/shop/x"],
    ["apps", "Deployment", "/registry/deployments/shop/x"],
    ["networking.k8s.io", "Ingress", "/registry/ingress/shop/x"],
    ["networking.k8s.io", "IngressClass", "/registry/ingressclasses/x"],
    ["networking.k8s.io", "NetworkPolicy", "/registry/networkpolicies/shop/x"],
    ["networking.k8s.io", "IPAddress", "/registry/ipaddresses/x"],
    ["policy", "PodSecurityPolicy", "/registry/podsecuritypolicy/x"],
    ["autoscaling", "HorizontalPodAutoscaler", "/registry/horizontalpodautoscalers/shop/x"],
    ["apiregistration.k8s.io", "APIService", "/registry/apiregistration.k8s.io/apiservices/x"],
    [
      "apiextensions.k8s.io",
      "CustomResourceDefinition",
      "/registry/apiextensions.k8s.io/customresourcedefinitions/x",
    ],
  ])("stores %s %s at %s", (group, kind, key) => {
    const resource = catalog.byKind(group, kind);
    if (resource === undefined) throw new Error("not in the table");

    expect(catalog.key(resource, resource.namespaced ? "shop" : undefined, "x")).toBe(key);
  });

  it("names each kind and each plural of a group once", () => {
    const kinds = BUILTIN_RESOURCES.map(({ group, kind }) => `${group}/${kind}`);
    const plurals = BUILTIN_RESOURCES.map(({ group, resource }) => `${group}/${resource}`);

    expect(new Set(kinds).size).toBe(kinds.length);
    expect(new Set(plurals).size).toBe(plurals.length);
    expect(kinds.length).toBeGreaterThan(60);
  });

  it("has a dot in the first segment only where the group stands there", () => {
    const dotted = STORED.filter(({ path }) => path.split("/")[0]?.includes("."));

    expect(dotted.map(({ group }) => group)).toEqual([
      "apiextensions.k8s.io",
      "apiregistration.k8s.io",
    ]);
  });

  it.each(STORED.map((resource) => [resource.path, resource] as const))(
    "reads a key below %s as what it was made of",
    (_, resource) => {
      const namespace = resource.namespaced ? "shop" : undefined;
      const key = catalog.key(resource, namespace, "name");

      expect(catalog.fromKey(key)).toEqual({ key, resource, namespace, name: "name" });
    },
  );
});

describe("Catalog", () => {
  it("reads names with colons and dots", () => {
    expect(catalog.fromKey("/registry/roles/shop/system:a.b")?.name).toBe("system:a.b");
    expect(catalog.fromKey("/registry/clustertrustbundles/example.com:signer:abc")?.name).toBe(
      "example.com:signer:abc",
    );
  });

  it.each([
    ["compact_rev_key", "outside"],
    ["compact_rev_key/registry", "outside"],
    ["/registryx/secrets/a/b", "outside"],
    ["/registry", "outside"],
    ["", "outside"],
    ["/registry/ranges/serviceips", "allocator"],
    ["/registry/ranges/servicenodeports", "allocator"],
    ["/registry/masterleases/10.0.0.1", "server-lease"],
    ["/registry/peerserverleases/a", "server-lease"],
    ["/registry/health", "unknown-resource"],
    ["/registry/", "unknown-resource"],
    ["/registry/apps/deployments/shop/web", "unknown-resource"],
    ["/registry/services/shop/web", "unknown-resource"],
    ["/registry/stable.example.com/crontabs/shop/x", "unknown-resource"],
    ["/registry/constructor/x", "unknown-resource"],
    ["/registry/secrets", "malformed"],
    ["/registry/secrets/", "malformed"],
    ["/registry/secrets/shop", "malformed"],
    ["/registry/secrets/shop/", "malformed"],
    ["/registry/secrets//a", "malformed"],
    ["/registry/secrets/shop/a/b", "malformed"],
    ["/registry/namespaces/a/b", "malformed"],
    ["/registry/namespaces/", "malformed"],
    ["/registry/namespaces", "malformed"],
  ])("finds no object in %s: %s", (key, why) => {
    expect(catalog.read(key)).toEqual({ kind: "no-object", why });
    expect(catalog.fromKey(key)).toBeUndefined();
  });

  it.each([
    ["registry", "/registry"],
    ["/registry/", "/registry"],
    ["//a/../registry", "/registry"],
    ["kubernetes.io", "/kubernetes.io"],
    ["a/b/", "/a/b"],
    ["/", ""],
    ["", ""],
  ])("takes the prefix %s as %s", (given, prefix) => {
    const other = Catalog.builtin(given);
    const key = `${prefix}/secrets/shop/a`;

    expect(other.prefix).toBe(prefix);
    expect(other.fromKey(key)).toMatchObject({ key, namespace: "shop", name: "a" });
  });

  it("knows custom resources once their CRD is there, and no longer when it goes", () => {
    const key = "/registry/stable.example.com/crontabs/shop/x";
    const known = catalog.withCrd(CRONTABS);

    const found = known.fromKey(key);
    const resource = known.byKind("stable.example.com", "CronTab");

    expect(found).toMatchObject({ namespace: "shop", name: "x", resource: { kind: "CronTab" } });
    expect(resource).toBe(found?.resource);
    expect(known.byResource("stable.example.com", "crontabs")).toBe(resource);
    expect(resource && known.crdOf(resource)).toBe(CRONTABS);
    expect(catalog.fromKey(key)).toBeUndefined();
    expect(known.withoutCrd(CRONTABS.name).fromKey(key)).toBeUndefined();
  });

  it("takes the newer of two CRDs with one name", () => {
    const known = catalog.withCrd(CRONTABS).withCrd({ ...CRONTABS, namespaced: false });

    expect(known.fromKey("/registry/stable.example.com/crontabs/x")?.name).toBe("x");
    expect(known.crds).toHaveLength(1);
  });

  it("keeps one resource for a CRD while others come and go", () => {
    const known = catalog.withCrd(CRONTABS);
    const more = known.withCrd(crd("other.example.com", "gadgets", "Gadget"));

    expect(more.byKind("stable.example.com", "CronTab")).toBe(
      known.byKind("stable.example.com", "CronTab"),
    );
    expect(more.crds).toHaveLength(2);
  });

  it("lets no CRD stand for a built-in resource", () => {
    const bold = crd("networking.k8s.io", "ingresses", "Ingress");
    const known = catalog.withCrd(bold);

    expect(known.crds).toEqual([]);
    expect(known.byKind("networking.k8s.io", "Ingress")?.path).toBe("ingress");
  });

  it("tells what all keys of a resource and of a namespace begin with", () => {
    const services = catalog.byResource("", "services");
    if (services === undefined) throw new Error("not in the table");

    expect(catalog.keysOf(services)).toBe("/registry/services/specs/");
    expect(catalog.keysOf(services, "shop")).toBe("/registry/services/specs/shop/");
  });

  it("makes no key that does not fit the resource's scope", () => {
    const [namespaces] = BUILTIN_RESOURCES;
    if (namespaces === undefined) throw new Error("the table is empty");

    expect(() => catalog.key(namespaces, "shop", "x")).toThrow("Namespace is not namespaced");
  });
});

function crd(group: string, plural: string, kind: string): Crd {
  const reading = readCrd(storedJson(crdJson(group, plural, kind)));
  if (reading.kind === "invalid") throw new Error(reading.why);
  return reading.crd;
}
