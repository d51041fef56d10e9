import { describe, expect, it } from "vitest";
import { runProgram } from "../../../../src/cli/program.js";
import type { Answer } from "../../../../src/cli/read-status.js";
import type { MirrorStatusReport } from "../../../../src/ports/mirror-report.js";
import { mirrorReport } from "../../../fixtures/mirror-report.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

async function cli(answer: Answer, line = "mirror status") {
  const out: string[] = [];
  const err: string[] = [];
  const asked: string[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: {},
        readFile: () => "",
      },
      commands: NO_COMMANDS,
      ask: async (url) => {
        asked.push(url);
        return answer;
      },
    },
    line.split(" "),
  );
  return { code, out: out.join(""), err: err.join(""), asked };
}

const told = (more: Partial<MirrorStatusReport> = {}): Answer => ({
  kind: "answer",
  status: 200,
  body: JSON.stringify(mirrorReport(more)),
});

describe("svc-ferry mirror status", () => {
  it("asks port 10520 and says in three lines that all is well", async () => {
    const { code, out, asked } = await cli(told());

    expect(asked).toEqual(["http://127.0.0.1:10520/status"]);
    expect(code).toBe(0);
    expect(out).toBe(
      "link mirror · following · standalone, live · fence held by pod-1\n" +
        "source read to 120, applied to 120 · nothing behind\n" +
        "4 objects (sequential[0] 2, secondary[0] 2) · no debts\n",
    );
  });

  it("understands a mirror of a release that says nothing of its etcds", async () => {
    const { etcds: _, ...older } = mirrorReport();

    expect((await cli({ kind: "answer", status: 200, body: JSON.stringify(older) })).code).toBe(0);
  });

  it("is content with a standby that knows who works", async () => {
    const waiting = { activity: "waiting", fence: { held: false, holder: "pod-2" } } as const;

    expect((await cli(told({ ...waiting, mode: "active-standby" }))).code).toBe(0);
    expect((await cli(told(waiting))).code).toBe(1);
  });

  it.each<[string, Partial<MirrorStatusReport>, string]>([
    ["a debt", { debts: { occupied: 2 } }, "· 2 debts: 2 occupied\n"],
    [
      "the brake",
      { brake: { engaged: true, causes: ["reload"], held: 40 } },
      "BRAKE: 40 deletions held (reload); svc-ferry mirror release-brake lets them pass\n",
    ],
    [
      "a pause",
      { paused: { why: "no-space", message: "quota", since: "2026-01-01T00:00:00.000Z" } },
      "WRITES STAND STILL for 1m: no-space: quota\n",
    ],
    [
      "a file that was not taken",
      {
        rejectedFiles: [
          { path: "/r.yaml", problems: ["line 3: no"], since: "2026-01-01T00:00:30.000Z" },
        ],
      },
      "NOT TAKEN for 30s: /r.yaml; what was there before is in force\n  line 3: no\n",
    ],
    [
      "an etcd that does not answer",
      { etcds: [{ name: "destination", connected: false, trouble: "unavailable" }] },
      "destination NOT CONNECTED (unavailable)\n",
    ],
    [
      "a destination that is too slow",
      { destinationTooSlow: true, rates: { sourcePerSecond: 50, destinationPerSecond: 20.5 } },
      "DESTINATION TOO SLOW: the source changes faster than passes can copy: 50/s change, 20.5/s are written",
    ],
    [
      "a copy under way",
      {
        activity: "copying",
        pass: {
          cause: "first",
          startRevision: "1",
          read: 10,
          matched: 5,
          written: 4,
          bytes: 100,
          expected: 20,
          startedAt: "2026-01-01T00:00:48.000Z",
        },
      },
      "pass first: 10 of 20 read, 4 written, for 12s\n",
    ],
    ["rules that are not there", { activity: "no-rules" }, "link mirror · no-rules ·"],
  ])("exits with 1 and says so for %s", async (_what, more, text) => {
    const { code, out } = await cli(told(more));

    expect(code).toBe(1);
    expect(out).toContain(text);
  });

  it("names what is refused, with its age, safe to print", async () => {
    const refused = [
      {
        path: "secrets/a/b",
        code: "occupied",
        detail: "by\u001b a",
        since: "2026-01-01T00:00:00.000Z",
      },
    ];

    const { out } = await cli(told({ refused, debts: { occupied: 1 } }));

    expect(out).toContain(
      "PATH         REASON    AGE  DETAIL\nsecrets/a/b  occupied  1m   by\\u001b a\n",
    );
  });

  it("tells how far behind it is", async () => {
    const { out } = await cli(told({ revisionApplied: "100", lagRevisions: 20, lagSeconds: 0.25 }));

    expect(out).toContain("source read to 120, applied to 100 · 20 revisions behind, for 0.3 s\n");
  });

  it("tells for how long it is behind where it knows of no revision that it lacks", async () => {
    const { out } = await cli(told({ revisionApplied: "120", lagRevisions: 0, lagSeconds: 80 }));

    expect(out).toContain("applied to 120 · behind for 80.0 s\n");
  });

  it("tells for how long what goes through the API server waits, while the rest goes on", async () => {
    const { out } = await cli(told({ revisionApplied: "120", apiLagSeconds: 12 }));

    expect(out).toContain(
      "applied to 120 · nothing behind · through the API server behind for 12.0 s\n",
    );
  });

  it("loses nothing with -o json, fields of a newer version included", async () => {
    const newer = { ...mirrorReport(), news: { more: 1 } };

    const { out, code } = await cli(
      { kind: "answer", status: 200, body: JSON.stringify(newer) },
      "mirror status -o json",
    );

    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(newer);
  });

  it.each<[string, Answer]>([
    ["nobody answers", { kind: "unreachable", reason: "refused" }],
    ["it may not be asked", { kind: "answer", status: 403, body: "no" }],
    ["another server answers", { kind: "answer", status: 200, body: "<html>" }],
    ["the core answers", { kind: "answer", status: 200, body: '{"kind":"StatusReport"}' }],
  ])("exits with 2 when %s", async (_what, answer) => {
    const { code, out, err } = await cli(answer);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^error: http:\/\/127\.0\.0\.1:10520\/status: /);
  });
});
