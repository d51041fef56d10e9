import { describe, expect, it } from "vitest";
import type { BrakeVerdict } from "../../../../src/domain/brake.js";
import type { Reason } from "../../../../src/domain/codes.js";
import type { LogFields } from "../../../../src/ports/log.js";
import { OrphanReporter, type Unwanted } from "../../../../src/reconcile/orphan-reporter.js";
import { Voice } from "../../../../src/reconcile/voice.js";
import { RecordedEvents, RecordedMetrics } from "../../../fixtures/recorders.js";
import { RecordingLog } from "../kube/fixture/recording-log.js";

/** Also keeps the fields of errors. */
class FieldsLog extends RecordingLog {
  readonly errors: LogFields[] = [];

  override error(fields: LogFields, message: string): void {
    this.errors.push(fields);
    super.error(fields, message);
  }
}

function orphanBed() {
  const log = new FieldsLog();
  const events = new RecordedEvents();
  const metrics = new RecordedMetrics();
  const voice = new Voice({ sourceContext: "a", destinationContext: "b" }, log, events);
  const leaseSubject = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: "k8s-sync",
    name: "leader",
    uid: "",
  };
  const allowHint = (unwanted: number): string => `allow=${unwanted}`;
  const orphans = new OrphanReporter(
    { destination: "b", leaseSubject, allowHint },
    { log, events, metrics, voice },
  );
  return { orphans, log, events, metrics };
}

const numbered = (count: number): readonly Unwanted[] =>
  Array.from({ length: count }, (_, number) => ({
    source: `shop/old-${number}`,
    target: `prod/old-${number}`,
  }));
const blocked = (count: number): BrakeVerdict => ({
  kind: "blocked",
  unwanted: count,
  mirrors: 2 * count,
});
const OPEN: BrakeVerdict = { kind: "open" };
const GONE: Reason = { code: "route-gone", message: "no such route" };
const FORMER: Reason = { code: "former-cluster", message: "another cluster's" };
const WEB: Unwanted = { source: "shop/web", target: "prod/web" };
const API: Unwanted = { source: "shop/api", target: "prod/api" };

const shown = ({ orphans }: { readonly orphans: OrphanReporter }) =>
  [...orphans.all()].map(({ source, target, reason }) => `${source} ${target} ${reason.code}`);

describe("OrphanReporter", () => {
  it("says once for each reason why a mirror stays, and shows the last one", () => {
    const bed = orphanBed();

    bed.orphans.held(WEB, GONE);
    bed.orphans.held(WEB, GONE);
    bed.orphans.held(WEB, FORMER);

    expect(bed.log.lines).toEqual(["info: kept the mirror", "info: kept the mirror"]);
    expect(shown(bed)).toEqual(["shop/web prod/web former-cluster"]);
  });

  it("shows what a mirror's reason says now, without a word about it", () => {
    const bed = orphanBed();
    bed.orphans.held(WEB, GONE);
    bed.log.lines.splice(0);

    bed.orphans.held(WEB, { ...GONE, message: "in five minutes" });

    expect([...bed.orphans.all()].map(({ reason }) => reason.message)).toEqual(["in five minutes"]);
    expect(bed.log.lines).toEqual([]);
  });

  it("says it again of a mirror that was wanted or gone meanwhile", () => {
    const bed = orphanBed();
    bed.orphans.held(WEB, GONE);
    bed.orphans.held(API, GONE);

    bed.orphans.forget("prod/web");
    const left = shown(bed);
    bed.orphans.held(WEB, GONE);
    bed.orphans.held(API, GONE);

    expect(left).toEqual(["shop/api prod/api route-gone"]);
    expect(bed.log.lines).toHaveLength(3);
  });

  it("forgets with each sweep what the sweep does not name", () => {
    const bed = orphanBed();
    bed.orphans.held(WEB, GONE);
    bed.orphans.held(API, GONE);

    bed.orphans.swept(OPEN, [API]);

    expect(shown(bed)).toEqual(["shop/api prod/api route-gone"]);
  });

  it("forgets everything when a term begins", () => {
    const bed = orphanBed();
    bed.orphans.held(WEB, GONE);

    bed.orphans.clear();

    expect(shown(bed)).toEqual([]);
  });

  it("counts sweeps, and is silent about those that the brake lets pass", () => {
    const bed = orphanBed();

    bed.orphans.swept(OPEN, []);
    bed.orphans.swept(OPEN, [WEB]);

    expect(bed.metrics.lines).toEqual([
      "svc_ferry_sweeps_total b",
      "svc_ferry_delete_brake = 0 b",
      "svc_ferry_sweeps_total b",
      "svc_ferry_delete_brake = 0 b",
    ]);
    expect([bed.log.lines, bed.events.news(), shown(bed)]).toEqual([[], [], []]);
    expect(bed.orphans.brakeBlocked).toBe(false);
  });

  it("tells a person of a blocked deletion: how much it is, and how to let it pass", () => {
    const bed = orphanBed();

    bed.orphans.swept(blocked(12), numbered(12));

    const message = "12 of 24 mirrors in b have no source; none is deleted. allow=12";
    expect(bed.orphans.brakeBlocked).toBe(true);
    expect(bed.log.errors).toMatchObject([{ code: "mass-delete-blocked", reason: message }]);
    expect(bed.events.records).toMatchObject([
      { subject: { kind: "Lease" }, type: "Warning", reason: "MassDeleteBlocked", message },
    ]);
    expect(bed.metrics.of("svc_ferry_mass_deletes_blocked_total")).toEqual(["b"]);
  });

  it("names twenty of the mirrors in the log, and shows why each of them stays", () => {
    const bed = orphanBed();

    bed.orphans.swept(blocked(30), numbered(30));

    const listed = String(bed.log.errors[0]?.["mirrors"]).split(", ");
    expect(listed).toEqual(numbered(20).map(({ target }) => target));
    expect(shown(bed)).toHaveLength(30);
    expect(shown(bed)[29]).toBe("shop/old-29 prod/old-29 mass-delete-blocked");
  });

  it("says once that the brake holds, but counts each sweep that it stopped", () => {
    const bed = orphanBed();

    bed.orphans.swept(blocked(12), numbered(12));
    bed.orphans.swept(blocked(13), numbered(13));

    expect(bed.log.lines).toEqual(["error: mass deletion blocked"]);
    expect(bed.events.news()).toEqual(["Warning MassDeleteBlocked k8s-sync/leader"]);
    expect(bed.metrics.of("svc_ferry_mass_deletes_blocked_total")).toEqual(["b", "b"]);
    expect(shown(bed)).toHaveLength(13);
  });

  it("says it again when the brake holds once more after it was released", () => {
    const bed = orphanBed();
    bed.orphans.swept(blocked(12), numbered(12));

    bed.orphans.swept(OPEN, []);
    const released = bed.orphans.brakeBlocked;
    bed.orphans.swept(blocked(12), numbered(12));

    expect(released).toBe(false);
    expect(bed.events.records).toHaveLength(2);
    expect(bed.metrics.of("svc_ferry_delete_brake")).toEqual(["= 1 b", "= 0 b", "= 1 b"]);
  });
});
