import { describe, expect, it } from "vitest";
import type { Answer } from "../../../../src/cli/read-status.js";
import { runProgram } from "../../../../src/cli/program.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type {
  ExplainQuestion,
  ExplainReport,
  Finding,
} from "../../../../src/ports/explain-report.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

const SYNCED: Finding = {
  service: "shop/web",
  destination: "b",
  target: "prod/web",
  verdict: "synced",
  steps: [
    { id: "selected", result: "yes", text: 'label sync=true, route "default"' },
    { id: "mapped", result: "yes", text: "prod/web (by the route alone)" },
    { id: "name-free", result: "yes", text: "it is ours, or to be had" },
    { id: "written", result: "yes", text: "nothing to change" },
    { id: "endpoints", result: "yes", text: "3 ready of 3, 1 slice" },
    { id: "reachable", result: "unknown", text: "not probed" },
  ],
  remarks: [],
  endpoints: { ready: 3, total: 3, slices: 1, notReady: [] },
  due: [],
};

const TAKEN: Finding = {
  ...SYNCED,
  verdict: "not-synced",
  steps: [
    ...SYNCED.steps.slice(0, 2),
    { id: "name-free", result: "no", text: "prod/web exists and belongs to\u001b[31m Helm" },
    { id: "written", result: "not-asked", text: "" },
  ],
  reason: { code: "name-occupied", message: "prod/web exists" },
  fix: "kubectl annotate …",
  lastChange: { id: "01JQ4", by: "alice", at: "2026-01-01T10:02:11Z" },
};

const STATUS = {
  kind: "StatusReport",
  time: "2026-01-01T10:02:11Z",
  podName: "pod-1",
  role: "leader",
  observed: true,
  source: { name: "a", connected: true },
  destinations: [
    { name: "b", connected: true, paused: false, heartbeat: "held", brake: false, queued: 7 },
  ],
  services: [
    {
      service: "shop/web",
      destination: "b",
      target: "prod/web",
      state: "retrying",
      reason: "FERRY-K004",
      message: "503",
    },
  ],
};

async function explain(
  answer: readonly Finding[] | Error,
  line: string,
  {
    env = {},
    status,
    leader,
    pod = { kind: "unreachable", reason: "no right" },
  }: {
    env?: Readonly<Record<string, string>>;
    status?: unknown;
    leader?: string;
    pod?: Answer;
  } = {},
) {
  const [out, err]: [string[], string[]] = [[], []];
  const asked: ExplainQuestion[] = [];
  const contexts: string[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: { HOSTNAME: "pod", ...env },
        readFile: () => "",
      },
      commands: {
        ...NO_COMMANDS,
        explain: {
          leaderStatus: async () => pod,
          explain: async (config, question): Promise<ExplainReport> => {
            asked.push(question);
            contexts.push(config.source.name);
            if (answer instanceof Error) throw answer;
            return {
              apiVersion: "svc-ferry.io/cli/v1",
              kind: "ExplainReport",
              time: "2026-01-01T10:02:11Z",
              version: "1.2.3",
              source: "a",
              asked: question.service,
              leader,
              findings: answer,
            };
          },
        },
      },
      ask: async () =>
        status === undefined
          ? { kind: "unreachable", reason: "refused" }
          : { kind: "answer", status: 200, body: JSON.stringify(status) },
    },
    ["explain", ...line.split(" ").filter((word) => word !== "")],
  );
  return { code, out: out.join(""), err: err.join(""), asked, contexts };
}

