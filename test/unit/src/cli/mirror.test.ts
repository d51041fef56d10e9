import { describe, expect, it } from "vitest";
import type { Mirror } from "../../../../src/cli/mirror-command.js";
import { runProgram } from "../../../../src/cli/program.js";
import type { MirrorConfig, MirrorLinkConfig } from "../../../../src/config/mirror-config.js";
import { mirrorSettingList } from "../../../../src/config/mirror-settings.js";
import type {
  DrainAnswer,
  Finding,
  LeaveAnswer,
  OpenDebts,
  PlannedKey,
  PlanSummary,
  PromoteAnswer,
  VerifySummary,
} from "../../../../src/ports/mirror-answers.js";
import type { DoctorAnswer, DoctorReport } from "../../../../src/ports/doctor-report.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

const SIDES = "--source-endpoints=http://a:1 --dest-endpoints=http://b:2";
const CANNOT = { kind: "cannot", problem: "no\nanswer", fix: "start it" } as const;
const NO_DEBTS: OpenDebts = { count: 0, byCode: {}, first: [] };
const DEBTS: OpenDebts = {
  count: 2,
  byCode: { occupied: 2 },
  first: [{ path: "secrets/a/b", code: "occupied", detail: "by a person" }],
};
const WALK = {
  link: "mirror",
  sourceRevisions: ["10", "12"],
  destinationRevision: "7",
  appliedRevision: "9",
} as const;
const PLANNED: PlanSummary = {
  ...WALK,
  kind: "planned",
  counts: { create: 0, update: 0, delete: 0, adopt: 0, send: 0, refuse: 0 },
  unchanged: 5,
};
const VERIFIED: VerifySummary = {
  ...WALK,
  kind: "verified",
  counts: { missing: 0, different: 0, extra: 0, debt: 0, pending: 0 },
  equal: 5,
  running: true,
};

const absent = async (): Promise<never> => Promise.reject(new Error("not in this test"));
const ABSENT: Mirror = {
  run: absent,
  plan: absent,
  doctor: absent,
  verify: absent,
  drain: absent,
  promote: absent,
  resume: absent,
  leave: absent,
  releaseBrake: absent,
};

async function cli(line: string, answers: Partial<Mirror> = {}, env: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  let loaded = 0;
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: { HOSTNAME: "pod-1", ...env },
        readFile: () => {
          throw new Error("no such file");
        },
      },
      commands: {
        ...NO_COMMANDS,
        mirror: async () => {
          loaded += 1;
          return { ...ABSENT, ...answers };
        },
      },
    },
    line.split(" "),
  );
  return { code, out: out.join(""), err: err.join(""), loaded };
}

describe("svc-ferry mirror run", () => {
  it.each([
    `mirror run ${SIDES}`,
    `mirror ${SIDES}`,
    "mirror -master-endpoints=http://a:1 -slave-endpoints http://b:2",
  ])("runs %s and exits with what the run resolves to", async (line) => {
    const configs: MirrorConfig[] = [];

    const { code, err } = await cli(line, {
      run: async (config) => {
        configs.push(config);
        return 7;
      },
    });

    expect({ code, err }).toEqual({ code: 7, err: "" });
    expect(
      configs.map(({ source, destination }) => [source.endpoints, destination.endpoints]),
    ).toEqual([[["http://a:1"], ["http://b:2"]]]);
  });

  it("gives the run its warnings, for its log", async () => {
    const told: (readonly string[])[] = [];

    const { err } = await cli(`mirror ${SIDES} --db-path=/x`, {
      run: async (_config, warnings) => {
        told.push(warnings);
        return 0;
      },
    });

    expect(told).toEqual([["--db-path is not used: the checkpoint is in the destination"]]);
    expect(err).toBe("");
  });

  it("tells all wrong settings at once and exits with 2, without loading the mirror", async () => {
    const { code, err, loaded } = await cli(
      "mirror run --mode x --rev=-1",
      {},
      { SVC_FERRY_MIRROR_PAGE: "y" },
    );

    expect({ code, loaded }).toEqual({ code: 2, loaded: 0 });
    expect(err.split("\n").map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
      "error: --mode:",
      "error: --rev:",
      "error: SVC_FERRY_MIRROR_PAGE:",
      "error: --source-endpoints:",
      "error: --dest-endpoints:",
      "",
    ]);
  });

  it("shows each flag with its default and its variable, and no older name", async () => {
    const { out, loaded } = await cli("mirror run --help");
    const text = out.replaceAll(/\s+/g, " ");

    expect(loaded).toBe(0);
    for (const { name, fallbackText } of mirrorSettingList()) {
      expect(text).toContain(`--${name} `);
      if (fallbackText !== undefined) expect(text).toContain(`default: ${fallbackText};`);
    }
    expect(text).toContain("env: SVC_FERRY_MIRROR_KUBE_PREFIX");
    expect(text).not.toContain("master-");
  });

  it.each([
    ["mirror pln", "error: unknown command 'pln'; did you mean plan?\n"],
    [
      "mirror run --kube-prefx=/x",
      "error: unknown option '--kube-prefx=/x'; did you mean --kube-prefix?\n",
    ],
  ])("says of %s what was probably meant", async (line, message) => {
    expect(await cli(line)).toMatchObject({ code: 2, err: message, loaded: 0 });
  });
});

