import { describe, expect, it } from "vitest";
import { loadConfig, type ConfigResult } from "../../../src/config/load.js";
import { DoctorCommand } from "../../../src/doctor-command.js";
import { TerminalError } from "../../../src/ports/errors.js";
import type { DoctorQuestion, DoctorReport } from "../../../src/ports/doctor-report.js";
import { sha256 } from "../../../src/runtime/sha256.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { Inspected } from "../../fixtures/inspected.js";

const QUESTION: DoctorQuestion = {
  only: [],
  skip: [],
  pre: false,
  waitMs: 0,
  isInPod: false,
  sourceAccount: { kind: "self" },
  destinationAccount: { kind: "self" },
};
const SELF = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

function loaded(flags: Readonly<Record<string, string>> = {}): ConfigResult {
  const given = { srcContext: "a", dstContext: "bb", webhook: "on", ...flags };
  return loadConfig({ flags: given, env: { HOSTNAME: "pod" }, readFile: () => "" });
}

function bed() {
  const clock = new VirtualClock();
  const clusters = [new Inspected("a", clock), new Inspected("bb", clock)];
  for (const { answers } of clusters) {
    answers.set("/readyz", { body: "ok" });
    answers.set("/version", { body: { gitVersion: "v1.36.0", minor: "36" }, dateMs: clock.now() });
    answers.set(SELF, { status: 201, body: { status: { allowed: true } } });
  }
  const opened: string[] = [];
  const command = new DoctorCommand({
    open: async ({ name }) => {
      opened.push(name);
      const found = clusters.find(({ cluster }) => cluster === name);
      if (found === undefined) throw new TerminalError("FERRY-K005", `no context "${name}"`);
      return found;
    },
    explain: { explain: async () => Promise.reject(new TypeError("not in this test")) },
    certs: { report: async () => ({ kind: "cannot", problem: "no Secret", fix: "make one" }) },
    clock,
    random: new SeededRandom(1),
    digest: sha256,
  });
  return { command, clusters, opened };
}

async function report(
  question: Partial<DoctorQuestion>,
  { command }: ReturnType<typeof bed> = bed(),
  config = loaded(),
): Promise<DoctorReport> {
  const answer = await command.examine(config, { ...QUESTION, ...question });
  if (answer.kind === "unknown-names") throw new Error(answer.names.join());
  return answer.report;
}

describe("svc-ferry doctor", () => {
  it("opens each cluster once, and closes it", async () => {
    const both = bed();

    await report({ skip: ["sync"] }, both);

    expect(both.opened).toEqual(["a", "bb"]);
    expect(both.clusters.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it("has a check of each kind, with a key of its own, and counts what they come to", async () => {
    const { checks, summary } = await report({ skip: ["sync"] });

    const kinds = new Set(checks.map(({ id }) => id.split(":")[0]));
    expect([...kinds].toSorted()).toEqual(
      [
        "config",
        "dst-clock",
        "dst-cred",
        "dst-ns",
        "dst-policy",
        "dst-rbac",
        "dst-rbac-excess",
        "dst-reach",
        "dst-version",
        "dst-wh-other",
        "handoff",
        "lease",
        "pod-ranges",
        "pods",
        "src-clock",
        "src-cred",
        "src-rbac",
        "src-rbac-excess",
        "src-reach",
        "src-same-dst",
        "src-version",
        "src-wh-other",
        "wh-ca",
        "wh-config",
        "wh-path",
      ].toSorted(),
    );
    const keys = checks.map(({ id, subject }) => `${id} ${subject}`);
    expect(new Set(keys).size).toBe(keys.length);
    const { ok, warn, fail, skip } = summary;
    expect(ok + warn + fail + skip).toBe(checks.length);
  });

  it("asks for the link's Lease by its name", async () => {
    const both = bed();

    await report({ only: ["dst-rbac:update"] }, both);

    const [{ body } = {}] = both.clusters[1]?.asked ?? [];
    expect(JSON.stringify(body)).toMatch(/"name":"k8s-sync\.k8s-svc-sync-leader\.[0-9a-f]{8}"/);
  });

  it("leaves the webhook out where it is off, and what needs an installation with --pre", async () => {
    const off = await report({ skip: ["sync"] }, bed(), loaded({ webhook: "off" }));
    const pre = await report({ pre: true });

    expect(off.checks.filter(({ section }) => section === "webhook")).toEqual([]);
    expect(
      pre.checks.filter(({ id }) => ["lease", "pods", "wh-path", "sync"].includes(id)),
    ).toEqual([]);
    expect(pre.checks.map(({ id }) => id)).toContain("dst-ns");
  });

  it("reports every problem of the settings, and asks no cluster then", async () => {
    const both = bed();

    const { checks, summary } = await report({}, both, loaded({ srcNs: "No.Name", httpPort: "x" }));

    expect(checks.map(({ id, result }) => `${id} ${result}`)).toEqual([
      "config fail",
      "config fail",
    ]);
    expect(summary.fail).toBe(2);
    expect(both.opened).toEqual([]);
  });

  it("goes on with one cluster when the other cannot be opened", async () => {
    const { checks } = await report({ skip: ["sync"] }, bed(), loaded({ dstContext: "nowhere" }));

    const failed = checks.filter(({ result }) => result === "fail").map(({ id }) => id);
    expect(failed).toContain("dst-reach");
    expect(failed).not.toContain("src-reach");
    expect(checks.find(({ id }) => id === "dst-ns")).toMatchObject({
      result: "skip",
      waitsFor: "dst-reach",
    });
  });

  it("knows names that no check has", async () => {
    const { command } = bed();

    expect(await command.examine(loaded(), { ...QUESTION, only: ["sink"] })).toEqual({
      kind: "unknown-names",
      names: ["sink"],
    });
  });
});