describe("svc-ferry explain", () => {
  it("prints a step a line, and exits with 0 when all is in order", async () => {
    const { code, out, err } = await explain([SYNCED], "shop/web");

    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toBe(
      [
        "a shop/web → b prod/web   SYNCED",
        '  1 selected   yes  label sync=true, route "default"',
        "  2 mapped     yes  prod/web (by the route alone)",
        "  3 name free  yes  it is ours, or to be had",
        "  4 written    yes  nothing to change",
        "  5 endpoints  yes  3 ready of 3, 1 slice",
        "  6 reachable  ?    not probed",
        "",
      ].join("\n"),
    );
  });

  it("prints the reason, the way out and the last change, and exits with 1", async () => {
    const { code, out } = await explain([TAKEN], "shop/web");

    expect(code).toBe(1);
    expect(out).toContain("a shop/web → b prod/web   NOT SYNCED\n");
    expect(out).toContain("  3 name free  NO   prod/web exists and belongs to\\u001b[31m Helm\n");
    expect(out).toContain("  4 written    -\n");
    expect(out).toContain("reason  name-occupied: prod/web exists\nfix     kubectl annotate …\n");
    expect(out).toContain("last    change 01JQ4 by alice, admitted 2026-01-01T10:02:11Z;");
  });

  it("says that nobody answers where no endpoint is ready", async () => {
    const endpoints = { ready: 0, total: 2, slices: 1, notReady: ["web-1"] };

    const { code, out } = await explain([{ ...SYNCED, endpoints }], "shop/web");

    expect(code).toBe(0);
    expect(out).toContain("SYNCED, but nobody answers\n");
  });

  it.each<[Finding["verdict"][], number]>([
    [["synced", "synced"], 0],
    [["synced", "not-synced", "unknown", "not-selected"], 1],
    [["synced", "unknown", "not-selected"], 2],
    [["not-selected"], 3],
  ])("exits for %j with %i, in both formats", async (verdicts, exit) => {
    const findings = verdicts.map((verdict) => ({ ...SYNCED, verdict }));

    expect((await explain(findings, "shop/web")).code).toBe(exit);
    expect((await explain(findings, "shop/web -o json")).code).toBe(exit);
  });

  it("prints one JSON document with everything in it", async () => {
    const { out } = await explain([TAKEN], "shop/web -o json");

    expect(JSON.parse(out)).toMatchObject({
      apiVersion: "svc-ferry.io/cli/v1",
      kind: "ExplainReport",
      asked: "shop/web",
      findings: [{ reason: { code: "name-occupied" } }],
    });
  });

  it("says and exits with 1 when no endpoint answered a connection that was asked for", async () => {
    const no = { id: "reachable", result: "no", text: "0 of 2 answer" } as const;
    const silent: Finding = { ...SYNCED, steps: [...SYNCED.steps.slice(0, 5), no] };

    const { code, out, asked } = await explain([silent], "shop/web --probe");
    const all = await explain([silent], "--all --probe");

    expect(code).toBe(1);
    expect(asked[0]?.probe).toBe(true);
    expect(out).toContain("SYNCED, but out of reach of this host\n");
    expect(all).toMatchObject({ code: 2, err: "error: --probe is for one Service\n" });
  });

  it("says why the leader was not asked and how it can be, when something is wrong", async () => {
    const wrong = await explain([TAKEN], "shop/web", { leader: "ferry-0" });
    const right = await explain([SYNCED], "shop/web", { leader: "ferry-0" });
    const nobody = await explain([TAKEN], "shop/web");

    expect(wrong.out).toMatch(
      /^leader {2}not asked: pod ferry-0: no right; by hand: kubectl --context \S+ -n k8s-sync port-forward pod\/ferry-0 8080, and then --status-url=http:\/\/127\.0\.0\.1:8080\/status$/m,
    );
    expect(right.out).not.toContain("leader");
    expect(nobody.out).not.toContain("leader  ");
  });

  it("asks the leader through the cluster, whose word counts when its attempts fail", async () => {
    const pod = { kind: "answer", status: 200, body: JSON.stringify(STATUS) } as const;

    const { code, out, err } = await explain([SYNCED], "shop/web", { leader: "pod-1", pod });
    const all = await explain([SYNCED], "--all", { leader: "pod-1", pod });

    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toContain("reason  FERRY-K004: 503\n");
    expect(out).toContain("leader  pod-1: retrying, FERRY-K004, 503 (7 in the queue)\n");
    expect(all).toMatchObject({ code: 0, out: "all 1 in order\n" });
  });

  it("takes the namespace from --namespace, or from the only one that the routes read", async () => {
    const given = await explain([SYNCED], "web -n shop");
    const only = await explain([SYNCED], "web --src-ns cart");

    expect(given.asked).toEqual([{ service: "shop/web", destination: undefined, probe: false }]);
    expect(only.asked).toEqual([{ service: "cart/web", destination: undefined, probe: false }]);
  });

  it("takes a mirror's name with --in, and everything with --all", async () => {
    const mirror = await explain([SYNCED], "prod/web --in external-cluster");
    const all = await explain([SYNCED, TAKEN], "--all");

    expect(mirror.asked).toEqual([
      { service: "prod/web", destination: "external-cluster", probe: false },
    ]);
    expect(all.asked).toEqual([{ service: undefined, destination: undefined, probe: false }]);
    expect(all.code).toBe(1);
    expect(all.out.split("\n")).toHaveLength(3);
    expect(all.out).toMatch(/shop\/web +b +prod\/web +not-synced +name-occupied: prod\/web exists/);
  });

  it("says in one line that all are in order", async () => {
    const { code, out } = await explain([SYNCED, SYNCED], "-A");

    expect({ code, out }).toEqual({ code: 0, out: "all 2 in order\n" });
  });

  it.each([
    ["", "which Service? NAMESPACE/NAME, or --all"],
    ["a/b/c", '"a/b/c" is not NAMESPACE/NAME'],
    ["shop/ ", '"shop/" is not NAMESPACE/NAME'],
    ["shop/web --all", "give a Service or --all, not both"],
    ["shop/web --in nowhere", "there is no destination nowhere; there are external-cluster"],
  ])("refuses %j", async (line, reason) => {
    const { code, err, asked } = await explain([SYNCED], line);

    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(asked).toEqual([]);
  });

  it("takes kubectl's --context for the source's", async () => {
    expect((await explain([SYNCED], "shop/web --context eks-a")).contexts).toEqual(["eks-a"]);
    expect(
      (await explain([SYNCED], "shop/web --context eks-a --src-context eks-c")).contexts,
    ).toEqual(["eks-c"]);
  });

  it("exits with 2 when the source could not be asked, with the way out", async () => {
    const down = new RetryableError("FERRY-K001", "a: get: connect ECONNREFUSED");

    const { code, out, err } = await explain(down, "shop/web");

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("error: a: get: connect ECONNREFUSED (FERRY-K001)\n  fix: ");
  });
});

