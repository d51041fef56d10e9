import { describe, expect, it } from "vitest";
import { MirrorContent, mirrorView } from "../../../../sidecar/status/mirror-content.js";
import type { MirrorStatusReport } from "../../../../src/ports/mirror-report.js";
import type { PageRow } from "../../../../src/telemetry/page/page-row.js";
import { pageHtml } from "../../../../src/telemetry/page/page-html.js";
import { mirrorReport } from "../../../fixtures/mirror-report.js";

const PAUSED = { why: "no-space", message: "quota", since: "2026-01-01T00:00:00.000Z" };
const NO_FENCE = { held: false, holder: "pod-2/x" };
const PASS = {
  cause: "first",
  startRevision: "9",
  read: 40,
  matched: 30,
  written: 20,
  bytes: 1,
  expected: 100,
  startedAt: "2026-01-01T00:00:00.000Z",
};
const [UP, DOWN] = mirrorReport().etcds.map((side) => ({
  ...side,
  connected: side.name === "source",
}));
const SIDES = [UP, DOWN].filter((side) => side !== undefined);

function rowsOf(table: string, more: Partial<MirrorStatusReport> = {}): readonly PageRow[] {
  return mirrorView(mirrorReport(more)).tables[table]?.rows ?? [];
}

function refused(count: number): MirrorStatusReport["refused"] {
  return Array.from({ length: count }, (_, index) => ({
    path: `configmaps/shop/c-${index}`,
    code: "occupied",
    since: "2026-01-01T00:00:00.000Z",
  }));
}

describe("the headline of a mirror", () => {
  it.each<[string, string, Partial<MirrorStatusReport>]>([
    ["4 objects in sync.", "good", {}],
    ["1 object in sync.", "good", { owned: 1 }],
    ["4 objects in sync.", "good", { lagRevisions: 12, lagSeconds: 0.2 }],
    ["12 revisions behind, for 61 s.", "bad", { lagRevisions: 12, lagSeconds: 61.2 }],
    ["Behind for 61 s.", "bad", { lagRevisions: 0, lagSeconds: 61.2 }],
    ["1 object is not as the source has it.", "bad", { debts: { occupied: 1 } }],
    ["3 objects are not as the source has them.", "bad", { debts: { occupied: 2, "no-crd": 1 } }],
    ["Writes stand still: no-space.", "bad", { paused: PAUSED }],
    ["7 deletions held.", "bad", { brake: { engaged: true, causes: ["events"], held: 7 } }],
    ["Out of reach: destination.", "bad", { etcds: SIDES }],
    ["Copies: 40 of 100 objects read, 20 written.", "none", { activity: "copying", pass: PASS }],
    ["Waits for the source.", "none", { activity: "starting", waitingFor: ["the source"] }],
    ["Waits: pod-2/x writes this link.", "bad", { activity: "waiting", fence: NO_FENCE }],
    [
      "Stands by: pod-2/x writes.",
      "good",
      { activity: "waiting", fence: NO_FENCE, mode: "active-standby" },
    ],
    ["Sealed: nothing is written until somebody resumes it.", "bad", { activity: "sealed" }],
    ["It is stopped.", "bad", { activity: "stopped" }],
  ])("is “%s” (%s) for %j", (headline, tone, more) => {
    expect(mirrorView(mirrorReport(more))).toMatchObject({ headline, tone });
  });
});

describe("what is not in order", () => {
  it("is nothing when all is well, and while a pass runs", () => {
    expect(rowsOf("troubles")).toEqual([]);
    expect(rowsOf("troubles", { activity: "copying", ready: false, pass: PASS })).toEqual([]);
  });

  it.each<[string, Partial<MirrorStatusReport>]>([
    ["▲ writes stand still|2026-01-01 00:00:00|no-space: quota", { paused: PAUSED }],
    [
      "▲ fence not held|–|The destination does not let it be taken: no-space.",
      { activity: "waiting", ready: false, fence: { held: false, trouble: "no-space" } },
    ],
    [
      "▲ destination too slow|–|The source changes faster than passes can copy: 90/s change, 60/s are written.",
      { destinationTooSlow: true, rates: { sourcePerSecond: 90, destinationPerSecond: 60 } },
    ],
    [
      "last error|2026-01-01 00:00:30|unavailable: gone",
      { lastError: { code: "unavailable", message: "gone", at: "2026-01-01T00:00:30.000Z" } },
    ],
  ])("has a row “%s”", (text, more) => {
    expect(rowsOf("troubles", more).map(({ cells }) => cells.join("|"))).toEqual([text]);
  });

  it("tells of a file that is wrong everywhere its first mistakes only", () => {
    const problems = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    const rejectedFiles = [{ path: "/rules.yaml", problems, since: "2026-01-01T00:00:00.000Z" }];

    expect(rowsOf("troubles", { rejectedFiles })[0]?.cells[2]).toBe(
      "/rules.yaml: line 0; line 1; line 2; line 3; line 4; and 495 more. What was there before is in force.",
    );
  });
});

