import { describe, expect, it } from "vitest";
import type { Author } from "../../../../src/domain/stamp.js";
import type { Authors } from "../../../../src/ports/authors.js";
import { rfc3339 } from "../../../../src/ports/timestamps.js";
import { Authorship } from "../../../../src/reconcile/authorship.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { RecordedMetrics } from "../../../fixtures/recorders.js";
import { service } from "../../../fixtures/service.js";

const web = service("shop/web").ferried();
const mirror = service("prod/web").annotation("svc-ferry.io/source-uid", "u-1");

function authorshipBed() {
  const clock = new VirtualClock();
  const metrics = new RecordedMetrics();
  const known = (id: string, agoMs = 0): Author => ({
    kind: "known",
    change: { id, by: "ann", at: rfc3339(clock.now() - agoMs) },
  });
  const world = {
    author: known("1") as Author | undefined,
    deleter: { kind: "unknown", last: undefined } as Author | undefined,
    announced: true,
  };
  const authors: Authors = {
    of: () => world.author,
    known: () => undefined,
    deleterOf: (_, uid) => (uid === "u-1" ? world.deleter : undefined),
    wasAnnounced: () => world.announced,
  };
  return { world, metrics, known, authorship: new Authorship("b", { authors, clock, metrics }) };
}

describe("Authorship", () => {
  it("names the change, the person and the time since admission, and times it once", () => {
    const { world, metrics, known, authorship } = authorshipBed();
    world.author = known("1", 40);

    const first = authorship.applied(web);
    const second = authorship.applied(web);

    expect([first, second]).toEqual(
      [1, 2].map(() => ({ changeId: "1", by: "ann", sinceAdmissionMs: 40 })),
    );
    expect(metrics.lines).toEqual(["svc_ferry_admission_to_applied_seconds b"]);
  });

  it("never gives a change past the webhook to the person of the last stamp, and counts it", () => {
    const { world, metrics, known, authorship } = authorshipBed();
    const last = known("1");
    world.author = { kind: "unknown", last: last.kind === "known" ? last.change : undefined };
    const stale = authorship.applied(web);
    world.author = { kind: "unknown", last: undefined };
    const bare = authorship.applied(web);

    expect([stale, bare]).toEqual([{ by: "unknown (last admitted: 1 by ann)" }, { by: "unknown" }]);
    expect(metrics.of("svc_ferry_changes_not_admitted_total")).toEqual(["b stale", "b none"]);
  });

  it("counts a change of which no replica said a word, but not what was admitted long ago", () => {
    const { world, metrics, known, authorship } = authorshipBed();
    world.announced = false;

    authorship.applied(web);
    world.author = known("2", 61_000);
    authorship.applied(web);

    expect(metrics.of("svc_ferry_changes_without_hint_total")).toEqual(["b"]);
    expect(metrics.of("svc_ferry_admission_to_applied_seconds")).toEqual(["b"]);
  });

  it("says of a change that needed no write that it came to nothing, once, and nothing of what a new leader finds", () => {
    const { world, known, authorship } = authorshipBed();

    const found = authorship.unchanged(web);
    world.author = known("2");
    const changed = authorship.unchanged(web);
    const again = authorship.unchanged(web);

    expect([found, changed, again]).toEqual([
      undefined,
      { changeId: "2", by: "ann", sinceAdmissionMs: 0 },
      undefined,
    ]);
  });

  it("says who took a label away by what the source has now, and who deleted by what admission heard", () => {
    const { world, known, authorship } = authorshipBed();
    world.deleter = known("u-1");

    expect(authorship.removed("shop/web", mirror, web)).toMatchObject({ changeId: "1" });
    expect(authorship.removed("shop/web", mirror, undefined)).toMatchObject({ changeId: "u-1" });
  });

  it("says nothing at all while admission is off", () => {
    const { world, metrics, authorship } = authorshipBed();
    world.author = undefined;
    world.deleter = undefined;

    expect([
      authorship.applied(web),
      authorship.unchanged(web),
      authorship.removed("shop/web", mirror, undefined),
    ]).toEqual([{}, undefined, {}]);
    expect(metrics.lines).toEqual([]);
  });
});
