import { describe, expect, it } from "vitest";
import type { Certs } from "../../../../src/cli/certs.js";
import { runProgram } from "../../../../src/cli/program.js";
import type { CertsConfig } from "../../../../src/config/certs-config.js";
import type { RotateAnswer } from "../../../../src/ports/certificates-answers.js";
import type { CertificatesReport } from "../../../../src/ports/certificates-report.js";
import { RetryableError, TerminalError } from "../../../../src/ports/errors.js";
import { NO_CERTS } from "../../../fixtures/no-certs.js";
import { NO_MIRROR } from "../../../fixtures/no-mirror.js";

const CANNOT = { kind: "cannot", problem: "there is no\nSecret", fix: "make one" } as const;
const WELL: CertificatesReport = {
  apiVersion: "svc-ferry.io/cli/v1",
  kind: "CertificatesReport",
  time: "2026-01-01T00:00:00.000Z",
  mode: "self",
  cluster: "eks-a",
  secret: { name: "k8s-sync/tls", exists: true },
  cas: [],
  leaves: [],
  stampKeys: { current: true, previous: false },
  configurations: [],
  problems: [],
};
const REQUESTED: RotateAnswer = {
  kind: "requested",
  rotation: "leaf",
  replaced: undefined,
  overlapMs: 86_400_000,
  dropsStampKey: false,
};

async function cli(line: string, answers: Partial<Certs> = {}, { env = {}, file = "" } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const asked: { readonly what: string; readonly config: CertsConfig }[] = [];
  const certs: Certs = {
    print: async (config) => {
      asked.push({ what: "print", config });
      return (answers.print ?? NO_CERTS.print)(config);
    },
    report: async (config) => {
      asked.push({ what: "report", config });
      return (answers.report ?? NO_CERTS.report)(config);
    },
    rotate: async (config, rotation) => {
      asked.push({ what: `rotate ${rotation}`, config });
      return (answers.rotate ?? NO_CERTS.rotate)(config, rotation);
    },
  };
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env,
        readFile: () => file,
      },
      commands: { run: async () => 99, certs, mirror: NO_MIRROR },
    },
    line.split(" "),
  );
  return { code, out: out.join(""), err: err.join(""), asked };
}

describe("svc-ferry certs print", () => {
  it("prints the bundle and nothing else", async () => {
    const print = async () => ({ kind: "bundle", pem: "PEM\n" }) as const;

    expect(await cli("certs print", { print })).toMatchObject({ code: 0, out: "PEM\n", err: "" });
  });

  it("exits with 2 and the way out when there is none", async () => {
    expect(await cli("certs print", { print: async () => CANNOT })).toMatchObject({
      code: 2,
      out: "",
      err: "error: there is no\\nSecret\n  fix: make one\n",
    });
  });
});

describe("svc-ferry certs status", () => {
  it("exits with 0 when all is well, with 1 when something is not, and says it", async () => {
    const problems = [{ problem: "it has ended", fix: "renew it" }];

    const well = await cli("certs status", { report: async () => WELL });
    const ill = await cli("certs status", { report: async () => ({ ...WELL, problems }) });

    expect(well).toMatchObject({ code: 0, err: "" });
    expect(well.out).not.toContain("PROBLEM");
    expect(ill).toMatchObject({ code: 1, err: "" });
    expect(ill.out).toContain("PROBLEM: it has ended\n  fix: renew it\n");
  });

  it.each(["-o json", "--output=json", "-output json"])("prints JSON with %s", async (flag) => {
    const { out, code } = await cli(`certs status ${flag}`, { report: async () => WELL });

    expect(JSON.parse(out)).toEqual(WELL);
    expect(code).toBe(0);
  });

  it("exits with 2 when it could not ask", async () => {
    expect(await cli("certs status", { report: async () => CANNOT })).toMatchObject({
      code: 2,
      out: "",
    });
  });
});

describe("svc-ferry certs rotate", () => {
  it.each([
    ["certs rotate", "rotate leaf"],
    ["certs rotate ca", "rotate ca"],
    ["certs rotate stamp -src-context=x", "rotate stamp"],
  ])("takes %s for %s", async (line, what) => {
    const { asked, code, out } = await cli(line, { rotate: async () => REQUESTED });

    expect(asked.map((one) => one.what)).toEqual([what]);
    expect(code).toBe(0);
    expect(out).toMatch(/^requested: leaf\n/);
  });

  it("knows nothing else that could be rotated", async () => {
    expect(await cli("certs rotate keys")).toMatchObject({
      code: 2,
      asked: [],
      err: expect.stringContaining("Allowed choices are leaf, ca, stamp"),
    });
  });

  it("exits with 2 and the way out when it cannot", async () => {
    expect(await cli("certs rotate", { rotate: async () => CANNOT })).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("fix: make one"),
    });
  });
});

