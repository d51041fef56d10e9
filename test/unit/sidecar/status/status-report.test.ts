import { describe, expect, it } from "vitest";
import type { MirrorStatus } from "../../../../sidecar/status/mirror-status.js";
import {
  readiness,
  statusReport,
  type ReportParts,
} from "../../../../sidecar/status/status-report.js";
import { mirrorStatus, noDebts, noPasses } from "../../../fixtures/mirror-status.js";

const WRITING = {
  cold: false,
  maxTxnOps: 128,
  maxWritesPerSecond: undefined,
  compaction: true,
  onConflict: "skip",
  onDrift: "repair",
  deleteNamespaces: "empty",
  adoptFromLink: undefined,
  acceptNewDestination: false,
  allowPlaintext: false,
  allowMassDelete: false,
} as const;

function parts(
  status: MirrorStatus | undefined,
  {
    mode = "standalone",
    ...more
  }: Partial<ReportParts> & { readonly mode?: "active-standby" | "standalone" } = {},
): ReportParts {
  return {
    config: { podName: "pod-1", link: "mirror", mode, writing: WRITING },
    version: "1.2.3",
    nowMs: 1_767_225_600_000,
    status,
    rejectedFiles: [],
    sides: [],
    ...more,
  };
}

describe("readiness", () => {
  it.each<[Partial<MirrorStatus>, readonly string[]]>([
    [{}, []],
    [{ activity: "loading" }, ["the books of the link"]],
    [{ activity: "copying" }, ["the end of a pass"]],
    [{ activity: "sealed" }, ["somebody to resume the sealed link"]],
    [{ activity: "no-rules" }, ["rules"]],
    [{ activity: "stopped" }, ["nothing: it has stopped"]],
    [{ paused: { why: "no-space", message: "quota", sinceMs: 0 } }, ["the destination (no-space)"]],
    [
      { activity: "waiting", fence: { held: false, holder: "pod-2", trouble: undefined } },
      ["the fence, held by pod-2"],
    ],
    [
      { activity: "waiting", fence: { held: false, holder: undefined, trouble: "no-space" } },
      ["the fence (no-space)"],
    ],
  ])("of a mirror with %j waits for %j", (more, waitingFor) => {
    const ready = readiness(parts(mirrorStatus(more)));

    expect(ready).toEqual({ ok: waitingFor.length === 0, waitingFor });
  });

  it("is there for a standby that knows who works", () => {
    const status = mirrorStatus({
      activity: "waiting",
      fence: { held: false, holder: "pod-2", trouble: undefined },
    });

    expect(readiness(parts(status, { mode: "active-standby" }))).toEqual({
      ok: true,
      waitingFor: [],
    });
  });

  it("is not there while an etcd is out of reach, though all that was read of it is applied", () => {
    const sides = [
      { name: "source", connected: false, trouble: "unavailable", lastContactMs: 1_000 },
      { name: "destination", connected: true, trouble: undefined, lastContactMs: 1_000 },
    ] as const;

    expect(readiness(parts(mirrorStatus(), { sides }))).toEqual({
      ok: false,
      waitingFor: ["the source (unavailable)"],
    });
  });

  it("names an etcd once that is out of reach and keeps the writer waiting", () => {
    const paused = { why: "unavailable", message: "gone", sinceMs: 0 };
    const sides = [
      { name: "destination", connected: false, trouble: "unavailable", lastContactMs: 1_000 },
    ] as const;

    expect(readiness(parts(mirrorStatus({ paused }), { sides })).waitingFor).toEqual([
      "the destination (unavailable)",
    ]);
  });

  it("is not there before the etcds have said who they are", () => {
    const nobody = { connected: false, trouble: undefined, lastContactMs: undefined };
    const sides = [
      { ...nobody, name: "source", trouble: "unavailable" },
      { ...nobody, name: "destination" },
    ] as const;

    expect(readiness(parts(undefined, { sides }))).toEqual({
      ok: false,
      waitingFor: ["the source (unavailable)", "the destination"],
    });
    expect(readiness(parts(undefined)).ok).toBe(false);
  });
});

describe("statusReport", () => {
  it("tells revisions as text, moments as RFC 3339, and of counts those that are not 0", () => {
    const report = statusReport(
      parts(
        mirrorStatus({
          revisionRead: 2n ** 60n,
          revisionApplied: 2n ** 60n - 3n,
          lagMs: 250,
          apiLagMs: 4_000,
          debts: { ...noDebts(), occupied: 2 },
          passes: { ...noPasses(), first: 1 },
          refused: [{ path: "secrets/a/b", code: "occupied", detail: undefined, sinceMs: 0 }],
          paused: { why: "auth", message: "no", sinceMs: 1_000 },
          lastError: { code: "unavailable", message: "gone", atMs: 2_000 },
        }),
      ),
    );

    expect(report).toMatchObject({
      time: "2026-01-01T00:00:00.000Z",
      revisionRead: "1152921504606846976",
      revisionApplied: "1152921504606846973",
      lagRevisions: 3,
      lagSeconds: 0.25,
      apiLagSeconds: 4,
      debts: { occupied: 2 },
      passes: { first: 1 },
      refused: [{ path: "secrets/a/b", code: "occupied", since: "1970-01-01T00:00:00.000Z" }],
      paused: { why: "auth", message: "no", since: "1970-01-01T00:00:01.000Z" },
      lastError: { code: "unavailable", message: "gone", at: "1970-01-01T00:00:02.000Z" },
    });
  });

  it("tells of each etcd whether it answers, and when it did last", () => {
    const sides = [
      { name: "source", connected: true, trouble: undefined, lastContactMs: 1_000 },
      { name: "destination", connected: false, trouble: "unavailable", lastContactMs: undefined },
    ] as const;

    expect(statusReport(parts(mirrorStatus(), { sides })).etcds).toEqual([
      { name: "source", connected: true, lastContact: "1970-01-01T00:00:01.000Z" },
      { name: "destination", connected: false, trouble: "unavailable" },
    ]);
  });

  it("can be sent as JSON, whatever the mirror does", () => {
    const pass = {
      cause: "first",
      startRevision: 9n,
      read: 1,
      matched: 1,
      written: 1,
      bytes: 10,
      expected: undefined,
      startedAtMs: 0,
    } as const;

    const text = JSON.stringify(statusReport(parts(mirrorStatus({ activity: "copying", pass }))));

    expect(JSON.parse(text)).toMatchObject({ pass: { startRevision: "9", read: 1 } });
    expect(JSON.parse(JSON.stringify(statusReport(parts(undefined))))).toMatchObject({
      activity: "starting",
      ready: false,
    });
  });
});
