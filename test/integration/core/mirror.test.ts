import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice, type ServiceOptions } from "../../harness/manifests.js";
import { portsOf, specOf } from "../../harness/namespace-view.js";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

/** A Service that is mirrored already, with one endpoint; its writes so far do not count. */
async function mirrored(name: string, options: ServiceOptions = {}): Promise<void> {
  await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.1"]));
  await bed.src.apply(service(bed.src.namespace, name, options));
  await bed.dst.untilAddresses(name, ["10.1.0.1"]);
  await bed.settle(ferry);
  await bed.forgetWrites();
}

describe("a labelled Service", () => {
  it("becomes a mirror with every field that is copied, in three writes", async () => {
    await bed.src.apply(
      slice(bed.src.namespace, "full", ["10.1.0.1"]),
      service(bed.src.namespace, "full", {
        labels: {
          sync: "true",
          team: "shop",
          "app.kubernetes.io/name": "full",
          "app.kubernetes.io/instance": "release-1",
          "app.kubernetes.io/managed-by": "Helm",
          "helm.sh/chart": "shop-1.0",
          "argocd.argoproj.io/instance": "shop",
          "service.kubernetes.io/service-proxy-name": "other",
        },
        annotations: { "example.com/owner": "me" },
        spec: {
          ports: [
            { name: "http", port: 80, targetPort: "web", appProtocol: "http" },
            { name: "dns", port: 53, protocol: "UDP", targetPort: 5353 },
          ],
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 77 } },
          publishNotReadyAddresses: true,
        },
      }),
    );

    const mirror = await bed.dst.untilService("full");
    await bed.dst.untilEndpoints("full", ["10.1.0.1"]);
    await bed.settle(ferry);

    const source = await bed.src.service("full");
    expect(specOf(mirror)).toMatchObject({
      type: "ClusterIP",
      ports: [
        { name: "http", port: 80, targetPort: "web", appProtocol: "http", protocol: "TCP" },
        { name: "dns", port: 53, protocol: "UDP", targetPort: 5353 },
      ],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 77 } },
      publishNotReadyAddresses: true,
    });
    expect(specOf(mirror)).not.toHaveProperty("selector");
    expect(mirror.metadata.labels).toEqual({
      sync: "true-external",
      team: "shop",
      "app.kubernetes.io/name": "full",
      "app.kubernetes.io/managed-by": "svc-ferry",
      "svc-ferry.io/link": expect.stringMatching(`^${bed.src.namespace}\\.ferry\\.[0-9a-f]{8}$`),
    });
    expect(mirror.metadata.annotations).toEqual({
      "svc-ferry.io/keys": "l:app.kubernetes.io/name,l:sync,l:team",
      "svc-ferry.io/link": mirror.metadata.labels?.["svc-ferry.io/link"],
      "svc-ferry.io/route": expect.stringMatching(/^default@[0-9a-f]{8}$/),
      "svc-ferry.io/source": `${bed.src.namespace}/full`,
      "svc-ferry.io/source-cluster": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "svc-ferry.io/source-uid": source.metadata.uid,
    });
    expect(await bed.writes(ferry, { name: "full" })).toEqual([
      "create services full",
      "create endpointslices full-*",
      "create endpoints full",
    ]);
    await bed.src.untilEvent("full", /^Synced: mirrored to destination\/dst-/);
  });

  it("passes on changed ports, a renamed one among them, in one write", async () => {
    await mirrored("ports", { spec: { ports: [{ name: "http", port: 80 }] } });

    await bed.src.apply(
      service(bed.src.namespace, "ports", {
        spec: {
          ports: [
            { name: "web", port: 80 },
            { name: "tls", port: 443 },
          ],
        },
      }),
    );
    const mirror = await bed.dst.untilService("ports", (one) => portsOf(one).length === 2);
    await bed.settle(ferry);

    expect(specOf(mirror)).toMatchObject({ ports: [{ name: "web" }, { name: "tls" }] });
    expect(await bed.writes(ferry)).toEqual(["patch services ports"]);
  });

  it("passes on labels that come, change and go, in one write each", async () => {
    await mirrored("labels", { labels: { sync: "true", colour: "red", size: "xl" } });

    await bed.src.apply(
      service(bed.src.namespace, "labels", {
        labels: { sync: "true", colour: "blue", shape: "o" },
      }),
    );
    const mirror = await bed.dst.untilService(
      "labels",
      ({ metadata }) => metadata.labels?.["colour"] === "blue",
    );
    await bed.settle(ferry);

    expect(mirror.metadata.labels).toMatchObject({ colour: "blue", shape: "o" });
    expect(mirror.metadata.labels).not.toHaveProperty("size");
    expect(await bed.writes(ferry)).toEqual(["patch services labels"]);
  });

  it("causes no write by changes that are not copied", async () => {
    await mirrored("quiet");

    await bed.src.patch("Service", "quiet", {
      metadata: { annotations: { "example.com/note": "x" }, labels: { "helm.sh/chart": "a" } },
      spec: { externalIPs: ["203.0.113.7"], internalTrafficPolicy: "Local" },
    });
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("loses its mirror, slices and Endpoints with its label", async () => {
    await mirrored("unlabelled");

    await bed.src.patch("Service", "unlabelled", { metadata: { labels: { sync: null } } });
    await bed.dst.untilGone("Service", "unlabelled");
    await bed.dst.untilGone("Endpoints", "unlabelled");
    await bed.dst.untilAddresses("unlabelled", []);
    await bed.settle(ferry);

    const writes = await bed.writes(ferry);
    expect(writes[0]).toBe("delete services unlabelled");
    expect(writes.filter((write) => !write.startsWith("delete "))).toEqual([]);
    expect(writes.length).toBeLessThanOrEqual(3);
    await bed.src.untilEvent("unlabelled", /^Removed: .* no route selects the Service/);
  });

  it("loses its mirror when it is deleted", async () => {
    await mirrored("deleted");

    await bed.src.remove("Service", "deleted");
    await bed.dst.untilGone("Service", "deleted");
    await bed.settle(ferry);

    expect(ferry.logged("removed")).toContainEqual(
      expect.objectContaining({ because: "source-deleted" }),
    );
    expect(await bed.dst.slices("deleted")).toEqual([]);
  });

  it("is mirrored anew when it is deleted and re-created within 10 ms", async () => {
    await mirrored("again");
    const before = await bed.src.service("again");

    await bed.src.remove("Service", "again");
    await bed.src.apply(service(bed.src.namespace, "again", { spec: { ports: [{ port: 81 }] } }));
    const after = await bed.src.service("again");
    const mirror = await bed.dst.untilService("again", (one) => portsOf(one)[0] === 81);
    await bed.dst.untilAddresses("again", ["10.1.0.1"]);
    await bed.dst.untilEndpoints("again", ["10.1.0.1"]);
    await bed.settle(ferry);
    await bed.forgetWrites();
    await bed.settle(ferry);

    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(mirror.metadata.annotations?.["svc-ferry.io/source-uid"]).toBe(after.metadata.uid);
    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("is found as it is after a restart, without one write", async () => {
    await mirrored("restarted");
    await ferry.stop();

    ferry = await bed.run();
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
  });

  it("is mirrored anew when it was deleted and re-created while nobody led", async () => {
    await mirrored("meanwhile");
    await ferry.stop();

    await bed.src.remove("Service", "meanwhile");
    await bed.src.apply(
      service(bed.src.namespace, "meanwhile", { spec: { ports: [{ port: 81 }] } }),
    );
    ferry = await bed.run();
    await bed.settle(ferry);

    const mirror = await bed.dst.service("meanwhile");
    expect(portsOf(mirror)).toEqual([81]);
    expect(await bed.writes(ferry)).toEqual(["patch services meanwhile"]);
  });
});

describe("a Service without the label", () => {
  it("stays at home", async () => {
    await bed.forgetWrites();

    await bed.src.apply(service(bed.src.namespace, "home", { labels: { sync: "false" } }));
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
  });
});