describe("svc-ferry mirror plan", () => {
  const entry: PlannedKey = {
    action: "refuse",
    key: "/registry/secrets/a/b\u0007",
    reason: "occupied",
    detail: "not ours",
  };

  it("prints each key with action and reason, then a summary, and exits with 1 for changes", async () => {
    const { code, out } = await cli(`mirror plan ${SIDES}`, {
      plan: async (_config, show) => {
        show(entry);
        return { ...PLANNED, counts: { ...PLANNED.counts, refuse: 1 } };
      },
    });

    expect(code).toBe(1);
    expect(out).toBe(
      "ACTION    KEY  REASON\n" +
        "refuse    /registry/secrets/a/b\\u0007  occupied: not ours\n" +
        "1 refuse · 5 unchanged\n" +
        "link mirror · source revision 10 to 12 · applied 9 · destination revision 7\n",
    );
  });

  it("exits with 0 when there is nothing to do", async () => {
    const { code, out } = await cli(`mirror plan ${SIDES}`, { plan: async () => PLANNED });

    expect(code).toBe(0);
    expect(out).toMatch(/^nothing to do · 5 unchanged\n/);
  });

  it("prints one JSON document with -o json, whatever is found", async () => {
    const some = await cli(`mirror plan ${SIDES} -o json`, {
      plan: async (_config, show) => {
        show(entry);
        show({ ...entry, action: "create" });
        return PLANNED;
      },
    });
    const none = await cli(`mirror plan ${SIDES} -o json`, { plan: async () => PLANNED });

    expect(JSON.parse(some.out)).toEqual({
      apiVersion: "svc-ferry.io/cli/v1",
      kind: "MirrorPlan",
      keys: [entry, { ...entry, action: "create" }],
      summary: PLANNED,
    });
    expect(JSON.parse(none.out)).toMatchObject({ keys: [], summary: { unchanged: 5 } });
  });

  it("exits with 2 and the way out when it could not tell; JSON stays a document", async () => {
    const { code, out, err } = await cli(`mirror plan ${SIDES} -o json`, {
      plan: async () => CANNOT,
    });

    expect(code).toBe(2);
    expect(err).toBe("error: no\\nanswer\n  fix: start it\n");
    expect(JSON.parse(out)).toMatchObject({ keys: [], summary: null });
  });
});

describe("svc-ferry mirror doctor", () => {
  const answer = (summary: Partial<DoctorReport["summary"]>): DoctorAnswer => ({
    kind: "report",
    report: {
      apiVersion: "svc-ferry.io/cli/v1",
      kind: "DoctorReport",
      time: "2026-01-01T00:00:00Z",
      version: "1.2.3",
      summary: { ok: 0, warn: 0, fail: 0, skip: 0, ...summary },
      checks: [
        {
          id: "dst-etcd-space",
          section: "destination",
          subject: "http://b:2",
          result: "fail",
          code: "no-space",
          message: "full",
          observedAt: "2026-01-01T00:00:00Z",
          remedy: { text: "defragment it", command: "etcdctl defrag --cluster" },
          docs: "docs/tools.md#svc-ferry-mirror-doctor",
        },
      ],
    },
  });

  it("prints what is wrong with the way out, as doctor does, and exits with 1", async () => {
    const { code, out } = await cli(`mirror doctor ${SIDES}`, {
      doctor: async () => answer({ fail: 1 }),
    });

    expect(code).toBe(1);
    expect(out).toBe(
      "svc-ferry 1.2.3\n\ndestination\n" +
        "  FAIL dst-etcd-space  http://b:2: full (no-space)\n" +
        "       fix: defragment it\n       fix: etcdctl defrag --cluster\n\n1 failed, 0 ok\n",
    );
  });

  it("hands on what is asked for, and the mirror's settings", async () => {
    const asked: unknown[] = [];
    const line = `mirror doctor ${SIDES} --only=rules,link --skip dst-cold --wait=30s --link=east`;

    const { err } = await cli(line, {
      doctor: async ({ link }, question) => {
        asked.push(link, question);
        return answer({});
      },
    });

    expect(err).toBe("");
    const question = { only: ["rules", "link"], skip: ["dst-cold"], waitMs: 30_000 };
    expect(asked).toEqual(["east", question]);
  });

  it.each([
    ["", { warn: 1 }, 0],
    [" --strict", { warn: 1 }, 1],
    [" -o json", { fail: 1 }, 1],
  ])("with%j and %j it exits with %i", async (flag, summary, code) => {
    const answered = answer(summary);
    const doctor = async (): Promise<DoctorAnswer> => answered;

    const found = await cli(`mirror doctor ${SIDES}${flag}`, { doctor });

    expect(found.code).toBe(code);
    if (flag.endsWith("json")) {
      expect(JSON.parse(found.out)).toEqual(answered.kind === "report" && answered.report);
    }
  });

  it("exits with 2 for a name that is no check's, and for settings that are wrong", async () => {
    const doctor = async (): Promise<DoctorAnswer> => ({ kind: "unknown-names", names: ["lnk"] });

    expect(await cli(`mirror doctor ${SIDES} --only=lnk`, { doctor })).toMatchObject({
      code: 2,
      err: "error: no check and no section is called lnk\n",
    });
    expect(await cli("mirror doctor --mode=x", { doctor })).toMatchObject({ code: 2, loaded: 0 });
  });
});

