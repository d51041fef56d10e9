import { describe, expect, it } from "vitest";
import { HintReporter } from "../../../../src/intake/hint-reporter.js";
import type { Hint } from "../../../../src/ports/hint.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { RecordedMetrics } from "../../../fixtures/recorders.js";
import { RecordingLog } from "../kube/fixture/recording-log.js";

function reporterBed() {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const metrics = new RecordedMetrics();
  const hint = (changeId: string): Hint => ({
    service: "shop/web",
    operation: "update",
    changeId,
    by: "ann",
    uid: "u-1",
    admittedAtMs: clock.now(),
  });
  return { clock, log, metrics, hint, reporter: new HintReporter({ clock, log, metrics }) };
}

describe("HintReporter", () => {
  it("says what is queued, with all that joins it to the admission", async () => {
    const { clock, log, hint, reporter } = reporterBed();
    const change = hint("1");

    await clock.advance(12);
    reporter.expected(change);

    expect(log.records).toEqual([
      {
        message: "queued",
        fields: {
          outcome: "queued",
          changeId: "1",
          by: "ann",
          operation: "update",
          service: "shop/web",
          sinceAdmissionMs: 12,
        },
      },
    ]);
  });

  it("says it a few times of a Service that is changed all the time", async () => {
    const { clock, log, hint, reporter } = reporterBed();

    for (let id = 0; id < 2_000; id += 1) {
      reporter.expected(hint(String(id)));
      reporter.ended(hint(String(id)), "superseded", 0);
      await clock.advance(10);
    }

    expect(log.lines.filter((line) => line === "info: queued")).toHaveLength(5);
    expect(log.lines.filter((line) => line === "info: superseded")).toHaveLength(5);
  });

  it("says each change that was never stored, and after how many reads", () => {
    const { log, hint, reporter } = reporterBed();

    reporter.ended(hint("1"), "abandoned", 12);
    reporter.ended(hint("2"), "abandoned", 1);

    expect(log.records.map(({ fields }) => [fields["changeId"], fields["attempts"]])).toEqual([
      ["1", 12],
      ["2", 1],
    ]);
  });

  it("counts and times what came by, and says nothing of it", () => {
    const { log, metrics, hint, reporter } = reporterBed();

    reporter.ended(hint("1"), "seen", 0);
    reporter.ended(hint("2"), "read", 1);

    expect(log.lines).toEqual([]);
    expect(metrics.of("svc_ferry_hints_total")).toEqual(["seen", "read"]);
    expect(metrics.of("svc_ferry_admission_to_visible_seconds")).toEqual(["seen", "read"]);
  });
});
