import { describe, expect, it } from "vitest";
import { ENDPOINT_SLICES, ENDPOINTS } from "../../../../src/ports/kube-resources.js";
import { settle } from "../../../fakes/settle.js";
import { newObject, ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { RunnerBed } from "../../../fixtures/runner-bed.js";
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

/** Mirrored but for its Endpoints, whose name a stranger has. */
async function withStranger() {
  const bed = new ReconcileBed();
  const subsets = [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 1 }] }];
  const theirs = { metadata: REF, subsets };
  bed.server.create(ENDPOINTS, theirs);
  bed.create(web, one);
  await bed.reconcile();
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

  it("sends slice and Endpoints together when only addresses change", async () => {
    const bed = new RunnerBed();
    bed.create(web, one);
    bed.lead();
    await settle();
    bed.catchUp();
    bed.sourceServer.patch(
      ENDPOINT_SLICES,
      { namespace: "shop", name: "web-1" },
      { endpoints: [{ addresses: ["10.0.0.9"] }] },
    );
    bed.catchUp();
    bed.destinationApi.hold();
    const before = bed.destinationApi.requests.length;

    bed.runner.add("prod/web", { sinceMs: 0, cause: "endpoints" });
    await settle();
    const sent = bed.destinationApi.requests.slice(before);
    await bed.close();

    expect(sent).toEqual([
      expect.stringMatching(/^patch endpointslices prod\/web-/),
      "patch endpoints prod/web",
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
    const bed = await withStranger();
    bed.catchUp();
    bed.writes();

    const again = await bed.reconcile("prod/web", { cause: "sweep" });

    expect(again.outcome).toBe("unchanged");
    expect(bed.writes()).toEqual([]);
    expect(bed.server.get(ENDPOINTS, REF).metadata.labels).toBeUndefined();
    expect(
      [...bed.reporter.states()].flatMap(({ remarks }) => remarks?.map(({ code }) => code)),
    ).toEqual(["foreign-endpoints"]);
  });

  it("makes the Endpoints when the stranger has taken its own away", async () => {
    const bed = await withStranger();
    bed.server.delete(ENDPOINTS, REF);
    bed.writes();

    await bed.reconcile("prod/web", { cause: "sweep" });

    expect(bed.writes()).toEqual(["create endpoints prod/web: done"]);
  });

  it("says how many slices and ready addresses a mirror has, also when it wrote nothing", async () => {
    const bed = await mirrored();

    await bed.reconcile("prod/web", { cause: "sweep" });

    const [state] = bed.reporter.states();
    expect(state?.endpoints).toEqual({ ready: 2, total: 2, slices: 2 });
  });
});

describe("EndpointsPass without mirror slices", () => {
  const three = rawSlice("shop/web-3", "web").address("10.0.0.3");

  /** Two slices in the source, their addresses in Endpoints. */
  async function filled() {
    const bed = new ReconcileBed({ endpoints: "endpoints" });
    bed.create(web, one, two);
    await bed.reconcile();
    bed.catchUp();
    bed.writes();
    bed.sourceApi.requests.splice(0);
    return bed;
  }

  /** As a page that was lost leaves it out. */
  function loseSecond(bed: ReconcileBed): void {
    bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-2" });
    bed.catchUp();
    bed.sourceServer.create(ENDPOINT_SLICES, newObject(two));
  }

  const questions = (bed: ReconcileBed) =>
    bed.sourceApi.requests.filter((request) => !request.includes("kube-system"));

  const list = "list endpointslices shop kubernetes.io/service-name=web";

  it("takes no address away with a slice that only the cache lost, and lists again", async () => {
    const bed = await filled();
    loseSecond(bed);

    await expect(bed.reconcile("prod/web", { cause: "endpoints" })).rejects.toMatchObject({
      code: "FERRY-R002",
    });

    expect(bed.writes()).toEqual([]);
    expect(bed.source.distrusted).toEqual(["slices shop"]);
    expect(questions(bed)).toEqual(["get endpointslices shop/web-2"]);
  });

  it("takes the addresses of a slice away that the source has no more", async () => {
    const bed = await filled();
    bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(bed.writes()).toEqual(["patch endpoints prod/web: done"]);
  });

  it("asks nothing when all slices that filled the Endpoints are there", async () => {
    const bed = await filled();
    bed.sourceServer.create(ENDPOINT_SLICES, newObject(three));
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(bed.writes()).toEqual(["patch endpoints prod/web: done"]);
    expect(questions(bed)).toEqual([]);
  });

  it("knows what filled Endpoints that it has only found in order", async () => {
    const bed = await filled();
    bed.server.patch(ENDPOINTS, REF, { metadata: { labels: { "example.com/theirs": "1" } } });
    bed.catchUp();
    await bed.reconcile("prod/web", { cause: "sweep" });
    bed.writes();
    loseSecond(bed);

    await expect(bed.reconcile("prod/web")).rejects.toMatchObject({ code: "FERRY-R002" });

    expect(bed.writes()).toEqual([]);
    expect(questions(bed)).toEqual(["get endpointslices shop/web-2"]);
  });

  it("lists the Service's slices before it changes what another process wrote", async () => {
    const bed = await filled();
    bed.server.patch(ENDPOINTS, REF, { metadata: { labels: { "example.com/theirs": "1" } } });
    loseSecond(bed);

    await expect(bed.reconcile("prod/web")).rejects.toMatchObject({ code: "FERRY-R002" });
    const lost = bed.writes();
    bed.catchUp();
    bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
    bed.catchUp();
    await bed.reconcile();

    expect(lost).toEqual([]);
    expect(bed.writes()).toEqual(["patch endpoints prod/web: done"]);
    expect(questions(bed)).toEqual([list, list]);
  });

  it.each(["both", "endpoints"] as const)(
    "empties Endpoints with --endpoints=%s only when the source has no slice at all",
    async (endpoints) => {
      const bed = new ReconcileBed({ endpoints });
      bed.create(web, one);
      await bed.reconcile();
      bed.catchUp();
      bed.writes();
      bed.sourceServer.delete(ENDPOINT_SLICES, { namespace: "shop", name: "web-1" });
      bed.catchUp();
      bed.sourceServer.create(ENDPOINT_SLICES, newObject(three));

      await expect(bed.reconcile()).rejects.toMatchObject({ code: "FERRY-R002" });

      expect(bed.writes()).toEqual([]);
    },
  );
});