describe("svc-ferry mirror verify", () => {
  const finding: Finding = {
    finding: "missing",
    key: "/registry/configmaps/a/b",
    reason: "not-there",
    detail: undefined,
  };
  const counted = (counts: Partial<VerifySummary["counts"]>): Partial<Mirror> => ({
    verify: async () => ({ ...VERIFIED, counts: { ...VERIFIED.counts, ...counts } }),
  });

  it("exits with 0 when both are equal", async () => {
    const { code, out } = await cli(`mirror verify ${SIDES}`, counted({}));

    expect(code).toBe(0);
    expect(out).toMatch(/^5 equal\nlink mirror/);
  });

  it("names each key and exits with 1 when one is not as it should be", async () => {
    const { code, out } = await cli(`mirror verify ${SIDES}`, {
      verify: async (_config, _waitMs, show) => {
        show(finding);
        return { ...VERIFIED, counts: { ...VERIFIED.counts, missing: 1 }, running: false };
      },
    });

    expect(code).toBe(1);
    expect(out).toContain("missing   /registry/configmaps/a/b  not-there\n");
    expect(out).toContain("5 equal · 1 missing · no mirror of this link is running\n");
  });

  it("takes a debt for a difference, unless --allow-debts", async () => {
    const debt = counted({ debt: 1 });

    expect((await cli(`mirror verify ${SIDES}`, debt)).code).toBe(1);
    expect((await cli(`mirror verify ${SIDES} --allow-debts`, debt)).code).toBe(0);
    expect((await cli(`mirror verify ${SIDES} --allow-debts`, counted({ extra: 1 }))).code).toBe(1);
  });

  it("exits with 2 when it could not be proven", async () => {
    expect((await cli(`mirror verify ${SIDES}`, { verify: async () => CANNOT })).code).toBe(2);
  });

  it.each([
    ["", 120_000],
    [" --wait=5s", 5_000],
  ])("with%j gives a running mirror %i ms", async (flag, ms) => {
    const waits: number[] = [];

    await cli(`mirror verify ${SIDES}${flag}`, {
      verify: async (_config, waitMs) => {
        waits.push(waitMs);
        return VERIFIED;
      },
    });

    expect(waits).toEqual([ms]);
  });

  it("tells a wrong --wait together with what else is wrong", async () => {
    const { code, err } = await cli("mirror verify --wait=soon --source-endpoints=http://a:1");

    expect(code).toBe(2);
    expect(err).toContain("--wait:");
    expect(err).toContain("--dest-endpoints:");
  });
});

const DRAINED: DrainAnswer = {
  kind: "drained",
  sourceRevision: "12",
  appliedRevision: "13",
  debts: NO_DEBTS,
};

