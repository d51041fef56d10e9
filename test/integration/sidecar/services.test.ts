import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Cluster } from "../../harness/cluster.js";
import type { Manifest } from "../../harness/manifest.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-services";
const LINK = "services-test";
const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { services-test: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Service }], namespaceSelectors: [{ matchLabels: { services-test: "yes" } }] }
`;

const { source: from, destination: to } = inject("controlPlanes");
const source = new Cluster(from);
const destination = new Cluster(to);
const link = new MirrorLink({ link: LINK, source: from, destination: to, rules: RULES, api: to });

interface ServiceSpec {
  readonly clusterIP?: string;
  readonly type?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly externalIPs?: readonly string[];
  readonly ports?: readonly { readonly port: number; readonly nodePort?: number }[];
  readonly healthCheckNodePort?: number;
  readonly loadBalancerIP?: string;
  readonly externalName?: string;
}

function service(name: string, spec: object, metadata: object = {}): Manifest {
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NS, ...metadata },
    spec: { selector: { app: name }, ports, ...spec },
  };
}

const mirrored = async (name: string) => destination.get("Service", NS, name);
const specOf = (object: unknown): ServiceSpec => (object as { spec: ServiceSpec }).spec;
const arrived = async (name: string) =>
  waitFor(async () => mirrored(name), { what: `Service ${name}` });

beforeAll(async () => {
  await source.createNamespace(NS, { "services-test": "yes" });
  await link.start();
  await waitFor(async () => destination.get("Namespace", undefined, NS), { what: NS });
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.close(), destination.close()]);
});

describe("Services through the destination's API server", () => {
  it("get an address of their own and work with the Pods that are there", async () => {
    const made = await source.create(service("web", {}, { labels: { tier: "front" } }));
    await destination.createNode();
    await waitFor(async () => destination.get("ServiceAccount", NS, "default"), {
      what: "account",
    });
    await destination.createPod(NS, "web-1", { app: "web" }, "10.99.0.7");

    const there = await arrived("web");

    expect(specOf(made).clusterIP).toMatch(/^10\.96\./);
    expect(specOf(there).clusterIP).toMatch(/^10\.97\./);
    expect(specOf(there).selector).toEqual({ app: "web" });
    expect(there.metadata.labels).toEqual({ tier: "front", "svc-ferry.io/link": `mirror.${LINK}` });
    expect(there.metadata.uid).not.toBe(made.metadata.uid);
    expect(there.metadata.annotations).toEqual({
      "svc-ferry.io/mirror-link": LINK,
      "svc-ferry.io/source-uid": made.metadata.uid,
    });
    const slice = await waitFor(
      async () => {
        const found = await destination.list("EndpointSlice", NS, "kubernetes.io/service-name=web");
        return found.find((one) => JSON.stringify(one).includes("10.99.0.7"));
      },
      { what: "the destination's own endpoints" },
    );
    expect(slice).toMatchObject({ ports: [{ name: "http", port: 8080 }] });
  });

  it("lose what only an allocator or a network of the source could have given", async () => {
    const ports = [{ name: "http", port: 80, nodePort: 30_123 }];
    await source.create(
      service("front", {
        type: "LoadBalancer",
        ports,
        externalTrafficPolicy: "Local",
        healthCheckNodePort: 30_124,
        externalIPs: ["192.0.2.9"],
        loadBalancerIP: "192.0.2.10",
        loadBalancerSourceRanges: ["192.0.2.0/24"],
      }),
    );

    const there = await arrived("front");

    expect(specOf(there)).toMatchObject({
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      loadBalancerSourceRanges: ["192.0.2.0/24"],
    });
    expect(specOf(there)).not.toHaveProperty("externalIPs");
    expect(specOf(there)).not.toHaveProperty("loadBalancerIP");
    expect(specOf(there).ports?.[0]?.nodePort).toBeGreaterThan(0);
    expect(specOf(there).ports?.[0]?.nodePort).not.toBe(30_123);
    expect(specOf(there).healthCheckNodePort).not.toBe(30_124);
  });

  it("stay headless, stay names, and lose a traffic policy that would mean nothing", async () => {
    await source.create(service("bare", { clusterIP: "None" }));
    await source.create({
      ...service("alias", {}),
      spec: { type: "ExternalName", externalName: "db.example.com" },
    });
    await source.create(
      service("reached", { externalIPs: ["192.0.2.8"], externalTrafficPolicy: "Local" }),
    );

    expect(specOf(await arrived("bare")).clusterIP).toBe("None");
    expect(specOf(await arrived("alias"))).toMatchObject({ externalName: "db.example.com" });
    expect(specOf(await arrived("reached"))).not.toHaveProperty("externalTrafficPolicy");
  });

  it("follow a change and keep their address", async () => {
    await source.create(service("moving", {}));
    const before = await arrived("moving");

    await source.patch("Service", NS, "moving", { spec: { selector: { app: "other" } } });

    const after = await waitFor(
      async () => {
        const found = await mirrored("moving");
        return specOf(found).selector?.["app"] === "other" && found;
      },
      { what: "the new selector" },
    );
    expect(specOf(after).clusterIP).toBe(specOf(before).clusterIP);
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });

  it("become others where the API forbids the change", async () => {
    await source.create(service("turning", {}));
    const before = await arrived("turning");
    await source.remove("Service", NS, "turning");
    await source.create(service("turning", { clusterIP: "None" }));

    const after = await waitFor(
      async () => {
        const found = await mirrored("turning");
        return found !== undefined && specOf(found).clusterIP === "None" && found;
      },
      { what: "the headless one" },
    );
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
  });

  it("are repaired when somebody changes them, and removed with their source", async () => {
    await source.create(service("held", {}));
    await arrived("held");

    await destination.patch("Service", NS, "held", { spec: { selector: { app: "wrong" } } });
    await waitFor(async () => specOf(await mirrored("held")).selector?.["app"] === "held", {
      what: "the repair",
    });
    await source.remove("Service", NS, "held");

    await waitFor(async () => (await mirrored("held")) === undefined, { what: "its removal" });
    await waitFor(async () => !(await link.owned()).includes(`services/specs/${NS}/held`), {
      what: "the end of its record",
    });
  });

  it("leave a Service alone that is not theirs, until its name is free", async () => {
    const native = await destination.create(service("taken", {}, { labels: { native: "yes" } }));
    await source.create(service("taken", {}));

    const path = `services/specs/${NS}/taken`;
    await waitFor(async () => (await link.debts())[path] === "occupied", { what: "the debt" });

    const there = await mirrored("taken");
    expect(there?.metadata.resourceVersion).toBe(native.metadata.resourceVersion);
    await destination.remove("Service", NS, "taken");
    await waitFor(
      async () => (await mirrored("taken"))?.metadata.labels?.["native"] === undefined,
      {
        what: "its removal",
      },
    );
    await arrived("taken");
    await waitFor(async () => !(path in (await link.debts())), { what: "the end of the debt" });
  });

  it("write nothing when the mirror starts again", async () => {
    await source.create(service("resting", {}));
    const before = await arrived("resting");
    await waitFor(async () => (await link.owned()).includes(`services/specs/${NS}/resting`), {
      what: "its record",
    });

    await link.stop();
    await link.start();
    await link.caughtUp();
    await waitFor(async () => Object.keys(await link.debts()).length === 0, { what: "no debts" });

    const after = await mirrored("resting");
    expect(after?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  it("leave their Namespace before it goes, and so does what controllers made of them", async () => {
    const namespace = "mirrored-leaving";
    await source.createNamespace(namespace, { "services-test": "yes" });
    await source.create(service("web", {}, { namespace }));
    await waitFor(
      async () => {
        const slices = await destination.list("EndpointSlice", namespace).catch(() => []);
        return slices.length > 0;
      },
      { what: "the Service and its slice" },
    );

    await source.patch("Namespace", undefined, namespace, {
      metadata: { labels: { "services-test": null } },
    });

    await waitFor(
      async () => (await destination.get("Namespace", undefined, namespace)) === undefined,
      {
        what: "the Namespace to be gone",
      },
    );
    const left = (await link.owned()).filter((path) => path.includes(namespace));
    expect(left).toEqual([]);
    expect(await link.debts()).toEqual({});
  });
});
