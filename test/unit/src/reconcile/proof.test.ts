import { describe, expect, it } from "vitest";
import { RetryableError } from "../../../../src/ports/errors.js";
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from "../../../../src/ports/kube-resources.js";
import type { Route } from "../../../../src/domain/route.js";
import type { ProofOptions } from "../../../../src/reconcile/proof.js";
import { parseService } from "../../../../src/domain/parse.js";
import { ClusterControllers } from "../../../fakes/cluster-controllers.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { route } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const SOURCE = { namespace: "shop", name: "web" };

function options(more: Partial<ProofOptions> = {}): ProofOptions {
  const { signal } = new AbortController();
  const target = "prod/web";
  return { destination: "b", target, unmapped: false, graceOver: false, signal, ...more };
}

/** A bed with a mirror of shop/web. */
async function bedWithMirror() {
  const bed = new ReconcileBed();
  bed.create(web, rawSlice("shop/web-1", "web").address("10.0.0.1"));
  await bed.reconcile();
  const mirror = parseService(
    bed.server.get(SERVICES, { namespace: "prod", name: "web" }),
    () => true,
  );
  bed.sourceApi.requests.splice(0);
  return { bed, mirror };
}

describe("SourceProof", () => {
  it("is satisfied by a GET of that very Service, from the cluster that it asked who it is", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.delete(SERVICES, SOURCE);

    const verdict = await bed.proof.unwanted(mirror, options());

    expect(verdict).toEqual({ kind: "proven", because: "source-deleted" });
    expect(bed.sourceApi.requests).toEqual(["get namespaces kube-system", "get services shop/web"]);
  });

  it("asks who the cluster is once for each connection", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.delete(SERVICES, SOURCE);
    await bed.proof.unwanted(mirror, options());
    bed.sourceApi.requests.splice(0);

    await bed.proof.unwanted(mirror, options());
    bed.sourceApi.connections += 1;
    await bed.proof.unwanted(mirror, options());

    expect(bed.sourceApi.requests).toEqual([
      "get services shop/web",
      "get namespaces kube-system",
      "get services shop/web",
    ]);
  });

  it("does not trust an answer beside which a connection was opened", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.sourceApi.before = () => {
      bed.sourceApi.connections += 1;
    };

    await expect(bed.proof.unwanted(mirror, options())).rejects.toMatchObject({
      code: "FERRY-R002",
    });
  });

  it("asks again when a connection was opened while the Service was read", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.sourceApi.before = (request) => {
      const opened = request.startsWith("get services") && bed.sourceApi.connections === 1;
      if (opened) bed.sourceApi.connections = 2;
    };

    await bed.proof.unwanted(mirror, options());

    expect(bed.sourceApi.requests).toEqual([
      "get namespaces kube-system",
      "get services shop/web",
      "get namespaces kube-system",
      "get services shop/web",
    ]);
  });

  it("does not count a connection as known that was opened while it asked", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.sourceApi.before = (request) => {
      const opened = request.startsWith("get namespaces") && bed.sourceApi.connections === 1;
      if (opened) bed.sourceApi.connections = 2;
    };

    await bed.proof.unwanted(mirror, options());

    expect(bed.sourceApi.requests).toEqual([
      "get namespaces kube-system",
      "get namespaces kube-system",
      "get services shop/web",
    ]);
  });

  it("deletes nothing on the word of another cluster", async () => {
    const { bed, mirror } = await bedWithMirror();
    const other = new ReconcileBed();
    bed.sourceApi.get = (resource, ref) =>
      Promise.resolve(
        other.server.list(resource).items.find(({ metadata }) => metadata.name === ref.name),
      );

    await expect(bed.proof.unwanted(mirror, options())).rejects.toMatchObject({
      code: "FERRY-R002",
    });
  });

  it("holds the mirror of a former source cluster, whatever this one says", async () => {
    const { bed, mirror } = await bedWithMirror();
    const annotations = { ...mirror.annotations, "svc-ferry.io/source-cluster": "former" };

    const verdict = await bed.proof.unwanted({ ...mirror, annotations }, options());

    expect(verdict).toMatchObject({ kind: "held", code: "former-cluster" });
    expect(bed.sourceApi.requests).toEqual([]);
  });

  it("holds a mirror whose source nobody knows any more", async () => {
    const { bed, mirror } = await bedWithMirror();
    const { "svc-ferry.io/source": _source, ...annotations } = mirror.annotations;

    expect(await bed.proof.unwanted({ ...mirror, annotations }, options())).toMatchObject({
      kind: "held",
      code: "deletion-not-proven",
    });
  });

  it("takes a Service that is being deleted for gone", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.patch(SERVICES, SOURCE, { metadata: { finalizers: ["example.com/wait"] } });
    bed.sourceServer.delete(SERVICES, SOURCE);

    expect(await bed.proof.unwanted(mirror, options())).toEqual({
      kind: "proven",
      because: "source-deleted",
    });
  });

  it.each([
    ["not-selected", { labels: { sync: null } }],
    ["mapped-elsewhere", { annotations: { "svc-ferry.io/target-name": "other" } }],
  ])("finds out that the Service is %s now", async (because, metadata) => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.patch(SERVICES, SOURCE, { metadata });

    expect(await bed.proof.unwanted(mirror, options())).toMatchObject({ kind: "proven", because });
  });

  it("holds the mirror of a route that this configuration does not know, for its grace", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.patch(SERVICES, SOURCE, { metadata: { labels: { sync: null } } });
    const annotations = { ...mirror.annotations, "svc-ferry.io/route": "gone@00000000" };
    const orphan = { ...mirror, annotations };

    const during = await bed.proof.unwanted(orphan, options());
    const after = await bed.proof.unwanted(orphan, options({ graceOver: true }));
    const seen = await bed.proof.unwanted(orphan, options({ unmapped: true }));

    expect(during).toMatchObject({ kind: "held", code: "route-gone" });
    expect([after.kind, seen.kind]).toEqual(["proven", "proven"]);
  });

  describe("when a route refuses what the Service asks for", () => {
    const a = route("a");
    const b = route("b").selecting("team=x").to("prod", "{namespace}-{name}");
    const refused = web.label("team", "x").annotation("svc-ferry.io/target-name", "web");
    const slip = { annotations: { "svc-ferry.io/target-name": "We_b" } };

    async function bedWithRoutes(...routes: readonly Route[]) {
      const bed = new ReconcileBed({ routes });
      bed.create(refused);
      await bed.reconcile();
      const found = bed.server.get(SERVICES, { namespace: "prod", name: "web" });
      return { bed, mirror: parseService(found, () => true) };
    }

    it("does not keep the mirror that another route made", async () => {
      const { bed, mirror } = await bedWithRoutes(a, b);
      const metadata = { ...slip, labels: { sync: null } };
      bed.sourceServer.patch(SERVICES, SOURCE, { metadata });

      const verdict = await bed.proof.unwanted(mirror, options());

      expect(verdict).toMatchObject({ kind: "proven", because: "mapped-elsewhere" });
      expect(bed.source.retained).toEqual([]);
    });

    it.each<[string, Readonly<Record<string, string | null>>]>([
      ["the route that made it", {}],
      ["that route under the name that it had", { "svc-ferry.io/route": "former@" }],
      ["an unknown route, its record being gone", { "svc-ferry.io/route": null }],
    ])("keeps the mirror of %s", async (_case, changed) => {
      const { bed, mirror } = await bedWithRoutes(a, b);
      bed.sourceServer.patch(SERVICES, SOURCE, { metadata: slip });
      const record = mirror.annotations["svc-ferry.io/route"] ?? "";
      const digest = record.slice(record.lastIndexOf("@") + 1);
      const annotations = Object.fromEntries(
        Object.entries({ ...mirror.annotations, ...changed }).flatMap(([key, value]) =>
          value === null ? [] : [[key, value.replace(/@$/, `@${digest}`)]],
        ),
      );

      const verdict = await bed.proof.unwanted({ ...mirror, annotations }, options());

      expect(verdict).toMatchObject({ kind: "held", code: "invalid-name" });
      expect(bed.source.retained).toEqual(["shop/web prod/web"]);
    });
  });

  it("does not wait for a mirror whose record of its route somebody took away", async () => {
    const { bed, mirror } = await bedWithMirror();
    bed.sourceServer.patch(SERVICES, SOURCE, { metadata: { labels: { sync: null } } });
    const { "svc-ferry.io/route": _route, ...annotations } = mirror.annotations;

    expect(await bed.proof.unwanted({ ...mirror, annotations }, options())).toMatchObject({
      kind: "proven",
      because: "not-selected",
    });
  });

  it("knows a slice as gone that the source does not have, or that another Service has now", async () => {
    const { bed } = await bedWithMirror();
    const { signal } = new AbortController();
    const ask = (): Promise<boolean> => bed.proof.sliceGone("shop/web-1", "shop/web", signal);

    const there = await ask();
    const labels = { "kubernetes.io/service-name": "api" };
    const ref = { namespace: "shop", name: "web-1" };
    bed.sourceServer.patch(ENDPOINT_SLICES, ref, { metadata: { labels } });
    const moved = await ask();
    bed.sourceServer.delete(ENDPOINT_SLICES, ref);
    const deleted = await ask();

    expect([there, moved, deleted]).toEqual([false, true, true]);
  });

  describe("when nobody may ask inside the namespace any more", () => {
    const SHOP = { name: "shop" };
    /** After this a namespace that was deleted has been emptied and removed. */
    const NAMESPACE_MS = 60_000;

    /** The Role went with the namespace: a refusal of these requests, whatever is there. */
    async function bedWithoutRole(refused = /^(get|list) (services|endpointslices) /) {
      const made = await bedWithMirror();
      new ClusterControllers(made.bed.sourceServer, new SeededRandom(3)).start();
      made.bed.sourceApi.before = (request) => {
        if (!refused.test(request)) return;
        throw new RetryableError("FERRY-K006", `${request} is forbidden`, { status: 403 });
      };
      return made;
    }

    it("takes a Service for gone with its namespace", async () => {
      const { bed, mirror } = await bedWithoutRole();
      bed.sourceServer.delete(NAMESPACES, SHOP);
      await bed.clock.advance(NAMESPACE_MS);

      const verdict = await bed.proof.unwanted(mirror, options());

      expect(verdict).toEqual({ kind: "proven", because: "source-deleted" });
      expect(bed.sourceApi.requests).toEqual([
        "get namespaces kube-system",
        "get services shop/web",
        "get namespaces shop",
      ]);
    });

    it("takes slices for gone with their namespace", async () => {
      const { bed } = await bedWithoutRole();
      const { signal } = new AbortController();
      bed.sourceServer.delete(NAMESPACES, SHOP);
      await bed.clock.advance(NAMESPACE_MS);

      const isGone = await bed.proof.sliceGone("shop/web-1", "shop/web", signal);
      const areAll = await bed.proof.noOtherSlices("shop/web", new Set(), signal);

      expect([isGone, areAll]).toEqual([true, true]);
    });

    it("does not trust the absence of a namespace beside whose answer a connection was opened", async () => {
      const { bed, mirror } = await bedWithoutRole(/^$/);
      bed.sourceServer.delete(NAMESPACES, SHOP);
      await bed.clock.advance(NAMESPACE_MS);
      bed.sourceApi.before = (request) => {
        if (request === "get namespaces shop") bed.sourceApi.connections += 1;
        if (!request.startsWith("get services")) return;
        throw new RetryableError("FERRY-K006", "forbidden", { status: 403 });
      };

      const verdict = bed.proof.unwanted(mirror, options());

      await expect(verdict).rejects.toMatchObject({ code: "FERRY-R002" });
    });

    it("waits for the end of a namespace that is being deleted", async () => {
      const { bed, mirror } = await bedWithoutRole();
      bed.sourceServer.delete(NAMESPACES, SHOP);

      const verdict = bed.proof.unwanted(mirror, options());

      await expect(verdict).rejects.toMatchObject({
        code: "FERRY-R002",
        message: expect.stringContaining("namespace shop of source is being deleted"),
      });
    });

    it("proves nothing by a namespace that is there, and says what it lacks", async () => {
      const { bed, mirror } = await bedWithoutRole();
      const { signal } = new AbortController();
      const lacking = {
        code: "FERRY-K006",
        status: 403,
        message: expect.stringContaining("namespace shop of source is there without the Role"),
      };

      await expect(bed.proof.unwanted(mirror, options())).rejects.toMatchObject(lacking);
      await expect(bed.proof.sliceGone("shop/web-1", "shop/web", signal)).rejects.toMatchObject(
        lacking,
      );
      await expect(bed.proof.noOtherSlices("shop/web", new Set(), signal)).rejects.toMatchObject(
        lacking,
      );
    });

    it("passes on the refusal where the namespace may not be read either", async () => {
      const { bed, mirror } = await bedWithoutRole(/shop/);
      bed.sourceServer.delete(NAMESPACES, SHOP);
      await bed.clock.advance(NAMESPACE_MS);

      await expect(bed.proof.unwanted(mirror, options())).rejects.toMatchObject({
        code: "FERRY-K006",
        message: "get services shop/web is forbidden",
      });
    });
  });
});