describe("svc-ferry mirror drain", () => {
  it("exits with 0 when all is done", async () => {
    expect(await cli(`mirror drain ${SIDES}`, { drain: async () => DRAINED })).toMatchObject({
      code: 0,
      out: "drained: source revision 12 is applied (the mirror is at 13)\nno debts\n",
    });
  });

  it("says of a mirror that is below the source's revision why that is all", async () => {
    const drain = async (): Promise<DrainAnswer> => ({ ...DRAINED, appliedRevision: "9" });

    const { code, out } = await cli(`mirror drain ${SIDES}`, { drain });

    expect(code).toBe(0);
    expect(out).toContain(
      "source revision 12 is applied (the mirror is at 9, and nothing that it watches has changed since)",
    );
  });

  it("prints what is owed and exits with 1, or 0 with --allow-debts", async () => {
    const drain = async (): Promise<DrainAnswer> => ({ ...DRAINED, debts: DEBTS });

    const strict = await cli(`mirror drain ${SIDES}`, { drain });

    expect(strict.code).toBe(1);
    expect(strict.out).toContain(
      "2 debts: 2 occupied\n  secrets/a/b  occupied: by a person\n  … and 1 more\n",
    );
    expect((await cli(`mirror drain ${SIDES} --allow-debts`, { drain })).code).toBe(0);
  });

  it("exits with 2 when the mirror has not come so far", async () => {
    const drain = async (): Promise<DrainAnswer> => ({
      kind: "behind",
      sourceRevision: "12",
      appliedRevision: "3",
      pass: "reload",
    });

    const { code, err } = await cli(`mirror drain ${SIDES} --wait=5s`, { drain });

    expect(code).toBe(2);
    expect(err).toContain(
      "after 5s the mirror has applied 3 of source revision 12, and a pass (reload) has not ended",
    );
  });
});

const PROMOTED: PromoteAnswer = {
  kind: "promoted",
  before: undefined,
  appliedRevision: "13",
  dataAt: "2026-01-01T00:00:00.000Z",
  unfinished: false,
  debts: NO_DEBTS,
  holder: "pod-1",
};

describe("svc-ferry mirror promote", () => {
  it("needs the destination alone, and tells how old the data is and how to go back", async () => {
    const configs: MirrorLinkConfig[] = [];

    const { code, out } = await cli("mirror promote --dest-endpoints=http://b:2", {
      promote: async (config) => {
        configs.push(config);
        return PROMOTED;
      },
    });

    expect(code).toBe(0);
    expect(configs.map(({ link }) => link)).toEqual(["mirror"]);
    expect(out).toContain("data of source revision 13, last told at 2026-01-01T00:00:00.000Z\n");
    expect(out).toContain("pod-1 held the fence and lost it\n");
    expect(out).toContain("resume --link=mirror --i-lost-the-destinations-changes\n");
  });

  it("with --drain drains first, and promotes only when that is done", async () => {
    const calls: string[] = [];
    const mirror = (answer: DrainAnswer): Partial<Mirror> => ({
      drain: async () => {
        calls.push("drain");
        return answer;
      },
      promote: async () => {
        calls.push("promote");
        return PROMOTED;
      },
    });

    const done = await cli(`mirror promote --drain ${SIDES}`, mirror(DRAINED));
    const owing = await cli(
      `mirror promote --drain ${SIDES}`,
      mirror({ ...DRAINED, debts: DEBTS }),
    );

    expect([done.code, owing.code]).toEqual([0, 1]);
    expect(calls).toEqual(["drain", "promote", "drain"]);
    expect(owing.err).toContain("not promoted");
  });
});

describe("svc-ferry mirror resume", () => {
  const resume: Mirror["resume"] = async () => ({
    kind: "resumed",
    before: { by: "ann", at: "2026-01-01T00:00:00.000Z" },
  });

  it("asks for consent in so many words", async () => {
    const { code, err, loaded } = await cli("mirror resume --dest-endpoints=http://b:2", {
      resume,
    });

    expect({ code, loaded }).toEqual({ code: 2, loaded: 0 });
    expect(err).toContain("--i-lost-the-destinations-changes");
  });

  it("opens the link with it", async () => {
    const line = "mirror resume --dest-endpoints=http://b:2 --i-lost-the-destinations-changes";

    const { code, out } = await cli(line, { resume });

    expect(code).toBe(0);
    expect(out).toContain("link mirror is open again (was sealed by ann");
  });
});

