import { describe, expect, it } from "vitest";
import { DestinationCache } from "../../../../src/intake/destination-cache.js";
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from "../../../../src/ports/kube-resources.js";
import { IntakeBed } from "../../../fixtures/intake-bed.js";
import { kubeService } from "../../../fixtures/kube-objects.js";
import { newObject } from "../../../fixtures/reconcile-bed.js";
import { route } from "../../../fixtures/route.js";
import { LINK, service, type ServiceBuilder } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const mirror = service("prod/web").mirrorOf("shop/web");
const REF = { namespace: "prod", name: "web" };

function cacheBed(...before: readonly ServiceBuilder[]) {
  return bedWithStrays([], before);
}

async function bedWithStrays(strays: readonly string[], before: readonly ServiceBuilder[]) {
  const bed = new IntakeBed("destination", "prod", ...strays);
  const create = (one: ServiceBuilder) => bed.server.create(SERVICES, newObject(kubeService(one)));
  before.forEach(create);
  const cache = new DestinationCache({
    ...bed.parts,
    link: LINK,
    marks: [route().mark],
    namespaces: ["prod"],
    strays,
    primaryFamilies: ["IPv4"],
    onTarget: (target) => bed.told.push(target),
    onRelisted: () => bed.told.push("relisted"),
  });
  await bed.start(cache);
  await bed.settle();
  bed.news();
  return { bed, cache, create };
}

/** A slice of ours under prod/web. */
function ownSlice(link: string | undefined = LINK, owner?: { name: string; uid: string }) {
  const { metadata, ...rest } = rawSlice("prod/web-1", "web").address("10.0.0.1");
  const labels = {
    ...metadata.labels,
    ...(link === undefined ? {} : { "svc-ferry.io/link": link }),
  };
  const owned = owner && [{ apiVersion: "v1", kind: "Service", ...owner }];
  const fields = {
    namespace: "prod",
    name: "web-1",
    labels,
    ...(owned && { ownerReferences: owned }),
  };
  return { ...rest, metadata: fields };
}

