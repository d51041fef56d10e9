import { describe, expect, it } from "vitest";
import { SourceCache } from "../../../../src/intake/source-cache.js";
import { ENDPOINT_SLICES, SERVICES } from "../../../../src/ports/kube-resources.js";
import type { Route } from "../../../../src/domain/route.js";
import { mappingContext } from "../../../fixtures/installation.js";
import { IntakeBed } from "../../../fixtures/intake-bed.js";
import { kubeService } from "../../../fixtures/kube-objects.js";
import { newObject } from "../../../fixtures/reconcile-bed.js";
import { route } from "../../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const REF = { namespace: "shop", name: "web" };

/** A cache that watches, caught up with what `before` put into the source. */
async function cacheBed(
  before: readonly ServiceBuilder[] = [],
  routes: readonly Route[] = [route()],
) {
  const bed = new IntakeBed("source", "shop", "cart");
  const create = (one: ServiceBuilder): void => {
    bed.server.create(SERVICES, newObject(kubeService(one)));
  };
  before.forEach(create);
  const cache = new SourceCache({
    ...bed.parts,
    mapping: mappingContext(...routes),
    listener: {
      onTarget: (destination, target, note) =>
        bed.told.push(
          [destination, target, note.cause, note.unmapped ? "unmapped" : ""].join(" ").trim(),
        ),
      onRefusal: (key) => bed.told.push(`refusal ${key}`),
      onRelisted: () => bed.told.push("relisted"),
    },
  });
  await bed.start(cache);
  await bed.settle();
  bed.news();
  return { bed, cache, create };
}