describe("svc-ferry mirror leave", () => {
  const LEFT: LeaveAnswer = {
    kind: "left",
    owned: 3,
    removed: 0,
    marked: 0,
    stayed: [],
    stayedMore: 0,
  };

  it.each([
    ["mirror leave", "error: --keep or --remove is required\n"],
    [
      "mirror leave --keep --remove",
      "error: option '--keep' cannot be used with option '--remove'\n",
    ],
  ])("refuses %s", async (line, message) => {
    expect(await cli(`${line} --dest-endpoints=http://b:2`)).toMatchObject({
      code: 2,
      err: message,
      loaded: 0,
    });
  });

  it.each(["keep", "remove"])("leaves with --%s", async (how) => {
    const asked: string[] = [];

    const { code } = await cli(`mirror leave --${how} --dest-endpoints=http://b:2`, {
      leave: async (_config, one) => {
        asked.push(one);
        return LEFT;
      },
    });

    expect({ code, asked }).toEqual({ code: 0, asked: [how] });
  });

  it("tells of the mark that only an API server can take off", async () => {
    const { code, out } = await cli("mirror leave --keep --dest-endpoints=http://b:2", {
      leave: async () => ({ ...LEFT, marked: 2 }),
    });

    expect(code).toBe(0);
    expect(out).toContain("2 carry its mark: docs/mirror.md says how it comes off\n");
  });

  it("names what stays though it was to go, and exits with 1", async () => {
    const stayed = [{ path: "secrets/a/b", why: "changed since" }];

    const { code, out } = await cli("mirror leave --remove --dest-endpoints=http://b:2", {
      leave: async () => ({ ...LEFT, removed: 1, stayed, stayedMore: 1 }),
    });

    expect(code).toBe(1);
    expect(out).toContain("these stay:\n  secrets/a/b  changed since\n  … and 1 more\n");
  });
});

describe("svc-ferry mirror … -o json", () => {
  const LINK = "--dest-endpoints=http://b:2 -o json";
  const before = { by: "ann", at: "2026-01-01T00:00:00.000Z" };
  const answers: Partial<Mirror> = {
    drain: async () => DRAINED,
    promote: async () => PROMOTED,
    resume: async () => ({ kind: "resumed", before }),
    leave: async () => ({
      kind: "left",
      owned: 3,
      removed: 3,
      marked: 0,
      stayed: [],
      stayedMore: 0,
    }),
    releaseBrake: async () => ({ kind: "released", held: 40, holder: "pod-1" }),
  };
  const { kind: _promoted, ...promotion } = PROMOTED;

  it.each([
    [
      `mirror drain ${SIDES} -o json`,
      {
        kind: "MirrorDrain",
        outcome: "drained",
        sourceRevision: "12",
        appliedRevision: "13",
        debts: NO_DEBTS,
      },
    ],
    [`mirror promote ${LINK}`, { kind: "MirrorPromotion", outcome: "promoted", ...promotion }],
    [
      `mirror promote --drain ${SIDES} -o json`,
      { kind: "MirrorPromotion", outcome: "promoted", ...promotion },
    ],
    [
      `mirror resume --i-lost-the-destinations-changes ${LINK}`,
      { kind: "MirrorResumption", outcome: "resumed", before },
    ],
    [
      `mirror leave --remove ${LINK}`,
      {
        kind: "MirrorLeave",
        outcome: "left",
        owned: 3,
        removed: 3,
        marked: 0,
        stayed: [],
        stayedMore: 0,
      },
    ],
    [
      `mirror release-brake ${LINK}`,
      { kind: "MirrorBrakeRelease", outcome: "released", held: 40, holder: "pod-1" },
    ],
  ])("prints one document for %s", async (line, document) => {
    const { code, out, err } = await cli(line, answers);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toEqual({
      apiVersion: "svc-ferry.io/cli/v1",
      link: "mirror",
      ...document,
    });
  });

  it("prints what was drained when that kept it from promoting", async () => {
    const { code, out } = await cli(`mirror promote --drain ${SIDES} -o json`, {
      drain: async () => ({ ...DRAINED, debts: DEBTS }),
    });

    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ kind: "MirrorDrain", debts: { count: 2 } });
  });

  it("prints no document when nothing could be done", async () => {
    const { code, out, err } = await cli(
      `mirror resume --i-lost-the-destinations-changes ${LINK}`,
      {
        resume: async () => CANNOT,
      },
    );

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("fix: start it");
  });
});

describe("svc-ferry mirror release-brake", () => {
  it.each([
    [
      { kind: "released", held: 40, holder: "pod-1" },
      0,
      "40 deletions released: pod-1 does them\n",
    ],
    [{ kind: "released", held: 1, holder: undefined }, 0, "the next mirror that runs does them\n"],
    [{ kind: "not-braked" }, 0, "holds nothing"],
    [CANNOT, 2, ""],
  ] as const)("answers %j", async (answer, code, text) => {
    const done = await cli("mirror release-brake --dest-endpoints=http://b:2", {
      releaseBrake: async () => answer,
    });

    expect(done.code).toBe(code);
    expect(done.out).toContain(text);
  });
});
