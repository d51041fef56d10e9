import { afterEach, describe, expect, it } from "vitest";
import { NAMESPACES, SERVICES } from "../../../../src/ports/kube-resources.js";
import type { WorkNote } from "../../../../src/ports/work.js";
import type { DestinationRunnerSettings } from "../../../../src/reconcile/destination-runner.js";
import { settle } from "../../../fakes/settle.js";
import { kubeService } from "../../../fixtures/kube-objects.js";
import { newObject } from "../../../fixtures/reconcile-bed.js";
import { RunnerBed } from "../../../fixtures/runner-bed.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const web = service("shop/web").ferried();
const NOTE: WorkNote = { sinceMs: 0, cause: "service" };
const ELSEWHERE = { kind: "held-elsewhere", holder: "pod-b" } as const;
const CREATED = ["create services prod/web: done"];

const beds: RunnerBed[] = [];

afterEach(async () => {
  await Promise.all(beds.splice(0).map(async (bed) => bed.close()));
});

function open(settings: Partial<DestinationRunnerSettings> = {}): RunnerBed {
  const bed = new RunnerBed(settings);
  beds.push(bed);
  return bed;
}

/** A bed that leads and has come to rest. */
async function leading(settings: Partial<DestinationRunnerSettings> = {}): Promise<RunnerBed> {
  const bed = open(settings);
  bed.lead();
  await settle();
  return bed;
}

/** A bed that leads, with the creation of prod/web on its way; endpoints are to follow. */
async function writing(settings: Partial<DestinationRunnerSettings> = {}): Promise<RunnerBed> {
  const bed = open(settings);
  bed.create(web, rawSlice("shop/web-1", "web").address("10.0.0.1"));
  bed.destinationApi.hold();
  bed.lead();
  await settle();
  return bed;
}

const states = (bed: RunnerBed) =>
  [...bed.reporter.states()]
    .map(({ source, state, reason }) => [source, state, ...(reason ? [reason.code] : [])].join(" "))
    .sort();

const passes = (bed: RunnerBed) => bed.metrics.of("svc_ferry_reconcile_total");

