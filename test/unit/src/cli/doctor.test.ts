import { describe, expect, it } from "vitest";
import { runProgram } from "../../../../src/cli/program.js";
import type { ConfigResult } from "../../../../src/config/load.js";
import type {
  CheckReport,
  DoctorAnswer,
  DoctorQuestion,
  DoctorReport,
} from "../../../../src/ports/doctor-report.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

function check(id: string, more: Partial<CheckReport> = {}): CheckReport {
  return {
    id,
    section: "source",
    subject: "a",
    result: "ok",
    message: `${id} is right`,
    observedAt: "2026-01-01T00:00:00.000Z",
    docs: "docs/tools.md",
    ...more,
  };
}

function report(...checks: readonly CheckReport[]): DoctorReport {
  const count = (result: string): number => checks.filter((one) => one.result === result).length;
  return {
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "DoctorReport",
    time: "2026-01-01T00:00:00.000Z",
    version: "1.2.3",
    summary: { ok: count("ok"), warn: count("warn"), fail: count("fail"), skip: count("skip") },
    checks,
  };
}

const FAILED = check("dst-ns", {
  section: "destination b",
  subject: "b prod",
  result: "fail",
  code: "namespace-missing",
  message: "namespace prod does\u0007 not exist",
  remedy: { text: "create it", command: "kubectl create namespace prod" },
});

async function doctor(
  line: string,
  answer: DoctorAnswer = { kind: "report", report: report(check("src-reach")) },
  env: Readonly<Record<string, string>> = {},
  isColourful = false,
) {
  const [out, err]: [string[], string[]] = [[], []];
  const asked: { readonly loaded: ConfigResult; readonly question: DoctorQuestion }[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: { HOSTNAME: "pod", ...env },
        readFile: () => "",
        isColourful,
      },
      commands: {
        ...NO_COMMANDS,
        doctor: {
          examine: async (loaded, question) => {
            asked.push({ loaded, question });
            return answer;
          },
        },
      },
    },
    ["doctor", ...line.split(" ").filter((word) => word !== "")],
  );
  return { code, out: out.join(""), err: err.join(""), asked };
}

describe("svc-ferry doctor", () => {
  it("gives many checks that wait for one a single line, behind what they wait for", async () => {
    const waiting = (id: string, waitsFor: string): CheckReport =>
      check(id, { result: "skip", message: `waits for ${waitsFor}`, waitsFor });
    const many = ["one", "two", "three"].map((id) => waiting(id, "src-reach"));
    const found = report(
      check("src-reach", { result: "fail" }),
      ...many,
      waiting("four", "lease"),
      waiting("five", "lease"),
    );

    const { out } = await doctor("", { kind: "report", report: found });
    const json = await doctor("-o json", { kind: "report", report: found });

    expect(out.split("\n").slice(2, -1)).toEqual([
      "source",
      "  FAIL src-reach  a: src-reach is right",
      "  skip 3 checks wait for src-reach",
      "  skip four  a: waits for lease",
      "  skip five  a: waits for lease",
      "",
      "1 failed, 5 skipped, 0 ok",
    ]);
    expect((JSON.parse(json.out) as DoctorReport).checks).toHaveLength(6);
  });

  it("gives a good section one line, and what is wrong the fact and the command", async () => {
    const many = ["one", "two", "three"].map((id) => check(id, { section: "webhook" }));
    const skipped = check("sync", { section: "sync", result: "skip", message: "waits for dst-ns" });
    const found = report(check("src-reach"), FAILED, ...many, skipped);

    const { code, out } = await doctor("", { kind: "report", report: found });

    expect(code).toBe(1);
    expect(out).toBe(
      [
        "svc-ferry 1.2.3",
        "",
        "source .................. ok    src-reach is right",
        "destination b",
        "  FAIL dst-ns  b prod: namespace prod does\\u0007 not exist (namespace-missing)",
        "       fix: create it",
        "       fix: kubectl create namespace prod",
        "webhook ................. ok    3 checks",
        "sync",
        "  skip sync  a: waits for dst-ns",
        "",
        "1 failed, 1 skipped, 4 ok",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["", "warn", 0],
    ["--strict", "warn", 1],
    ["--strict", "skip", 0],
    ["", "fail", 1],
    ["-o json", "fail", 1],
    ["-o json --strict", "warn", 1],
    ["-o json", "ok", 0],
  ] as const)("with %j exits for %s with %i", async (line, result, exit) => {
    const found = report(check("one", { result }));

    expect((await doctor(line, { kind: "report", report: found })).code).toBe(exit);
  });

  it.each([
    ["on a terminal", "", {}, true, true],
    ["in a pipe", "", {}, false, false],
    ["with NO_COLOR", "", { NO_COLOR: "1" }, true, false],
    ["with an empty NO_COLOR", "", { NO_COLOR: "" }, true, true],
    ["on a terminal that has none", "", { TERM: "dumb" }, true, false],
    ["with --no-color", "--no-color", {}, true, false],
    ["as JSON", "-o json", {}, true, false],
  ] as const)("has colours %s or not", async (_, line, env, isTerminal, expected) => {
    const found = { kind: "report", report: report(check("one"), FAILED) } as const;

    const { out, asked } = await doctor(line, found, env, isTerminal);

    expect(out.includes("\u001b[31mFAIL\u001b[39m dst-ns")).toBe(expected);
    expect(out.includes("\u001b")).toBe(expected);
    expect(asked[0]?.loaded.kind).toBe("ok");
  });

  it("prints one JSON document", async () => {
    const { out } = await doctor("-o json");

    expect(JSON.parse(out)).toEqual(report(check("src-reach")));
  });

  it("hands on what is asked for", async () => {
    const { asked } = await doctor(
      "--only src-rbac,lease --only sync --skip handoff --pre --wait 2m --source-account x/y --destination-account self",
    );

    expect(asked[0]?.question).toEqual({
      only: ["src-rbac", "lease", "sync"],
      skip: ["handoff"],
      pre: true,
      waitMs: 120_000,
      isInPod: false,
      sourceAccount: { kind: "service-account", namespace: "x", name: "y" },
      destinationAccount: { kind: "self" },
    });
  });

  it("asks about svc-ferry's accounts from outside, and about itself in a pod", async () => {
    const outside = await doctor("-n ferry");
    const inside = await doctor("", undefined, { KUBERNETES_SERVICE_HOST: "10.0.0.1" });

    expect(outside.asked[0]?.question).toMatchObject({
      sourceAccount: { namespace: "ferry", name: "svc-ferry" },
      destinationAccount: { namespace: "svc-ferry", name: "svc-ferry" },
    });
    expect(inside.asked[0]?.question).toMatchObject({
      isInPod: true,
      sourceAccount: { kind: "self" },
      destinationAccount: { kind: "self" },
    });
  });

  it("examines settings that are wrong as well", async () => {
    const { asked } = await doctor("--src-ns No.Name");

    expect(asked[0]?.loaded.kind).toBe("invalid");
  });

  it.each([
    ["--wait soon", "is not a duration, such as 30s or 2m"],
    ["--source-account nobody", "is neither NAMESPACE/NAME nor self"],
    ["--destination-account a/b/c", "is neither NAMESPACE/NAME nor self"],
  ])("refuses %s", async (line, reason) => {
    const { code, err, asked } = await doctor(line);

    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(asked).toEqual([]);
  });

  it("exits with 2 for a name that is no check's", async () => {
    const { code, out, err } = await doctor("", { kind: "unknown-names", names: ["sink"] });

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toBe("error: no check and no section is called sink\n");
  });
});
