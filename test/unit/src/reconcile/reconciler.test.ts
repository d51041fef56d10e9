import { describe, expect, it } from "vitest";
import { RetryableError } from "../../../../src/ports/errors.js";
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  NAMESPACES,
  SERVICES,
} from "../../../../src/ports/kube-resources.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { route } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const slice = rawSlice("shop/web-1", "web").address("10.0.0.1");
const REF = { namespace: "prod", name: "web" };
const SOURCE = { namespace: "shop", name: "web" };
const SYNCED = { outcome: "synced", again: false };

/** A bed where shop/web is mirrored and its writes are forgotten. */
async function mirrored(options: ConstructorParameters<typeof ReconcileBed>[0] = {}) {
  const bed = new ReconcileBed(options);
  bed.create(web, slice);
  await bed.reconcile();
  bed.catchUp();
  bed.writes();
  bed.events.news();
  return bed;
}

describe("Reconciler", () => {
  it("makes the mirror, then its slice, then its Endpoints, and says so once", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);

    const result = await bed.reconcile();

    expect(result).toEqual(SYNCED);
    expect(bed.writes()).toEqual([
      "create services prod/web: done",
      expect.stringMatching(/^create endpointslices prod\/web-[0-9a-f]{20}: done$/),
      "create endpoints prod/web: done",
    ]);
    expect(bed.events.news()).toEqual(["Normal Synced shop/web"]);
  });

  it("writes nothing when it looks again, caught up or not", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);
    await bed.reconcile();
    bed.writes();

    const atOnce = await bed.reconcile();
    bed.catchUp();
    const later = await bed.reconcile("prod/web", { cause: "sweep" });

    expect([atOnce.outcome, later.outcome]).toEqual(["unchanged", "unchanged"]);
    expect(bed.writes()).toEqual([]);
  });

  it("has nothing to do for a name that nobody knows", async () => {
    const bed = new ReconcileBed();

    expect(await bed.reconcile("prod/none")).toEqual({ outcome: "nothing", again: false });
    expect(bed.writes()).toEqual([]);
  });

  it("makes the mirror again that somebody deleted, with the slices that its deletion left", async () => {
    const bed = await mirrored();
    bed.server.delete(SERVICES, REF);
    bed.catchUp();

    await bed.reconcile("prod/web", { cause: "destination" });

    expect(bed.writes()).toEqual([
      "create services prod/web: done",
      expect.stringMatching(/^patch endpointslices prod\/web-[0-9a-f]{20}: done$/),
      "patch endpoints prod/web: done",
    ]);
    expect(bed.metrics.of("svc_ferry_drift_repairs_total")).toContain("b services");
  });

  it("goes by what the server has when the cache is late", async () => {
    const bed = await mirrored();
    bed.server.patch(SERVICES, REF, { metadata: { labels: { team: "x" } } });
    bed.sourceServer.patch(SERVICES, SOURCE, { spec: { sessionAffinity: "ClientIP" } });
    bed.source.catchUp();

    await expect(bed.reconcile()).rejects.toMatchObject({ code: "FERRY-R001" });
    const again = await bed.reconcile();

    expect(again).toEqual(SYNCED);
    expect(bed.writes()).toEqual([
      "patch services prod/web: Conflict",
      "patch services prod/web: done",
    ]);
    expect(bed.server.get(SERVICES, REF).metadata.labels?.["team"]).toBe("x");
  });

  it("sends nothing when the process no longer leads", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);
    bed.leads = false;

    await expect(bed.reconcile()).rejects.toMatchObject({ code: "FERRY-L001" });
    expect(bed.writes()).toEqual([]);
  });

  describe("when the name is not free", () => {
    const theirs = { metadata: REF, spec: { ports: [{ port: 80 }], selector: { app: "x" } } };

    it("touches nothing, and tells the source once", async () => {
      const bed = new ReconcileBed();
      bed.server.create(SERVICES, theirs);
      bed.create(web, slice);

      await bed.reconcile();
      const again = await bed.reconcile();

      expect(again).toEqual({ outcome: "refused", again: false });
      expect(bed.writes()).toEqual([]);
      expect(bed.events.news()).toEqual(["Warning NameConflict shop/web"]);
    });

    it("learns it from the create itself when the cache does not know", async () => {
      const bed = new ReconcileBed();
      bed.create(web, slice);
      bed.server.create(SERVICES, theirs);

      const result = await bed.reconcile();

      expect(result).toEqual({ outcome: "refused", again: true });
      expect(bed.writes()).toEqual(["create services prod/web: AlreadyExists"]);
    });

    it("gives it to one of two sources, and tells the other", async () => {
      const bed = new ReconcileBed({ routes: [route().from("shop", "cart")] });
      bed.create(web, slice);
      bed.create(service("cart/web").ferried());

      await bed.reconcile();

      const { annotations } = bed.server.get(SERVICES, REF).metadata;
      expect(annotations?.["svc-ferry.io/source"]).toBe("cart/web");
      expect([...bed.events.news()].sort()).toEqual([
        "Normal Synced cart/web",
        "Warning NameConflict shop/web",
      ]);
    });
  });

  describe("when the namespace is not there", () => {
    it("refuses, and looks again, where the route does not make it", async () => {
      const bed = new ReconcileBed({ routes: [route().to("other")] });
      bed.create(web, slice);

      const result = await bed.reconcile("other/web");

      expect(result).toEqual({ outcome: "refused", again: true });
      expect(bed.events.news()).toEqual(["Warning Refused shop/web"]);
    });

    it("makes it, and the mirror in the same pass, where the route says so", async () => {
      const bed = new ReconcileBed({
        routes: [route().to("other").with({ createNamespace: true })],
      });
      bed.create(web, slice);

      const result = await bed.reconcile("other/web");

      expect(result).toEqual(SYNCED);
      expect(bed.writes().slice(0, 3)).toEqual([
        "create services other/web: NotFound",
        "create namespaces other: done",
        "create services other/web: done",
      ]);
      expect(bed.events.news()).toEqual(["Normal Synced shop/web"]);
    });

    it("does not try for ever when making it does not help", async () => {
      const bed = new ReconcileBed({
        routes: [route().to("other").with({ createNamespace: true })],
      });
      bed.create(web, slice);
      bed.server.create(NAMESPACES, { metadata: { name: "other" } });
      bed.api.create = (resource) =>
        Promise.resolve({ kind: resource === NAMESPACES ? "already-exists" : "not-found" });

      const result = await bed.reconcile("other/web");

      expect(result).toEqual({ outcome: "refused", again: true });
    });
  });

  it("tells what the destination finds wrong with the mirror", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);
    bed.api.create = () => Promise.resolve({ kind: "invalid", message: "spec.ports: no" });

    expect(await bed.reconcile()).toEqual({ outcome: "refused", again: true });
    const [record] = bed.events.records;
    expect(record?.message).toBe("rejected-by-destination: spec.ports: no");
  });

  it("holds everything while the destination is paused, and keeps the mirror", async () => {
    const bed = new ReconcileBed({ paused: true });
    bed.create(web, slice);

    expect(await bed.reconcile()).toEqual({ outcome: "held", again: false });
    expect(bed.writes()).toEqual([]);
    expect(bed.events.news()).toEqual(["Normal Paused shop/web"]);
  });

  it("clears nothing while the destination is paused, not even what a mirror left", async () => {
    const bed = new ReconcileBed({ paused: true });
    const { items } = (await mirrored()).server.list(ENDPOINT_SLICES);
    for (const { metadata, ...rest } of items) {
      const { namespace, name, labels, ownerReferences } = metadata;
      const fields = { namespace, name, labels, ownerReferences } as typeof metadata;
      bed.server.create(ENDPOINT_SLICES, { ...rest, metadata: fields });
    }
    bed.catchUp();

    expect(await bed.reconcile("prod/web", { cause: "sweep" })).toEqual({
      outcome: "nothing",
      again: false,
    });
    expect(bed.view.slices("prod/web")).toHaveLength(1);
    expect(bed.writes()).toEqual([]);
  });

  describe("when nobody wants the mirror any more", () => {
    const gone = async (bed: ReconcileBed): Promise<void> => {
      bed.sourceServer.delete(SERVICES, SOURCE);
      bed.catchUp();
      await Promise.resolve();
    };

    it("removes it, with its slices and Endpoints, when the watch saw the source go", async () => {
      const bed = await mirrored();
      await gone(bed);

      const result = await bed.reconcile("prod/web", { unmapped: true });

      expect(result).toEqual({ outcome: "removed", again: false });
      expect(bed.writes()).toEqual([
        "delete services prod/web: done",
        expect.stringMatching(/^delete endpointslices prod\/web-[0-9a-f]{20}: done$/),
        "delete endpoints prod/web: done",
      ]);
    });

    it("asks for a sweep, and deletes nothing, when only a list says so", async () => {
      const bed = await mirrored();
      await gone(bed);
      const asked: string[] = [];
      bed.reporter.onSweepWanted(() => asked.push("sweep"));

      const result = await bed.reconcile("prod/web", { cause: "destination" });

      expect(result).toEqual({ outcome: "held", again: false });
      expect(asked).toEqual(["sweep"]);
      expect(bed.writes()).toEqual([]);
    });

    it("keeps it, and lists again, when the source still has the Service that the cache lost", async () => {
      const bed = await mirrored();
      bed.source.loseEverything();

      const pass = bed.reconcile("prod/web", { cause: "sweep", swept: true });

      await expect(pass).rejects.toBeInstanceOf(RetryableError);
      expect(bed.source.distrusted).toEqual(["services shop"]);
      expect(bed.writes()).toEqual([]);
    });

    it("removes it when the label is gone, and tells the source", async () => {
      const bed = await mirrored();
      bed.sourceServer.patch(SERVICES, SOURCE, { metadata: { labels: { sync: null } } });
      bed.catchUp();

      await bed.reconcile("prod/web", { unmapped: true });

      expect(bed.writes()[0]).toBe("delete services prod/web: done");
      expect(bed.events.news()).toEqual(["Normal Removed shop/web"]);
    });
  });

  describe("when somebody put a finalizer on the mirror", () => {
    const withFinalizer = async (): Promise<ReconcileBed> => {
      const bed = await mirrored();
      bed.server.patch(SERVICES, REF, { metadata: { finalizers: ["example.com/wait"] } });
      bed.sourceServer.delete(SERVICES, SOURCE);
      bed.catchUp();
      bed.writes();
      await bed.reconcile("prod/web", { unmapped: true });
      return bed;
    };

    it("deletes it once, and says so once", async () => {
      const bed = await withFinalizer();

      await bed.reconcile("prod/web", { swept: true });
      bed.catchUp();
      const later = await bed.reconcile("prod/web", { swept: true });

      expect(later.outcome).toBe("nothing");
      const deletions = bed.writes().filter((line) => line.includes("services"));
      expect(deletions).toEqual(["delete services prod/web: done"]);
      expect(bed.log.lines.filter((line) => line === "info: removed")).toHaveLength(1);
    });

    it("says what it waits for when the source comes back, and makes the mirror anew then", async () => {
      const bed = await withFinalizer();
      bed.create(web);
      bed.writes();

      const waiting = await bed.reconcile();
      expect(waiting).toEqual({ outcome: "refused", again: false });
      expect(bed.writes().map((line) => line.replace(/-[0-9a-f]{20}/, "-*"))).toEqual([
        "create endpointslices prod/web-*: done",
        "create endpoints prod/web: done",
      ]);
      expect(bed.events.records.at(-1)?.message).toContain("mirror-terminating: prod/web is");

      bed.server.patch(SERVICES, REF, { metadata: { finalizers: null } });
      bed.catchUp();
      expect((await bed.reconcile()).outcome).toBe("synced");
    });

    it("keeps its endpoints right until it is gone, for traffic goes there", async () => {
      const bed = await mirrored();
      bed.server.patch(SERVICES, REF, { metadata: { finalizers: ["example.com/wait"] } });
      bed.server.delete(SERVICES, REF);
      bed.sourceServer.patch(
        ENDPOINT_SLICES,
        { namespace: "shop", name: "web-1" },
        { endpoints: [{ addresses: ["10.0.0.2"], conditions: { ready: true } }] },
      );
      bed.catchUp();
      bed.writes();

      const waiting = await bed.reconcile();

      expect(waiting).toEqual({ outcome: "refused", again: false });
      expect(bed.writes().map((line) => line.replace(/-[0-9a-f]{20}/, "-*"))).toEqual([
        "patch endpointslices prod/web-*: done",
        "patch endpoints prod/web: done",
      ]);
    });

    it("leaves the endpoints of one that the garbage collector empties alone", async () => {
      const bed = await mirrored();
      bed.server.patch(SERVICES, REF, { metadata: { finalizers: ["foregroundDeletion"] } });
      bed.server.delete(SERVICES, REF);
      bed.server.delete(ENDPOINTS, REF);
      bed.catchUp();
      bed.writes();

      expect((await bed.reconcile()).outcome).toBe("refused");
      expect(bed.writes()).toEqual([]);
    });

    it("learns it from the create itself when the cache does not know", async () => {
      const bed = await withFinalizer();
      bed.create(web);
      bed.view.deleted("services", "prod/web", bed.server.get(SERVICES, REF).metadata.uid ?? "");

      expect(await bed.reconcile()).toEqual({ outcome: "held", again: true });
      expect((await bed.reconcile()).outcome).toBe("refused");
    });
  });

  it("clears what a mirror left that somebody deleted together with its source", async () => {
    const bed = await mirrored();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.server.delete(SERVICES, REF);
    bed.catchUp();

    const result = await bed.reconcile("prod/web", { cause: "sweep" });

    expect(result.outcome).toBe("removed");
    expect(bed.writes()).toHaveLength(2);
  });

  it("does not clear what belongs to a mirror that the cache does not show", async () => {
    const bed = await mirrored();
    bed.source.loseEverything();
    const { uid = "" } = bed.server.get(SERVICES, REF).metadata;
    bed.view.deleted("services", "prod/web", uid);

    const result = await bed.reconcile("prod/web", { cause: "sweep" });

    expect(result.outcome).toBe("nothing");
    expect(bed.writes()).toEqual([]);
  });

  describe("coming from k8s-svc-sync", () => {
    const old = {
      metadata: { ...REF, labels: { sync: "true-external" } },
      spec: { ports: [{ port: 80 }] },
    };
    const endpoints = (ip: string) => ({
      metadata: REF,
      subsets: [{ addresses: [{ ip }], ports: [{ port: 8080 }] }],
    });

    it("takes its mirror over, slices before Endpoints", async () => {
      const bed = new ReconcileBed();
      bed.server.create(SERVICES, old);
      bed.server.create(ENDPOINTS, endpoints("10.0.0.1"));
      bed.create(web, slice);

      await bed.reconcile();

      expect(bed.writes()).toEqual([
        "patch services prod/web: done",
        expect.stringMatching(/^create endpointslices prod\/web-[0-9a-f]{20}: done$/),
        "create endpoints prod/web: AlreadyExists",
        "patch endpoints prod/web: done",
      ]);
      expect(bed.events.news()).toEqual(["Normal Adopted shop/web"]);
    });

    describe("where no Endpoints are written", () => {
      const mirrored = (ip: string) => ({
        metadata: {
          namespace: "prod",
          name: "web-mirrored",
          labels: {
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
          },
        },
        addressType: "IPv4",
        endpoints: [{ addresses: [ip], conditions: { ready: true } }],
        ports: [{ port: 8080 }],
      });
      const left = () => {
        const bed = new ReconcileBed({ endpoints: "slices" });
        bed.server.create(SERVICES, old);
        bed.server.create(ENDPOINTS, endpoints("10.0.0.1"));
        bed.create(web, slice);
        return bed;
      };
      const DELETED = "delete endpoints prod/web: done";

      it("deletes its Endpoints, which the cluster would go on mirroring, when our slices stand", async () => {
        const bed = left();

        await bed.reconcile();

        expect(bed.writes()).toEqual([
          "patch services prod/web: done",
          expect.stringMatching(/^create endpointslices prod\/web-[0-9a-f]{20}: done$/),
          DELETED,
        ]);
      });

      it("looks again when the adoption was cut short, as long as the cluster mirrors them", async () => {
        const bed = left();
        bed.server.create(ENDPOINT_SLICES, mirrored("10.0.0.1"));
        bed.api.before = (request) => {
          if (request === "delete endpoints prod/web")
            throw new RetryableError("FERRY-K001", "cut");
        };
        await expect(bed.reconcile()).rejects.toMatchObject({ code: "FERRY-K001" });
        bed.api.before = () => {};
        bed.catchUp();
        bed.writes();

        await bed.reconcile("prod/web", { cause: "sweep" });

        expect(bed.writes()).toEqual([DELETED]);
      });

      it("takes no address away with them when the cache lost a slice of the source", async () => {
        const bed = left();
        const { metadata, ...rest } = rawSlice("shop/web-2", "web").address("10.0.0.2");
        const { namespace = "", name, labels = {} } = metadata;
        bed.sourceServer.create(ENDPOINT_SLICES, {
          ...rest,
          metadata: { namespace, name, labels },
        });

        await expect(bed.reconcile()).rejects.toMatchObject({ code: "FERRY-R002" });

        expect(bed.writes()).not.toContain(DELETED);
        expect(bed.source.distrusted).toEqual(["slices shop"]);
      });

      it("leaves those of a stranger, and says so", async () => {
        const bed = new ReconcileBed({ endpoints: "slices" });
        bed.create(web, slice);
        await bed.reconcile();
        bed.server.create(ENDPOINTS, endpoints("10.9.9.9"));
        bed.server.create(ENDPOINT_SLICES, mirrored("10.9.9.9"));
        bed.catchUp();
        bed.writes();

        await bed.reconcile("prod/web", { cause: "sweep" });

        expect(bed.writes()).toEqual([]);
        const [state] = bed.reporter.states();
        expect(state?.remarks?.map(({ code }) => code)).toEqual(["foreign-endpoints"]);
      });
    });

    it("leaves it when its addresses are not the source's", async () => {
      const bed = new ReconcileBed();
      bed.server.create(SERVICES, old);
      bed.server.create(ENDPOINTS, endpoints("10.9.9.9"));
      bed.create(web, slice);

      expect((await bed.reconcile()).outcome).toBe("refused");
      expect(bed.writes()).toEqual([]);
    });

    it.each(["off", "report"] as const)("leaves it when adoption is %s", async (adopt) => {
      const bed = new ReconcileBed({ adopt });
      bed.server.create(SERVICES, old);
      bed.create(web, slice);

      expect((await bed.reconcile()).outcome).toBe("refused");
      expect(bed.writes()).toEqual([]);
    });
  });
});