describe("a mirror that stands by", () => {
  it("tells the way to the one that writes", () => {
    const more = { activity: "waiting", fence: NO_FENCE, mode: "active-standby" } as const;

    expect(mirrorView(mirrorReport(more)).about).toBe(
      "pod-1 does not write · link mirror · active-standby, live · version 1.2.3 · ask pod-2: kubectl port-forward pod/pod-2 10520",
    );
  });
});

describe("the clusters of a mirror", () => {
  it("say how far each is, and how the one that does not answer fails", () => {
    const etcds = SIDES.map((side) =>
      side.connected ? side : { ...side, trouble: "unavailable" },
    );
    const more = { etcds, revisionApplied: "117", lagRevisions: 3, lagSeconds: 0.25 };

    expect(rowsOf("clusters", more).map(({ tone, cells }) => [tone, ...cells].join("|"))).toEqual([
      "good|source|● connected|2026-01-01 00:00:58|read to 120|–",
      "bad|destination|▲ not connected (unavailable)|2026-01-01 00:00:59|applied to 117|3 revisions, 0.3 s",
    ]);
  });
});

describe("the destination of a mirror", () => {
  it("tells by how much what goes through the API server is behind, beside the rest", () => {
    const rows = rowsOf("clusters", { revisionApplied: "120", apiLagSeconds: 12 });

    expect(rows.at(-1)?.cells.at(-1)).toBe("nothing; through the API server 12.0 s");
  });
});

describe("what a mirror owes", () => {
  it("is counted by reason, with what to do", () => {
    const rows = rowsOf("debts", { debts: { "too-large": 1, occupied: 2 } });

    expect(rows.map(({ cells }) => cells)).toEqual([
      ["▲ occupied", "2", "Remove it, or take it over with --on-conflict=adopt."],
      ["▲ too-large", "1", expect.stringContaining("--max-request-bytes")],
    ]);
  });

  it("is shown with its newest hundred keys, however many there are", () => {
    const view = mirrorView(
      mirrorReport({ refused: refused(250), debts: { occupied: 1_000_000 } }),
    );

    expect(view.tables["refused"]?.rows).toHaveLength(100);
    expect(view.tables["refused"]?.rows[0]?.cells[0]).toBe("configmaps/shop/c-249");
    expect(view.tables["refused"]?.count).toBe("the newest 100 of 1000000");
  });

  it("belongs to a hundred rules at most, of which the rest is counted", () => {
    const rules = Array.from({ length: 300 }, (_, index) => ({ label: `r[${index}]`, owned: 1 }));

    expect(rowsOf("rules", { rules })).toHaveLength(100);
    expect(mirrorView(mirrorReport({ rules })).tables["rules"]?.count).toBe("the first 100 of 300");
  });
});

describe("the page of a mirror", () => {
  it("shows strangers' text as text, wherever it stands", () => {
    const evil = `"><script>alert(1)</script>'&`;
    const report = mirrorReport({
      link: evil,
      podName: evil,
      paused: { ...PAUSED, message: evil },
      rules: [{ label: evil, owned: 1 }],
      refused: [{ path: evil, code: evil, detail: evil, since: evil }],
      rejectedFiles: [{ path: evil, problems: [evil], since: evil }],
      lastError: { code: evil, message: evil, at: evil },
    });
    const content = new MirrorContent(() => report);

    const html = pageHtml(content.layout(), content.view());

    expect(html).not.toContain("<script>alert");
    expect(
      html.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&#39;&amp;/g)?.length,
    ).toBeGreaterThan(9);
  });

  it("is complete without a script", () => {
    const content = new MirrorContent(() =>
      mirrorReport({ refused: refused(1), debts: { occupied: 1 } }),
    );

    const html = pageHtml(content.layout(), content.view());

    for (const text of [
      "pod-1 writes",
      "standalone, live",
      "sequential[0]",
      "c-0",
      "read to 120",
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toContain("<form");
  });
});
