import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runProgram } from "../../../../src/cli/program.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { Config } from "../../../../src/config/config.js";
import type { CredentialQuestion, MadeCredential } from "../../../../src/ports/made-credential.js";
import type { Cannot } from "../../../../src/ports/certificates-answers.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

const MADE: MadeCredential = {
  kind: "made",
  server: "https://x:6443",
  ca: "PEM",
  token: 'a"b: c',
  expires: "2026-01-01T00:00:00Z",
  warnings: ["the token ends"],
};

async function kubeconfig(line: string, answer: MadeCredential | Cannot | Error = MADE) {
  const [out, err]: [string[], string[]] = [[], []];
  const asked: { readonly cluster: Config["source"]; readonly question: CredentialQuestion }[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: {},
        readFile: () => "",
      },
      commands: {
        ...NO_COMMANDS,
        kubeconfig: {
          make: async (cluster, question) => {
            asked.push({ cluster, question });
            if (answer instanceof Error) throw answer;
            return answer;
          },
        },
      },
    },
    ["kubeconfig", ...line.split(" ").filter((word) => word !== "")],
  );
  return { code, out: out.join(""), err: err.join(""), asked };
}

describe("svc-ferry kubeconfig", () => {
  it("prints a kubeconfig, and what one has to know to standard error", async () => {
    const { code, out, err } = await kubeconfig("");

    expect({ code, err }).toEqual({ code: 0, err: "note: the token ends\n" });
    expect(parse(out)).toEqual({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "destination",
      clusters: [
        {
          name: "destination",
          cluster: { server: "https://x:6443", "certificate-authority-data": "UEVN" },
        },
      ],
      users: [{ name: "destination", user: { token: 'a"b: c' } }],
      contexts: [{ name: "destination", context: { cluster: "destination", user: "destination" } }],
    });
  });

  it("prints the Secret that the shipped Deployment mounts", async () => {
    const plain = await kubeconfig("--name eks-b");
    const { out } = await kubeconfig("-o secret --name eks-b --secret-namespace ferry");

    const secret = parse(out) as { readonly data: { readonly kubeconfig: string } };
    expect(secret).toMatchObject({
      kind: "Secret",
      metadata: { namespace: "ferry", name: "svc-ferry-destination" },
    });
    expect(Buffer.from(secret.data.kubeconfig, "base64").toString()).toBe(plain.out);
    expect(parse(plain.out)).toMatchObject({ "current-context": "eks-b" });
  });

  it("leaves the CA out where hosts trust it anyway", async () => {
    const { out } = await kubeconfig("", { ...MADE, ca: undefined });

    expect(out).not.toContain("certificate-authority-data");
  });

  it("asks for what it is told", async () => {
    const [{ cluster, question } = {}] = (
      await kubeconfig(
        "--kubeconfig /k --context eks-b -n ferry --service-account f --server https://y --duration 24h",
      )
    ).asked;
    const lasting = await kubeconfig("--secret tok");

    expect(cluster?.access).toEqual({ kind: "kubeconfig", path: "/k", context: "eks-b" });
    expect(question).toEqual({
      namespace: "ferry",
      name: "f",
      server: "https://y",
      token: { kind: "bound", durationMs: 86_400_000 },
    });
    expect(lasting.asked[0]?.question.token).toEqual({ kind: "lasting", secret: "tok" });
  });

  it.each([
    ["--duration 5m", "is less than API servers give: 10m"],
    ["--duration soon", "is not a duration, such as 24h"],
    ["--server http://x", "is no https address"],
    ["-n ../../x", "is no name of an object"],
    ["--service-account a/b", "is no name of an object"],
  ])("refuses %s", async (line, reason) => {
    const { code, out, err, asked } = await kubeconfig(line);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(reason);
    expect(asked).toEqual([]);
  });

  it("exits with 2 and the way out when it cannot", async () => {
    const cannot = await kubeconfig("", { kind: "cannot", problem: "no account", fix: "make it" });
    const refused = await kubeconfig("", new RetryableError("FERRY-K006", "403"));

    expect(cannot).toMatchObject({ code: 2, out: "", err: "error: no account\n  fix: make it\n" });
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("fix: whoever asks needs create on serviceaccounts/token");
    expect(refused.err).toContain("--kubeconfig and --context choose who that is");
  });
});
