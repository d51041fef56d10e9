import { describe, expect, it } from "vitest";
import type { Write } from "../../../../src/domain/writes.js";
import { NAMESPACES, SERVICES } from "../../../../src/ports/kube-resources.js";
import { LINK } from "../../../fixtures/service.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";

const REF = { namespace: "prod", name: "web" };
const OBJECT = { metadata: REF, spec: { ports: [{ port: 80 }] } };
const CREATE: Write = {
  verb: "create",
  resource: "services",
  ref: REF,
  body: OBJECT,
  why: ["created"],
};

/** A Service in the destination, and a patch of it with its preconditions. */
function existing(bed: ReconcileBed): Extract<Write, { verb: "patch" }> {
  const { uid = "", resourceVersion = "" } = bed.server.create(SERVICES, OBJECT).metadata;
  const body = { metadata: { labels: { a: "1" } } };
  return { verb: "patch", resource: "services", ref: REF, body, uid, resourceVersion, why: ["a"] };
}

describe("Applier", () => {
  it("remembers what it wrote, so that the next plan sees it", async () => {
    const bed = new ReconcileBed();

    const applied = await bed.applier.apply(CREATE, bed.permit);

    expect(applied).toMatchObject({ kind: "done", object: { metadata: REF } });
    expect(bed.view.existing("prod/web").kind).toBe("foreign");
    expect(bed.metrics.of("svc_ferry_writes_total")).toEqual(["b services create done"]);
  });

  it("looks who has a name that is taken", async () => {
    const bed = new ReconcileBed();
    existing(bed);

    const applied = await bed.applier.apply(CREATE, bed.permit);

    expect(applied).toMatchObject({ kind: "occupied", object: { metadata: REF } });
    expect(bed.view.existing("prod/web").kind).toBe("foreign");
  });

  it("plans again when the name was taken and is free by now", async () => {
    const bed = new ReconcileBed();
    existing(bed);
    bed.api.before = (request) => {
      if (request.startsWith("get")) bed.server.delete(SERVICES, REF);
    };

    await expect(bed.applier.apply(CREATE, bed.permit)).rejects.toMatchObject({
      code: "FERRY-R001",
    });
  });

  it("reads again what changed since it was read, and plans again", async () => {
    const bed = new ReconcileBed();
    const patch = existing(bed);
    bed.server.patch(SERVICES, REF, { metadata: { labels: { b: "2" } } });

    await expect(bed.applier.apply(patch, bed.permit)).rejects.toMatchObject({
      code: "FERRY-R001",
    });
    expect(bed.api.requests).toEqual(["patch services prod/web", "get services prod/web"]);
    expect(bed.view.existing("prod/web").kind).toBe("foreign");
  });

  it("does not touch another object of the same name", async () => {
    const bed = new ReconcileBed();
    const patch = existing(bed);
    bed.server.delete(SERVICES, REF);
    const { metadata } = bed.server.create(SERVICES, OBJECT);

    for (const verb of ["patch", "delete"] as const) {
      const write = verb === "patch" ? patch : { ...patch, verb };
      await expect(bed.applier.apply(write, bed.permit)).rejects.toMatchObject({
        code: "FERRY-R001",
      });
    }
    expect(bed.server.get(SERVICES, REF).metadata).toEqual(metadata);
  });

  it("forgets what is gone: a delete is done, a patch is planned again", async () => {
    const bed = new ReconcileBed();
    const patch = existing(bed);
    bed.catchUp();
    bed.server.delete(SERVICES, REF);

    const patched = bed.applier.apply(patch, bed.permit);
    await expect(patched).rejects.toMatchObject({ code: "FERRY-R001" });
    expect(bed.view.existing("prod/web").kind).toBe("absent");
    expect(await bed.applier.apply({ ...patch, verb: "delete" }, bed.permit)).toEqual({
      kind: "done",
      object: undefined,
    });
  });

  it("remembers what it deleted as it is, while that waits for its finalizers", async () => {
    const bed = new ReconcileBed();
    const patch = existing(bed);
    const labels = { "svc-ferry.io/link": LINK };
    const metadata = { finalizers: ["example.com/wait"], labels };
    const { resourceVersion = "" } = bed.server.patch(SERVICES, REF, { metadata }).metadata;
    bed.catchUp();

    await bed.applier.apply({ ...patch, verb: "delete", resourceVersion }, bed.permit);

    expect(bed.view.existing("prod/web")).toMatchObject({
      kind: "ours",
      service: { deleting: true },
    });
  });

  it("tells a missing namespace from one that is going", async () => {
    const bed = new ReconcileBed();
    const elsewhere = { namespace: "other", name: "web" };
    const create = { ...CREATE, ref: elsewhere, body: { ...OBJECT, metadata: elsewhere } };

    const missing = await bed.applier.apply(create, bed.permit);
    const finalizers = ["example.com/wait"];
    bed.server.create(NAMESPACES, { metadata: { name: "other", finalizers } });
    bed.server.delete(NAMESPACES, { name: "other" });
    const terminating = await bed.applier.apply(create, bed.permit);

    expect(missing).toEqual({ kind: "namespace-missing" });
    expect(terminating.kind).toBe("namespace-terminating");
  });

  it("passes on what the server finds wrong", async () => {
    const bed = new ReconcileBed();
    const body = { metadata: REF, spec: { ports: [{ port: 0 }] } };

    const applied = await bed.applier.apply({ ...CREATE, body }, bed.permit);

    expect(applied.kind).toBe("invalid");
    expect(bed.metrics.of("svc_ferry_writes_total")).toEqual(["b services create invalid"]);
  });

  it("finds a namespace that is there already as good as made", async () => {
    const bed = new ReconcileBed();

    await bed.applier.createNamespace("prod", bed.permit);
    await bed.applier.createNamespace("other", bed.permit);

    expect(bed.writes()).toEqual([
      "create namespaces prod: AlreadyExists",
      "create namespaces other: done",
    ]);
  });

  it("sends nothing without leave", async () => {
    const bed = new ReconcileBed();
    bed.leads = false;

    await expect(bed.applier.apply(CREATE, bed.permit)).rejects.toMatchObject({
      code: "FERRY-L001",
    });
    expect(bed.writes()).toEqual([]);
  });
});
