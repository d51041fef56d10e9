import { describe, expect, it } from "vitest";
import type { MirrorStatus, PassStatus } from "../../../../sidecar/status/mirror-status.js";
import {
  ERASE,
  progressLine,
  progressOf,
  tellProgress,
} from "../../../../sidecar/status/progress.js";
import type { LogFields } from "../../../../src/ports/log.js";
import { mirrorStatus } from "../../../fixtures/mirror-status.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const pass = (startedAtMs: number, more: Partial<PassStatus> = {}): PassStatus => ({
  cause: "first",
  startRevision: 1n,
  read: 1_200,
  matched: 400,
  written: 300,
  bytes: 1_900_000,
  expected: 5_000,
  startedAtMs,
  ...more,
});

function scene(withTerminal: boolean) {
  const clock = new VirtualClock();
  const now: { status: MirrorStatus } = {
    status: mirrorStatus({ activity: "copying", pass: pass(clock.now()) }),
  };
  const shown: string[] = [];
  const records: LogFields[] = [];
  const stop = new AbortController();
  const telling = tellProgress(
    {
      clock,
      log: { ...SILENT_LOG, info: (fields) => void records.push(fields) },
      status: () => now.status,
      terminal: withTerminal ? (text) => shown.push(text) : undefined,
    },
    stop.signal,
  );
  return { clock, now, shown, records, stop, telling };
}

describe("progress", () => {
  it("is one line that is written over on a terminal, and gone when the copy is done", async () => {
    const { clock, now, shown, records, stop, telling } = scene(true);

    await clock.advance(1_000);
    now.status = mirrorStatus();
    await clock.advance(1_000);
    stop.abort();
    await telling;

    expect(shown).toEqual([
      `${ERASE}copying: 1200 of 5000 objects (24 %), 300 written, 1.9 MB, 2400/s, 2 s left`,
      `${ERASE}copying: 1200 of 5000 objects (24 %), 300 written, 1.9 MB, 1200/s, 4 s left`,
      ERASE,
    ]);
    expect(records).toEqual([]);
  });

  it("is a record every ten seconds without one", async () => {
    const { clock, records, stop, telling } = scene(false);

    await clock.advance(25_000);
    stop.abort();
    await telling;

    expect(records).toEqual([
      {
        cause: "first",
        read: 1_200,
        expected: 5_000,
        written: 300,
        bytes: 1_900_000,
        perSecond: 120,
        leftSeconds: 32,
      },
      expect.objectContaining({ perSecond: 60, leftSeconds: 64 }),
    ]);
  });

  it("is silent about a comparison in the background", async () => {
    const { clock, now, shown, stop, telling } = scene(true);
    now.status = mirrorStatus({ activity: "following", pass: pass(clock.now()) });

    await clock.advance(2_000);
    stop.abort();
    await telling;

    expect(shown).toEqual([]);
  });

  it("does not promise what it does not know", () => {
    const uncounted = pass(0, { expected: undefined });

    expect(progressOf(uncounted, 2_000)).toEqual({ perSecond: 600, leftSeconds: undefined });
    expect(progressLine(uncounted, progressOf(uncounted, 2_000))).toBe(
      "copying: 1200 objects, 300 written, 1.9 MB, 600/s",
    );
    expect(progressOf(pass(0, { read: 0 }), 0)).toEqual({ perSecond: 0, leftSeconds: undefined });
  });
});
