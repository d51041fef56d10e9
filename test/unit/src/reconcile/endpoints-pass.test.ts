import { describe, expect, it } from "vitest";
import { ENDPOINT_SLICES, ENDPOINTS } from "../../../../src/ports/kube-resources.js";
import { newObject, ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const one = rawSlice("shop/web-1", "web").address("10.0.0.1");
const two = rawSlice("shop/web-2", "web").address("10.0.0.2");
const REF = { namespace: "prod", name: "web" };

async function mirrored() {
  const bed = new ReconcileBed();
  bed.create(web, one, two);
  await bed.reconcile();
  bed.catchUp();
  bed.writes();
  return bed;
}

/** Our slice in the destination for this one of the source. */
function mirrorOf(bed: ReconcileBed, source: string) {
  const { items } = bed.server.list(ENDPOINT_SLICES);
  const found = items.find(
    ({ metadata }) => metadata.annotations?.["svc-ferry.io/source"] === source,
  );
  return { namespace: "prod", name: found?.metadata.name ?? "" };
}

describe("EndpointsPass", () => {
  it("writes one slice when one slice changes without its ready addresses", async () => {
    const bed = await mirrored();
    const conditions = { ready: true, serving: true, terminating: true };
    bed.sourceServer.patch(
      ENDPOINT_SLICES,
      { namespace: "shop", name: "web-1" },
      { endpoints: [{ addresses: ["10.0.0.1"], conditions }] },
    );
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(bed.writes()).toEqual([
      `patch endpointslices prod/${mirrorOf(bed, "shop/web-1").name}: done`,
    ]);
  });

  it("waits for slices that are not known yet", async () => {
    const bed = new ReconcileBed();
    bed.create(web, one);
    bed.source.unknown.add("shop/web");

    await bed.reconcile();

    expect(bed.writes()).toEqual(["create services prod/web: done"]);
  });

  it("deletes a slice whose source is gone, after everything else", async () => {
    const bed = await mirrored();
    const { name } = mirrorOf(bed, "shop/web-1");
    bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(bed.writes()).toEqual([
      "patch endpoints prod/web: done",
      `delete endpointslices prod/${name}: done`,
    ]);
  });

  it("takes no address away when the source still has the slice that the cache lost", async () => {
    const bed = await mirrored();
    bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
    bed.catchUp();
    bed.sourceServer.create(ENDPOINT_SLICES, newObject(one));

    await bed.reconcile("prod/web", { cause: "sweep" }).catch(() => undefined);

    expect(bed.writes()).toEqual([]);
    expect(bed.source.distrusted).toEqual(["slices shop"]);
  });

  it("deletes a slice that now belongs to another Service of the source", async () => {
    const bed = await mirrored();
    const labels = { "kubernetes.io/service-name": "api" };
    bed.sourceServer.patch(
      ENDPOINT_SLICES,
      { namespace: "shop", name: "web-1" },
      { metadata: { labels } },
    );
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(bed.writes()).toHaveLength(2);
  });

  it("gives a slice its labels back that somebody took off, without deleting it", async () => {
    const bed = await mirrored();
    const ref = mirrorOf(bed, "shop/web-1");
    bed.server.patch(ENDPOINT_SLICES, ref, { metadata: { labels: { "svc-ferry.io/link": null } } });
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "destination" });
    bed.catchUp();
    const again = await bed.reconcile("prod/web", { cause: "sweep" });

    expect(again.outcome).toBe("unchanged");
    expect(bed.writes()).toEqual([
      `create endpointslices prod/${ref.name}: AlreadyExists`,
      `patch endpointslices prod/${ref.name}: done`,
    ]);
  });

  it("leaves Endpoints of a stranger, and does not call its question a write", async () => {
    const bed = new ReconcileBed();
    const subsets = [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 1 }] }];
    const theirs = { metadata: REF, subsets };
    bed.server.create(ENDPOINTS, theirs);
    bed.create(web, one);
    await bed.reconcile();
    bed.catchUp();
    bed.writes();

    const again = await bed.reconcile("prod/web", { cause: "sweep" });

    expect(again.outcome).toBe("unchanged");
    expect(bed.server.get(ENDPOINTS, REF).metadata.labels).toBeUndefined();
    expect(
      [...bed.reporter.states()].flatMap(({ remarks }) => remarks.map(({ code }) => code)),
    ).toEqual(["foreign-endpoints"]);
  });

  it("says how many slices and ready addresses a mirror has, also when it wrote nothing", async () => {
    const bed = await mirrored();

    await bed.reconcile("prod/web", { cause: "sweep" });

    const [state] = bed.reporter.states();
    expect(state?.endpoints).toEqual({ ready: 2, total: 2, slices: 2 });
  });
});
