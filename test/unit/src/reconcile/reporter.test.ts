import { describe, expect, it } from "vitest";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import { ENDPOINT_SLICES, SERVICES } from "../../../../src/ports/kube-resources.js";
import { newObject, ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { route } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const slice = rawSlice("shop/web-1", "web").address("10.0.0.1");
const SOURCE = { namespace: "shop", name: "web" };

async function synced() {
  const bed = new ReconcileBed();
  bed.create(web, slice);
  await bed.reconcile();
  bed.catchUp();
  bed.events.news();
  bed.log.lines.splice(0);
  return bed;
}

const stateOf = (bed: ReconcileBed) => [...bed.reporter.states()];

describe("Reporter", () => {
  it("says what happened to a Service with one line for the mirror and one for its endpoints", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);

    await bed.reconcile();

    expect(bed.log.lines).toEqual([
      "info: started syncing service",
      "info: applied",
      "info: updated endpoints",
    ]);
  });

  it("says nothing when nothing changes", async () => {
    const bed = await synced();

    await bed.reconcile("prod/web", { cause: "sweep" });

    expect(bed.log.lines).toEqual([]);
    expect(bed.events.news()).toEqual([]);
  });

  it("does not call it news when a new leader finds everything in order", async () => {
    const bed = await synced();

    bed.reporter.reset();
    await bed.reconcile("prod/web", { cause: "sweep" });

    expect(bed.log.lines).toEqual([]);
    expect(stateOf(bed)).toMatchObject([{ source: "shop/web", state: "synced" }]);
  });

  it("tells where a Service stands, and how long the last change took", async () => {
    const bed = new ReconcileBed();
    bed.create(web, slice);
    await bed.clock.advance(40);

    await bed.reconcile("prod/web", { sinceMs: 0 });

    expect(stateOf(bed)).toMatchObject([
      {
        source: "shop/web",
        target: "prod/web",
        route: "default",
        state: "synced",
        reason: undefined,
        endpoints: { ready: 1, total: 1, slices: 1 },
        lagMs: 40,
        lastWriteMs: bed.clock.now(),
      },
    ]);
  });

  it("warns once of what somebody should know though it is synced", async () => {
    const bed = new ReconcileBed();
    bed.create(web.withSpec({ type: "NodePort" }), slice);
    const labels = { "kubernetes.io/service-name": "web" };
    const theirs = rawSlice("prod/theirs", "web").with({
      metadata: { namespace: "prod", name: "theirs", labels },
    });
    bed.server.create(ENDPOINT_SLICES, newObject(theirs));
    bed.catchUp();

    await bed.reconcile();
    await bed.reconcile("prod/web", { cause: "sweep" });

    expect(bed.events.news()).toEqual([
      "Normal Synced shop/web",
      "Normal TypeReduced shop/web",
      "Warning EndpointsWarning shop/web",
    ]);
  });

  it("does not warn again when only the number in a remark is another one", async () => {
    const narrow = route().with({ addressCidrs: ["10.0.0.0/24"] });
    const bed = new ReconcileBed({ routes: [narrow] });
    const outside = (name: ServiceKey) =>
      rawSlice(name, "web").address("10.0.0.1").address("10.0.1.1");
    bed.create(web, outside("shop/web-1"));
    await bed.reconcile();
    const first = bed.events.news();
    bed.sourceServer.create(ENDPOINT_SLICES, newObject(outside("shop/web-2")));
    bed.catchUp();
    bed.log.lines.splice(0);

    await bed.reconcile("prod/web", { cause: "endpoints" });

    expect(first).toEqual(["Normal Synced shop/web", "Warning EndpointsWarning shop/web"]);
    expect(bed.events.news()).toEqual([]);
    expect(bed.log.lines).toEqual(["info: updated endpoints"]);
    expect(stateOf(bed)[0]?.remarks?.[0]?.message).toMatch(/^2 addresses/);
  });

  it("does not warn again of what a new leader finds as it was", async () => {
    const bed = new ReconcileBed();
    bed.create(web.withSpec({ type: "NodePort" }), slice);
    await bed.reconcile();
    bed.catchUp();
    bed.events.news();
    bed.log.lines.splice(0);

    bed.reporter.reset();
    bed.reporter.blocked("prod/web", { code: "link-held-elsewhere", message: "until it runs out" });
    await bed.reconcile("prod/web", { cause: "sweep" });

    expect(bed.events.news()).toEqual([]);
    expect(bed.log.lines).toEqual([]);
    expect(stateOf(bed)).toMatchObject([{ state: "synced", remarks: [{ code: "type-reduced" }] }]);
  });

  it("goes on tracking a Service that got another name", async () => {
    const bed = await synced();
    const annotations = { "svc-ferry.io/target-name": "shop-web" };
    bed.sourceServer.patch(SERVICES, SOURCE, { metadata: { annotations } });
    bed.catchUp();
    await bed.reconcile("prod/shop-web");
    await bed.reconcile("prod/web", { unmapped: true });
    const more = rawSlice("shop/web-2", "web").address("10.0.0.2");
    bed.sourceServer.create(ENDPOINT_SLICES, newObject(more));
    bed.catchUp();

    await bed.reconcile("prod/shop-web", { cause: "endpoints" });

    expect(bed.log.lines).toEqual([
      "info: applied",
      "info: updated endpoints",
      "info: removed",
      "info: updated endpoints",
    ]);
  });

  it("says that a name is in order again when it was not", async () => {
    const bed = new ReconcileBed();
    const theirs = { metadata: { namespace: "prod", name: "web" }, spec: { ports: [{ port: 1 }] } };
    bed.server.create(SERVICES, theirs);
    bed.create(web, slice);
    await bed.reconcile();
    bed.server.delete(SERVICES, theirs.metadata);
    bed.catchUp();
    bed.log.lines.splice(0);

    await bed.reconcile("prod/web", { cause: "destination" });

    expect(bed.log.lines).toContain("info: in order again");
    expect(bed.metrics.of("svc_ferry_drift_repairs_total")).not.toContain("b services");
  });

  it("shows a failure in the Service's state, and says it once for each cause", async () => {
    const bed = await synced();
    const error = new RetryableError("FERRY-K001", "connection refused");

    bed.reporter.failed("prod/web", error, 1);
    bed.reporter.failed("prod/web", error, 2);

    expect(stateOf(bed)).toMatchObject([
      { state: "retrying", reason: { code: "FERRY-K001", message: "connection refused" } },
    ]);
    expect(bed.log.lines).toEqual(["warn: will try again"]);
    expect(bed.metrics.of("svc_ferry_retries_total")).toEqual(["b FERRY-K001", "b FERRY-K001"]);
  });

  it("has patience with ordinary races", async () => {
    const bed = await synced();
    const race = new RetryableError("FERRY-R001", "changed");

    for (let attempt = 1; attempt < 5; attempt += 1) bed.reporter.failed("prod/web", race, attempt);
    const early = bed.log.lines.splice(0);
    bed.reporter.failed("prod/web", race, 5);

    expect(early).toEqual([]);
    expect(bed.log.lines).toEqual(["warn: will try again"]);
  });

  it("calls an error that it does not know an error", async () => {
    const bed = await synced();

    bed.reporter.failed("prod/web", new TypeError("bug"), 1);

    expect(bed.log.lines).toEqual(["error: will try again"]);
    expect(bed.metrics.of("svc_ferry_retries_total")).toEqual(["b unknown"]);
  });

  it("says a failure once for each cause, and nothing new of one that lost the name to another", async () => {
    const bed = new ReconcileBed({ routes: [route().from("shop", "cart")] });
    bed.create(web, slice);
    await bed.clock.advance(1_000);
    bed.create(service("cart/web").ferried());
    bed.api.before = () => {
      throw new RetryableError("FERRY-K001", "connection refused");
    };
    const attempt = async (number: number): Promise<void> => {
      const error: unknown = await bed.reconcile().catch((cause: unknown) => cause);
      bed.reporter.failed("prod/web", error, number);
    };

    await attempt(1);
    await attempt(2);
    await attempt(3);

    expect(bed.log.lines).toEqual(["info: not synced", "warn: will try again"]);
    expect(bed.events.news()).toEqual(["Warning NameConflict cart/web"]);
    expect(new Map(stateOf(bed).map(({ source, state }) => [source, state]))).toEqual(
      new Map([
        ["shop/web", "retrying"],
        ["cart/web", "conflict"],
      ]),
    );
  });

  it("shows a failure in the state of the one that is left, though it had lost the name before", async () => {
    const bed = new ReconcileBed({ routes: [route().from("shop", "cart")] });
    bed.create(web);
    await bed.clock.advance(1_000);
    bed.create(service("cart/web").ferried());
    await bed.reconcile();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.catchUp();

    bed.reporter.failed("prod/web", new RetryableError("FERRY-K001", "connection refused"), 1);

    expect(stateOf(bed)).toContainEqual(
      expect.objectContaining({ source: "cart/web", state: "retrying" }),
    );
  });

  it("says a failure again when its name was forgotten meanwhile", async () => {
    const bed = new ReconcileBed();
    bed.create(web);
    const error = new RetryableError("FERRY-K001", "connection refused");
    bed.reporter.failed("prod/web", error, 1);
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.catchUp();
    await bed.reconcile();
    bed.create(web);

    bed.reporter.failed("prod/web", error, 1);

    expect(bed.log.lines).toEqual(["warn: will try again", "warn: will try again"]);
  });

  it("forgets a Service that no longer wants the name", async () => {
    const bed = await synced();
    bed.sourceServer.delete(SERVICES, SOURCE);
    bed.catchUp();

    await bed.reconcile("prod/web", { unmapped: true });

    expect(stateOf(bed)).toEqual([]);
    expect(bed.log.lines).toEqual(["info: removed"]);
    expect(bed.events.news()).toEqual([]);
  });
});