describe("DestinationRunner", () => {
  it("begins its term with the names to which something happened while nobody led", async () => {
    const bed = open({ workers: 1 });
    for (const name of ["api", "cart", "web"] as const)
      bed.create(service(`shop/${name}`).ferried());

    bed.runner.add("prod/web", NOTE);
    bed.runner.add("prod/gone", { ...NOTE, unmapped: true });
    bed.lead();
    await settle();

    expect(bed.writes().filter((line) => line.startsWith("create services"))).toEqual([
      "create services prod/web: done",
      "create services prod/api: done",
      "create services prod/cart: done",
    ]);
  });

  describe("while the link's Lease is not held", () => {
    it("writes nothing, and every Service says who holds it", async () => {
      const bed = open();
      bed.lease.lose(ELSEWHERE);
      bed.create(web);
      bed.create(service("shop/api").ferried());

      bed.lead();
      bed.runner.add("prod/web", NOTE);
      await bed.clock.advance(60_000);

      expect(bed.writes()).toEqual([]);
      expect(states(bed)).toEqual([
        "shop/api held link-held-elsewhere",
        "shop/web held link-held-elsewhere",
      ]);
      expect([...bed.reporter.states()][0]?.reason?.message).toContain("(pod-b)");
      expect(bed.events.news()).toEqual([]);
    });

    it("says so within two seconds of a Service that comes then", async () => {
      const bed = open();
      bed.lease.lose(ELSEWHERE);
      bed.lead();
      await settle();

      bed.create(web);
      await bed.clock.advance(2_000);

      expect(states(bed)).toEqual(["shop/web held link-held-elsewhere"]);
    });

    it("tells the owners once that the namespace is missing in which it lies", async () => {
      const bed = open();
      bed.lease.lose({ kind: "unknown", cause: "no-namespace" });
      bed.create(web);

      bed.lead();
      await bed.clock.advance(60_000);

      expect(bed.events.news()).toEqual(["Warning Refused shop/web"]);
      expect(states(bed)).toEqual(["shop/web refused namespace-missing"]);
      const [state] = bed.reporter.states();
      expect(state?.reason?.message).toContain("namespace prod does not exist in the destination");
    });

    it("says nothing as long as the cause is not known", async () => {
      const bed = open();
      bed.lease.lose({ kind: "unknown", cause: undefined });
      bed.create(web);

      bed.lead();
      await bed.clock.advance(60_000);

      expect(states(bed)).toEqual([]);
    });

    it("shows every Service as retried while the destination is out of reach, and tells nobody", async () => {
      const bed = await leading();
      bed.create(web);
      bed.runner.add("prod/web", NOTE);
      await settle();
      bed.events.news();
      const before = states(bed);

      bed.lease.lose({ kind: "unknown", cause: "FERRY-K001" });
      bed.create(service("shop/new").ferried());
      await bed.clock.advance(60_000);
      const without = [states(bed), bed.events.news()];
      bed.lease.gain();
      await settle();

      expect(before).toEqual(["shop/web synced"]);
      expect(without).toEqual([
        ["shop/new retrying FERRY-K001", "shop/web retrying FERRY-K001"],
        [],
      ]);
      expect(states(bed)).toEqual(["shop/new synced", "shop/web synced"]);
      expect(bed.events.news()).toEqual(["Normal Synced shop/new"]);
    });

    it("shows every Service as retried when the Lease is forbidden from the beginning", async () => {
      const bed = open();
      bed.lease.lose({ kind: "unknown", cause: "FERRY-K006" });
      bed.create(web);

      bed.lead();
      await bed.clock.advance(2_000);

      expect(states(bed)).toEqual(["shop/web retrying FERRY-K006"]);
    });

    it("does not tell anew of a conflict that was told before it was lost", async () => {
      const bed = await leading();
      const theirs = {
        metadata: { namespace: "prod", name: "web" },
        spec: { ports: [{ port: 1 }] },
      };
      bed.server.create(SERVICES, theirs);
      bed.create(web);
      bed.runner.add("prod/web", NOTE);
      await settle();
      bed.events.news();

      bed.lease.lose({ kind: "unknown", cause: "FERRY-K001" });
      await bed.clock.advance(10_000);
      const without = states(bed);
      bed.lease.gain();
      await settle();

      expect(without).toEqual(["shop/web conflict name-occupied"]);
      expect(bed.events.news()).toEqual([]);
    });

    it("forgets a Service that came and went meanwhile", async () => {
      const bed = await leading();
      bed.lease.lose({ kind: "unknown", cause: "FERRY-K001" });
      bed.create(web);
      await bed.clock.advance(10_000);
      const without = states(bed);
      bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "web" });
      bed.catchUp();
      bed.lease.gain();
      await settle();

      expect(without).toEqual(["shop/web retrying FERRY-K001"]);
      expect(states(bed)).toEqual([]);
    });

    it("leaves nothing behind of each look", async () => {
      const bed = open();
      bed.lease.lose(ELSEWHERE);
      bed.lead();
      await settle();
      const before = bed.listeners;

      await bed.clock.advance(2_000_000);

      expect(bed.listeners).toBe(before);
    });

    it("begins at once when it is gained", async () => {
      const bed = open();
      bed.lease.lose(ELSEWHERE);
      bed.create(web);
      bed.lead();
      await bed.clock.advance(1_000);

      bed.lease.gain();
      await settle();

      expect(bed.writes()).toEqual(CREATED);
      expect(states(bed)).toEqual(["shop/web synced"]);
    });

    it("can be told to stop", async () => {
      const bed = open();
      bed.lease.lose(ELSEWHERE);
      bed.lead();
      await settle();

      bed.endTerm();
      await bed.over;

      expect(bed.clock.pending).toBe(0);
    });
  });

  describe("with both Leases", () => {
    it("begins with a sweep, so that nothing need be remembered from before the term", async () => {
      const bed = open();
      bed.runner.requestSweep();
      bed.create(web);

      bed.lead();
      await settle();

      expect(bed.writes()).toEqual(CREATED);
      expect(passes(bed)).toEqual(["b synced"]);
    });

    it("works at each name that it is given", async () => {
      const bed = await leading();
      bed.create(web);

      bed.runner.add("prod/web", NOTE);
      await settle();

      expect(bed.writes()).toEqual(CREATED);
      expect(bed.metrics.of("svc_ferry_reconcile_seconds")).toEqual(["b"]);
    });

    it("never works at one name twice at once, and looks again at what came meanwhile", async () => {
      const bed = await writing();

      bed.runner.add("prod/web", NOTE);
      bed.runner.add("prod/web", NOTE);
      await settle();
      const atOnce = bed.destinationApi.inFlight;
      bed.destinationApi.release();
      await settle();

      expect(atOnce).toBe(1);
      expect(passes(bed)).toEqual(["b synced", "b unchanged"]);
    });

    it("works at as many names at once as it has workers, and tells what waits", async () => {
      const bed = await leading({ workers: 2 });
      for (const name of ["a", "b", "c", "d"]) bed.create(service(`shop/${name}`).ferried());
      bed.destinationApi.hold();

      bed.runner.requestSweep();
      await bed.clock.advance(1_000);
      bed.runner.add("prod/e", NOTE);
      await bed.clock.advance(500);

      expect(bed.destinationApi.inFlight).toBe(2);
      expect(bed.runner.backlog).toEqual({ inFlight: 2, live: 1, bulk: 2, oldestMs: 1_300 });
    });

    it("counts an attempt that fails, says so, and makes it again", async () => {
      const bed = open();
      bed.server.delete(NAMESPACES, { name: "prod" });
      bed.create(web);
      bed.destinationApi.before = () => {
        bed.destinationApi.before = () => {};
        throw new Error("boom");
      };

      bed.lead();
      await bed.clock.advance(5);

      expect(passes(bed).slice(0, 2)).toEqual(["b failed", "b refused"]);
      expect(bed.log.lines[0]).toBe("error: will try again");
    });

    it("is busy while names are worked at, and a tenth of a second beyond", async () => {
      const bed = open();
      const without = bed.runner.isBusy;
      bed.create(web);
      bed.destinationApi.hold();
      bed.lead();
      await bed.clock.advance(10_000);
      const during = bed.runner.isBusy;

      bed.destinationApi.release();
      await bed.clock.advance(99);
      const soon = bed.runner.isBusy;
      await bed.clock.advance(1);

      expect([without, during, soon, bed.runner.isBusy]).toEqual([false, true, true, false]);
    });

    it("compares everything again after each interval, and when it is asked to", async () => {
      const bed = await leading({ sweepIntervalMs: 60_000 });
      const first = bed.sweeps;

      await bed.clock.advance(60_000);
      const second = bed.sweeps;
      bed.runner.requestSweep();
      await bed.clock.advance(1_000);
      const third = bed.sweeps;
      bed.reporter.sweepWanted();
      await bed.clock.advance(1_000);

      expect([first, second, third, bed.sweeps]).toEqual([1, 2, 3, 4]);
    });

    it("compares everything at the end of the grace, and removes what an unknown route had made", async () => {
      const bed = open({ staleRouteGraceMs: 300_000 });
      const { uid = "" } = bed.sourceServer.get(NAMESPACES, { name: "kube-system" }).metadata;
      const mirror = service("prod/old")
        .mirrorOf("cart/web")
        .annotation("svc-ferry.io/source-cluster", uid);
      bed.sourceServer.create(SERVICES, newObject(kubeService(service("cart/web").ferried())));
      bed.server.create(SERVICES, newObject(kubeService(mirror)));
      bed.catchUp();
      bed.lead();

      await bed.clock.advance(299_999);
      const early = [bed.writes(), [...bed.orphans.all()].map(({ reason }) => reason.code)];
      await bed.clock.advance(1_000);

      expect(early).toEqual([[], ["route-gone"]]);
      expect(bed.writes()).toEqual(["delete services prod/old: done"]);
    });
  });

  describe("when the term ends", () => {
    it("lets what is on its way arrive, and begins no other write", async () => {
      const bed = await writing({ workers: 1 });
      bed.create(service("shop/api").ferried());
      bed.runner.add("prod/api", NOTE);

      bed.leads = false;
      bed.endTerm();
      await bed.clock.advance(2_499);
      bed.destinationApi.release();
      await bed.over;

      expect(bed.writes()).toEqual(["create services prod/web: done"]);
      expect(bed.clock.pending).toBe(0);
    });

    it("is over when the link's Lease is given back", async () => {
      const bed = await leading();
      const before = bed.lease.isWanted;

      bed.endTerm();
      await bed.over;

      expect([before, bed.lease.isWanted]).toEqual([true, false]);
    });

    it("cuts what is on its way after two and a half seconds, and blames nobody", async () => {
      const bed = await writing();
      let isOver = false;
      const ended = bed.over.then(() => (isOver = true));

      bed.endTerm();
      await bed.clock.advance(2_499);
      const early = isOver;
      await bed.clock.advance(1);
      await ended;

      expect(early).toBe(false);
      expect(bed.destinationApi.inFlight).toBe(0);
      expect(bed.writes()).toEqual([]);
      expect(bed.log.lines).toEqual([]);
    });

    it("remembers nothing that comes after it", async () => {
      const bed = await leading();
      bed.runner.add("prod/none", NOTE);
      await settle();
      bed.endTerm();
      await bed.over;

      bed.runner.add("prod/web", NOTE);
      bed.runner.requestSweep();

      expect(bed.runner.backlog).toEqual({ live: 0, bulk: 0, inFlight: 0, oldestMs: 0 });
      expect(bed.runner.isBusy).toBe(false);
    });
  });

  describe("when the link's Lease is lost within a term", () => {
    it("stops writing, says why, and begins anew with a sweep when it is gained again", async () => {
      const bed = await leading();
      bed.lease.lose(ELSEWHERE);
      bed.create(web);
      bed.runner.add("prod/web", NOTE);
      await bed.clock.advance(10_000);
      const without = [bed.writes(), states(bed)];

      bed.lease.gain();
      await settle();

      expect(without).toEqual([[], ["shop/web held link-held-elsewhere"]]);
      expect(bed.writes()).toEqual(CREATED);
      expect(bed.sweeps).toBe(2);
    });

    it("asks for both Leases just before each write, before anybody has noticed", async () => {
      const bed = await leading();
      bed.create(web);
      bed.lease.state = { kind: "unknown", cause: undefined };

      bed.runner.add("prod/web", NOTE);
      await bed.clock.advance(10_000);
      const withoutLease = bed.writes();
      bed.lease.state = { kind: "held" };
      bed.leads = false;
      await bed.clock.advance(10_000);

      expect([withoutLease, bed.writes()]).toEqual([[], []]);
    });

    it("counts the grace on from the beginning of the term", async () => {
      const bed = await leading({ staleRouteGraceMs: 300_000 });
      await bed.clock.advance(200_000);
      bed.lease.lose(ELSEWHERE);
      await bed.clock.advance(50_000);
      bed.lease.gain();
      await bed.clock.advance(1_000);
      const before = bed.sweeps;

      await bed.clock.advance(50_000);

      expect([before, bed.sweeps]).toEqual([2, 3]);
    });
  });
});