describe("svc-ferry explain --status-url", () => {
  it("adds what the leader says, which counts when its attempts fail", async () => {
    const { code, out } = await explain([SYNCED], "shop/web --status-url http://x/status", {
      status: STATUS,
    });

    expect(code).toBe(1);
    expect(out).toContain("NOT SYNCED");
    expect(out).toContain("reason  FERRY-K004: 503\n");
    expect(out).toContain("leader  pod-1: retrying, FERRY-K004, 503 (7 in the queue)\n");
  });

  it.each([
    "FERRY-K003",
    "FERRY-K006",
    "FERRY-K007",
    "FERRY-K008",
    "FERRY-K009",
    "FERRY-K010",
    "FERRY-K011",
    "FERRY-L001",
    "FERRY-R001",
    "FERRY-R002",
  ])("finds that the leader's attempts fail with %s", async (reason) => {
    const failing = { ...STATUS.services[0], reason, message: "what the leader says" };

    const { code, out } = await explain([SYNCED], "shop/web --status-url http://x/status", {
      status: { ...STATUS, services: [failing] },
    });

    expect(code).toBe(1);
    expect(out).toContain(`reason  ${reason}: what the leader says\n`);
  });

  it("shows a brake that holds a deletion", async () => {
    const pending = { code: "pending", message: "nobody wants it: it is removed" };
    const orphan: Finding = { ...SYNCED, verdict: "not-synced", reason: pending };
    const held = { ...STATUS.services[0], state: "held", reason: "mass-delete-blocked" };

    const { out } = await explain([orphan], "shop/web --status-url http://x/status", {
      status: { ...STATUS, services: [held] },
    });

    expect(out).toContain("reason  mass-delete-blocked: ");
  });

  it("warns, and goes on, when the leader cannot be asked", async () => {
    const { code, err } = await explain([SYNCED], "shop/web --status-url http://x/status");

    expect(code).toBe(0);
    expect(err).toBe("warning: the leader was not asked: http://x/status: refused\n");
  });
});