describe("DestinationCache", () => {
  it("tells ours from what is somebody else's", async () => {
    const { bed, cache } = await cacheBed(mirror, service("prod/theirs"));

    expect(cache.existing("prod/web")).toMatchObject({ kind: "ours", service: { name: "web" } });
    expect(cache.existing("prod/theirs").kind).toBe("foreign");
    expect(cache.existing("prod/none")).toEqual({ kind: "absent" });
    expect([...cache.mirrors()]).toEqual(["prod/web"]);
    expect(cache.mirrorCount).toBe(1);
    await bed.end();
  });

  it("calls another installation's mirror foreign, and one that lost its label ours", async () => {
    const other = service("prod/other").mirrorOf("shop/x", "theirs");
    const { bed, cache } = await cacheBed(mirror, other);

    bed.server.patch(SERVICES, REF, { metadata: { labels: { "svc-ferry.io/link": null } } });
    await bed.settle();

    expect(cache.existing("prod/other").kind).toBe("foreign");
    expect(cache.existing("prod/web").kind).toBe("ours");
    expect(bed.news()).toContain("prod/web");
    await bed.end();
  });

  it("knows the mirrors of stray namespaces as well, but depends on them for nothing", async () => {
    const stray = service("former/old").mirrorOf("shop/old");
    const { bed, cache } = await bedWithStrays(["former"], [mirror, stray]);

    expect([...cache.mirrors()]).toEqual(["prod/web", "former/old"]);
    expect(cache.existing("former/old").kind).toBe("ours");
    expect(cache.health()).toHaveLength(4);
    await bed.end();
  });

  it("rings for every change under a name, whoever made it", async () => {
    const { bed, create } = await cacheBed();

    create(service("prod/theirs"));
    await bed.settle();
    const came = bed.news();
    bed.server.delete(SERVICES, { namespace: "prod", name: "theirs" });
    await bed.settle();

    expect(came).toEqual(["prod/theirs"]);
    expect(bed.news()).toContain("prod/theirs");
    await bed.end();
  });

  it("shows what we wrote at once, and does not ring when the watch brings it", async () => {
    const { bed, cache, create } = await cacheBed();

    cache.wrote("services", create(mirror));
    const atOnce = cache.existing("prod/web").kind;
    await bed.settle();

    expect(atOnce).toBe("ours");
    expect(bed.news()).toEqual([]);
    await bed.end();
  });

  it("lists again when the server answers with a mirror that a list had left out", async () => {
    const { bed, cache, create } = await cacheBed();
    const stored = create(mirror);
    await bed.settle();
    bed.process.network(bed.server).next("list", "empty-list", "services");
    cache.distrust("services", "prod");
    await bed.settle();
    const afterTheLie = cache.existing("prod/web").kind;

    cache.wrote("services", stored);
    await bed.settle();

    expect(afterTheLie).toBe("absent");
    expect(cache.existing("prod/web").kind).toBe("ours");
    await bed.end();
  });

  it("shows what we deleted as gone at once", async () => {
    const { bed, cache, create } = await cacheBed();
    const { metadata } = create(mirror);
    await bed.settle();

    cache.deleted("services", "prod/web", "another uid");
    const other = cache.existing("prod/web").kind;
    cache.deleted("services", "prod/web", metadata.uid ?? "");

    expect([other, cache.existing("prod/web").kind]).toEqual(["ours", "absent"]);
    await bed.end();
  });

  it("counts a mirror that waits for its finalizers as ours, but not among the mirrors", async () => {
    const { bed, cache } = await cacheBed(mirror);
    bed.server.patch(SERVICES, REF, { metadata: { finalizers: ["example.com/wait"] } });

    cache.wrote("services", bed.server.delete(SERVICES, REF));

    expect(cache.existing("prod/web")).toMatchObject({ kind: "ours", service: { deleting: true } });
    expect([...cache.mirrors()]).toEqual([]);
    await bed.settle();
    expect(cache.existing("prod/web").kind).toBe("ours");
    await bed.end();
  });

  it("waits for no word about Endpoints that turned out to be a stranger's", async () => {
    const { bed, cache } = await cacheBed(mirror);
    const subsets = [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 1 }] }];
    const theirs = { metadata: REF, subsets };
    cache.wrote("endpoints", bed.server.create(ENDPOINTS, theirs));

    cache.forget("endpoints", "prod/web");
    const known = cache.endpoints("prod/web");
    await bed.world.run({ forMs: 100_000 });

    expect(known).toBeUndefined();
    expect(bed.news()).not.toContain("relisted");
    await bed.end();
  });

  it("finds our slices by the name that they are for, and by the mirror that owns them", async () => {
    const { bed, cache, create } = await cacheBed(mirror);
    const { uid = "" } = create(service("prod/api").mirrorOf("shop/api")).metadata;

    bed.server.create(ENDPOINT_SLICES, ownSlice(LINK, { name: "api", uid }));
    await bed.settle();

    expect(cache.slices("prod/web").map(({ name }) => name)).toEqual(["web-1"]);
    expect(cache.slices("prod/api").map(({ name }) => name)).toEqual(["web-1"]);
    expect(cache.foreignSlices("prod/web")).toEqual([]);
    await bed.end();
  });

  it.each([["theirs"], [undefined]])(
    "keeps slices with the link %s apart from ours",
    async (link) => {
      const { bed, cache } = await cacheBed(mirror);

      const slice = ownSlice();
      const labels = {
        "kubernetes.io/service-name": "web",
        ...(link && { "svc-ferry.io/link": link }),
      };
      bed.server.create(ENDPOINT_SLICES, { ...slice, metadata: { ...slice.metadata, labels } });
      await bed.settle();

      expect(cache.slices("prod/web")).toEqual([]);
      expect(cache.foreignSlices("prod/web").map(({ name }) => name)).toEqual(["web-1"]);
      expect(bed.news()).toContain("prod/web");
      await bed.end();
    },
  );

  it("names what lies under a name without a mirror", async () => {
    const { bed, cache } = await cacheBed();
    const labels = { "svc-ferry.io/link": LINK };

    bed.server.create(ENDPOINT_SLICES, ownSlice());
    bed.server.create(ENDPOINTS, { metadata: { namespace: "prod", name: "api", labels } });
    await bed.settle();

    expect(new Set(cache.leftovers())).toEqual(new Set(["prod/web", "prod/api"]));
    expect(cache.endpoints("prod/api")?.labels).toEqual(labels);
    await bed.end();
  });

  it("is told to compare everything after a later list, not after the first", async () => {
    const { bed, cache } = await cacheBed(mirror);

    cache.distrust("services", "prod");
    await bed.settle();

    expect(bed.news()).toEqual(["relisted"]);
    await bed.end();
  });
});
