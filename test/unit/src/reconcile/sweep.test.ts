import { describe, expect, it } from "vitest";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { SERVICES } from "../../../../src/ports/kube-resources.js";
import type { WorkNote } from "../../../../src/ports/work.js";
import { Sweep } from "../../../../src/reconcile/sweep.js";
import { settle } from "../../../fakes/settle.js";
import { newObject, ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { kubeService } from "../../../fixtures/kube-objects.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

function sweepBed(allowed: { limit: number } = { limit: 0 }) {
  const bed = new ReconcileBed();
  const enqueued: string[] = [];
  const enqueue = (target: ServiceKey, note: WorkNote): void => {
    const flags = [note.swept && "swept", note.doubted && "doubted"].filter(Boolean);
    enqueued.push([target, ...flags].join(" "));
  };
  const { source, view, clock, orphans } = bed;
  const sweep = new Sweep(
    { destination: "b", intervalMs: 60_000, massDeleteLimit: () => allowed.limit },
    { source, view, clock, orphans, enqueue },
  );
  /** Mirrors of Services that the source never had. */
  const orphan = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const mirror = service(`prod/old-${i}`).mirrorOf(`shop/old-${i}`);
      bed.server.create(SERVICES, newObject(kubeService(mirror)));
    }
    bed.catchUp();
  };
  return { bed, sweep, orphan, news: () => enqueued.splice(0).sort() };
}

describe("Sweep", () => {
  it("looks at every name that is wanted and every mirror that is not", () => {
    const { bed, sweep, orphan, news } = sweepBed();
    bed.create(service("shop/web").ferried());
    orphan(2);

    sweep.sweep();

    expect(news()).toEqual(["prod/old-0 swept", "prod/old-1 swept", "prod/web"]);
  });

  it("looks at what a mirror left that is gone", async () => {
    const { bed, sweep, news } = sweepBed();
    bed.create(service("shop/web").ferried(), rawSlice("shop/web-1", "web").address("10.0.0.1"));
    await bed.reconcile();
    bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "web" });
    bed.server.delete(SERVICES, { namespace: "prod", name: "web" });
    bed.catchUp();

    sweep.sweep();

    expect(new Set(news())).toEqual(new Set(["prod/web"]));
  });

  it("deletes nothing when too much would go, checks a few, and says so once", () => {
    const { bed, sweep, orphan, news } = sweepBed();
    orphan(12);

    sweep.sweep();
    sweep.sweep();

    expect(news().every((line) => line.endsWith("doubted"))).toBe(true);
    expect(bed.events.news()).toEqual(["Warning MassDeleteBlocked k8s-sync/leader"]);
    expect(bed.orphans.brakeBlocked).toBe(true);
    expect(bed.metrics.of("svc_ferry_delete_brake")).toEqual(["= 1 b", "= 1 b"]);
    expect(bed.metrics.of("svc_ferry_mass_deletes_blocked_total")).toEqual(["b", "b"]);
  });

  it("goes on when a person allows it, and releases the brake", () => {
    const allowed = { limit: 0 };
    const { bed, sweep, orphan, news } = sweepBed(allowed);
    orphan(12);
    sweep.sweep();
    news();

    allowed.limit = 12;
    sweep.sweep();

    expect(news()).toHaveLength(12);
    expect(bed.orphans.brakeBlocked).toBe(false);
  });

  it("looks only at a few while the brake is on, and at everything when the interval is over", async () => {
    const { bed, sweep, orphan, news } = sweepBed();
    bed.create(service("shop/web").ferried());
    orphan(12);
    const stop = new AbortController();

    const run = sweep.run(stop.signal);
    news();
    await bed.clock.advance(59_999);
    const meanwhile = news();
    await bed.clock.advance(1);
    const then = news();
    stop.abort();
    await run;

    expect(new Set(meanwhile)).toEqual(
      new Set(["prod/old-0 doubted", "prod/old-2 doubted", "prod/old-6 doubted"]),
    );
    expect(meanwhile).toHaveLength(15);
    expect(then).toContain("prod/web");
    expect(bed.metrics.of("svc_ferry_sweeps_total")).toHaveLength(2);
  });

  it("goes on within 10 s of a person's permission, and of Services that are there again", async () => {
    const allowed = { limit: 0 };
    const { bed, sweep, orphan, news } = sweepBed(allowed);
    orphan(12);
    const stop = new AbortController();
    const run = sweep.run(stop.signal);
    await settle();
    news();

    bed.create(service("shop/old-0").ferried());
    await bed.clock.advance(10_000);
    const fewer = news();
    allowed.limit = 11;
    await bed.clock.advance(10_000);
    stop.abort();
    await run;

    expect(fewer).toContain("prod/old-0");
    expect(news().filter((line) => line.endsWith("swept"))).toHaveLength(11);
    expect(bed.orphans.brakeBlocked).toBe(false);
  });

  it("sweeps at once, then after each interval, and ends with its signal", async () => {
    const { bed, sweep, news } = sweepBed();
    bed.create(service("shop/web").ferried());
    const stop = new AbortController();

    const run = sweep.run(stop.signal);
    const first = news();
    await bed.clock.advance(59_999);
    const early = news();
    await bed.clock.advance(1);
    const second = news();
    stop.abort();
    await run;

    expect([first, early, second]).toEqual([["prod/web"], [], ["prod/web"]]);
  });

  it("makes one sweep of several requests, soon", async () => {
    const { bed, sweep, news } = sweepBed();
    bed.create(service("shop/web").ferried());
    const stop = new AbortController();
    const run = sweep.run(stop.signal);
    await settle();
    news();

    sweep.request();
    await bed.clock.advance(100);
    sweep.request();
    await bed.clock.advance(1_000);

    expect(news()).toEqual(["prod/web"]);
    stop.abort();
    await run;
  });

  it("loses no request that comes while it sweeps", async () => {
    const { bed, sweep, news } = sweepBed();
    bed.create(service("shop/web").ferried());
    const stop = new AbortController();

    const run = sweep.run(stop.signal);
    sweep.request();
    await bed.clock.advance(1_000);

    expect(news()).toEqual(["prod/web", "prod/web"]);
    stop.abort();
    await run;
  });
});