describe("SourceCache", () => {
  it("knows after its start who wants what, and with which slices", async () => {
    const { bed, cache } = await cacheBed([web]);

    expect([...cache.targets("b")]).toEqual(["prod/web"]);
    expect(cache.candidates("b", "prod/web").map(({ service: { name } }) => name)).toEqual(["web"]);
    expect(cache.slices("shop/web")).toEqual([]);
    expect([...cache.targets("elsewhere")]).toEqual([]);
    await bed.end();
  });

  it("rings for a Service that comes, changes and goes, and says that it saw it go", async () => {
    const { bed, create } = await cacheBed();

    create(web);
    await bed.settle();
    const came = bed.news();
    bed.server.patch(SERVICES, REF, { spec: { sessionAffinity: "ClientIP" } });
    await bed.settle();
    const changed = bed.news();
    bed.server.delete(SERVICES, REF);
    await bed.settle();

    expect(came[0]).toBe("b prod/web service");
    expect(changed).toEqual(["b prod/web service"]);
    expect(bed.news()).toEqual(["b prod/web service unmapped"]);
    await bed.end();
  });

  it("gives the old name up when a Service asks for another one", async () => {
    const { bed, cache } = await cacheBed([web]);

    const annotations = { "svc-ferry.io/target-name": "shop-web" };
    bed.server.patch(SERVICES, REF, { metadata: { annotations } });
    await bed.settle();

    expect(bed.news()).toEqual(["b prod/web service unmapped", "b prod/shop-web service"]);
    expect([...cache.targets("b")]).toEqual(["prod/shop-web"]);
    await bed.end();
  });

  it("takes a label that is removed for a Service that is gone", async () => {
    const { bed, cache } = await cacheBed([web]);

    bed.server.patch(SERVICES, REF, { metadata: { labels: { sync: null } } });
    await bed.settle();

    expect(bed.news()).toEqual(["b prod/web service unmapped"]);
    expect(cache.candidates("b", "prod/web")).toEqual([]);
    await bed.end();
  });

  it("does not call unmapped what only a list no longer has", async () => {
    const { bed, cache } = await cacheBed([web]);
    bed.process.network(bed.server).set({ emptyList: 1 });

    cache.distrust("services", "shop");
    await bed.settle();

    expect(bed.news()).toEqual(["b prod/web service", "relisted"]);
    await bed.end();
  });

  it("keeps refused mappings apart, and tells when one comes and goes", async () => {
    const refused = web.annotation("svc-ferry.io/target-namespace", "kube-system");
    const { bed, cache, create } = await cacheBed();

    create(refused);
    await bed.settle();
    const came = bed.news();
    const listed = [...cache.refused()].map(([, { reason }]) => reason.code);
    bed.server.patch(SERVICES, REF, {
      metadata: { annotations: { "svc-ferry.io/target-namespace": null } },
    });
    await bed.settle();

    expect(came).toEqual(["refusal shop/web"]);
    expect(listed).toEqual(["target-not-allowed"]);
    expect(bed.news()).toContain("refusal shop/web");
    expect(cache.refusals("shop/web")).toEqual([]);
    await bed.end();
  });

  it("tells of a refusal once, whatever else changes about the Service, until it is another one", async () => {
    const refused = web.annotation("svc-ferry.io/target-namespace", "kube-system");
    const { bed } = await cacheBed([refused]);
    const patch = async (annotations: Readonly<Record<string, string>>): Promise<void> => {
      bed.server.patch(SERVICES, REF, { metadata: { annotations } });
      await bed.settle();
    };

    await patch({ "example.com/note": "1" });
    await patch({ "example.com/note": "2" });
    const unrelated = bed.news();
    await patch({ "svc-ferry.io/target-namespace": "kube-public" });

    expect(unrelated).toEqual([]);
    expect(bed.news()).toEqual(["refusal shop/web"]);
    await bed.end();
  });

  it("goes on wanting the name that a Service had when it asks for one that is refused", async () => {
    const { bed, cache } = await cacheBed([web]);
    const annotate = (name: string | null): void => {
      const annotations = { "svc-ferry.io/target-name": name };
      bed.server.patch(SERVICES, REF, { metadata: { annotations } });
    };

    annotate("Not_A_Name");
    await bed.settle();
    const whileRefused = [...cache.targets("b")];
    annotate("shop-web");
    await bed.settle();

    expect(whileRefused).toEqual(["prod/web"]);
    expect([...cache.targets("b")]).toEqual(["prod/shop-web"]);
    await bed.end();
  });

  it("wants the name of a mirror that was found for a Service which was refused all along", async () => {
    const { bed, cache } = await cacheBed([
      web.annotation("svc-ferry.io/target-name", "Not_A_Name"),
    ]);
    const [refusal] = cache.refusals("shop/web");

    if (refusal !== undefined) cache.retain("shop/web", { ...refusal[1], target: "prod/web" });
    await bed.settle();

    expect([...cache.targets("b")]).toEqual(["prod/web"]);
    expect(cache.slices("shop/web")).toEqual([]);
    await bed.end();
  });

  it("maps everything anew when a destination turns out to be the source itself", async () => {
    const { bed, cache } = await cacheBed([web]);

    cache.remap({ ...mappingContext(), ownTargetNamespaces: new Set(["shop"]) });

    expect(bed.news()).toContain("b prod/web service");
    expect([...cache.targets("b")]).toEqual([]);
    await bed.end();
  });

  it("sees a Service that two watches show once, and keeps it while one of them does", async () => {
    const labelled = web.label("also", "yes");
    const routes = [route("a"), route("b").selecting("also=yes").to("other")];
    const { bed, cache } = await cacheBed([labelled], routes);

    bed.server.patch(SERVICES, REF, { metadata: { labels: { sync: null } } });
    await bed.settle();

    expect(bed.news()).toContain("b prod/web service unmapped");
    expect([...cache.targets("b")]).toEqual(["other/web"]);
    await bed.end();
  });

  it("lists the slices of a Service that becomes ferried, and rings when they are known", async () => {
    const plain = service("shop/web");
    const { bed, cache } = await cacheBed([plain]);
    const slice = rawSlice("shop/web-1", "web").address("10.0.0.1");
    bed.server.create(ENDPOINT_SLICES, newObject(slice));
    await bed.settle();

    bed.server.patch(SERVICES, REF, { metadata: { labels: { sync: "true" } } });
    await bed.settle();

    expect(cache.slices("shop/web")?.map(({ name }) => name)).toEqual(["web-1"]);
    expect(bed.news().at(-1)).toBe("b prod/web endpoints");
    await bed.end();
  });

  it("forgets the slices of a Service that is no longer ferried", async () => {
    const { bed, cache } = await cacheBed([web]);
    bed.server.create(
      ENDPOINT_SLICES,
      newObject(rawSlice("shop/web-1", "web").address("10.0.0.1")),
    );
    await bed.settle();
    const before = cache.slices("shop/web")?.length;

    bed.server.patch(SERVICES, REF, { metadata: { labels: { sync: null } } });
    await bed.settle();

    expect([before, cache.slices("shop/web")]).toEqual([1, []]);
    await bed.end();
  });

  it("rings both Services when a slice moves from one to the other", async () => {
    const { bed } = await cacheBed([web, service("shop/api").ferried()]);
    const slice = rawSlice("shop/web-1", "web").address("10.0.0.1");
    bed.server.create(ENDPOINT_SLICES, newObject(slice));
    await bed.settle();
    bed.news();

    const labels = { "kubernetes.io/service-name": "api" };
    bed.server.patch(
      ENDPOINT_SLICES,
      { namespace: "shop", name: "web-1" },
      { metadata: { labels } },
    );
    await bed.settle();

    expect([...bed.news()].sort()).toEqual(["b prod/api endpoints", "b prod/web endpoints"]);
    await bed.end();
  });

  it("keeps nothing of the slices of others", async () => {
    const { bed, cache } = await cacheBed([web]);

    bed.server.create(
      ENDPOINT_SLICES,
      newObject(rawSlice("shop/x-1", "other").address("10.0.0.1")),
    );
    await bed.settle();

    expect(cache.slices("shop/other")).toEqual([]);
    expect(bed.news()).toEqual([]);
    await bed.end();
  });
});