describe("svc-ferry certs", () => {
  const report = async () => WELL;

  it("takes the settings of run: flags with one dash or two, environment and file", async () => {
    const { asked, err } = await cli(
      "certs status -kubeconfig=/k --src-context a -config f.yaml",
      { report },
      {
        env: {
          SVC_FERRY_WEBHOOK_CONFIGURATION: "own",
          SVC_FERRY_HTTP_PORT: "none of its business",
        },
        file: "leaderElectionNamespace: ferry\ncertsMode: provided\ncertsDir: /certs\nlogLevel: warn\n",
      },
    );

    expect(err).toBe("");
    expect(asked.map(({ config }) => config)).toEqual([
      {
        source: { name: "a", access: { kind: "kubeconfig", path: "/k", context: "a" } },
        namespace: "ferry",
        configuration: "own",
        certs: { mode: "provided", directory: "/certs" },
      },
    ]);
  });

  it("has the defaults of run", async () => {
    const { asked } = await cli("certs status -in-cluster", { report });

    expect(asked[0]?.config).toEqual({
      source: { name: "in-cluster", access: { kind: "in-cluster" } },
      namespace: "k8s-sync",
      configuration: "svc-ferry",
      certs: { mode: "self", directory: "/etc/svc-ferry/certs" },
    });
  });

  it("prints every wrong setting on a line of its own and asks nobody", async () => {
    const { code, err, asked } = await cli(
      "certs status --certs-mode x --config f.yaml",
      { report },
      { env: { SVC_FERRY_LEADER_ELECTION_NAMESPACE: "No" }, file: "certsMod: self" },
    );

    expect(code).toBe(2);
    expect(asked).toEqual([]);
    expect(err.split("\n").map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      'error: SVC_FERRY_LEADER_ELECTION_NAMESPACE: "No"',
      'error: --certs-mode: "x"',
      "error: f.yaml:1 certsMod:",
      "",
    ]);
  });

  it("warns of a variable that is a slip", async () => {
    const { err, code } = await cli(
      "certs status",
      { report },
      { env: { SVC_FERRY_CERT_DIR: "/x" } },
    );

    expect(code).toBe(0);
    expect(err).toBe(
      "warning: SVC_FERRY_CERT_DIR is not known; did you mean SVC_FERRY_CERTS_DIR?\n",
    );
  });

  it.each([
    ["certs status --src-contxt a", "did you mean --src-context?"],
    ["certs status -src-contxt=a", "did you mean --src-context?"],
    ["certs print -o json", "unknown option '-o'"],
    ["certs status --src-ns a", "unknown option '--src-ns'; see --help"],
    ["certs prnt", "unknown command 'prnt'; did you mean print?"],
    ["certs everything", "unknown command 'everything'; see --help"],
    ["certs status now", "too many arguments"],
    ["cert status", "unknown command 'cert'; did you mean certs?"],
    ["certs", "print [options]"],
  ])("refuses %s with the way out", async (line, said) => {
    const { code, err, out, asked } = await cli(line, { report });

    expect(err).toContain(said);
    expect({ code, out, asked }).toEqual({ code: 2, out: "", asked: [] });
  });

  it("prints its help to standard error, and nothing else, when nothing is asked", async () => {
    const { err } = await cli("certs");

    expect(err).toMatch(/^Usage: svc-ferry certs /);
    expect(err).not.toContain("outputHelp");
  });

  it.each(["certs --version", "certs status --version", "certs rotate -version"])(
    "prints its version with %s",
    async (line) => {
      expect(await cli(line)).toMatchObject({ code: 0, out: "1.2.3\n" });
    },
  );

  it.each([
    ["certs print", "get on the Secret svc-ferry-webhook-tls"],
    ["certs status", "and on both webhook configurations"],
    ["certs rotate", "and patch"],
  ])("says which rights %s needs when it has them not", async (line, rights) => {
    const refused = async () =>
      Promise.reject(new RetryableError("FERRY-K006", "eks-a: get /x: 403: no\n", { status: 403 }));

    const { code, err } = await cli(line, { print: refused, report: refused, rotate: refused });

    expect(code).toBe(2);
    expect(err).toContain("error: eks-a: get /x: 403: no\\n (FERRY-K006)\n  fix: ");
    expect(err).toContain(rights);
  });

  it.each([
    [new TerminalError("FERRY-K005", "no such context"), "--src-context name the source"],
    [new RetryableError("FERRY-K001", "refused"), "can be reached from here"],
    [new RetryableError("FERRY-K004", "500"), "docs/codes.md"],
  ])("says what to do about %s", async (error, fix) => {
    const { code, err } = await cli("certs status", { report: async () => Promise.reject(error) });

    expect(code).toBe(2);
    expect(err).toContain(fix);
  });

  it("does not take a defect of its own for an answer", async () => {
    const report = async () => Promise.reject(new TypeError("a defect"));

    await expect(cli("certs status", { report })).rejects.toThrow("a defect");
  });
});
