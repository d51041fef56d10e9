import { describe, expect, it } from "vitest";
import { runProgram } from "../../../../src/cli/program.js";
import type { Cannot } from "../../../../src/ports/certificates-answers.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import type { LeaveQuestion, LeaveReport } from "../../../../src/ports/leave-report.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

const LEFT: LeaveReport = {
  kind: "left",
  link: "the-link",
  mirrors: 1,
  writes: ["patch endpoints prod/web", "patch services prod/web"],
  troubles: [],
};

async function leave(line: string, answer: LeaveReport | Cannot | Error = LEFT) {
  const [out, err]: [string[], string[]] = [[], []];
  const asked: LeaveQuestion[] = [];
  const contexts: string[] = [];
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
        leave: {
          leave: async ({ name }, question) => {
            asked.push(question);
            contexts.push(name);
            if (answer instanceof Error) throw answer;
            return answer;
          },
        },
      },
    },
    ["leave", ...line.split(" ").filter((word) => word !== "")],
  );
  return { code, out: out.join(""), err: err.join(""), asked, contexts };
}

describe("svc-ferry leave", () => {
  it("only says what it would do, unless told that it is meant", async () => {
    const said = await leave("--to k8s-svc-sync");
    const meant = await leave("--keep --yes");

    expect(said).toMatchObject({
      code: 0,
      err: "",
      asked: [{ kind: "hand-over", isMeant: false }],
    });
    expect(said.out).toBe(
      [
        "1 mirror of link the-link",
        "  patch endpoints prod/web",
        "  patch services prod/web",
        "2 writes would be done; nothing was: --yes does it",
        "",
      ].join("\n"),
    );
    expect(meant.asked).toEqual([{ kind: "keep", link: undefined, namespaces: [], isMeant: true }]);
    expect(meant.out).toContain("2 writes done\n");
  });

  it("hands on the link, the namespaces and the context", async () => {
    const { asked, contexts } = await leave("--remove --link x -n a,b -n c --context eks-b");

    expect(asked).toEqual([
      { kind: "remove", link: "x", namespaces: ["a", "b", "c"], isMeant: false },
    ]);
    expect(contexts).toEqual(["eks-b"]);
  });

  it("says who holds the link", async () => {
    const { out } = await leave("--keep", { ...LEFT, holder: "pod-1" });

    expect(out).toContain("the link is held by pod-1: stop it first");
  });

  it.each([
    ["", "say how to leave: one of --to k8s-svc-sync, --keep, --remove"],
    ["--keep --remove --link x", "say how to leave"],
    ["--remove", "--remove needs --link"],
    ["--to nobody", "Allowed choices are k8s-svc-sync"],
  ])("refuses %j", async (line, reason) => {
    const { code, err, asked } = await leave(line);

    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(asked).toEqual([]);
  });

  it("exits with 1 for what is left, and with 2 for what could not be", async () => {
    const left = await leave("--keep --yes", { ...LEFT, troubles: ["prod/web: policy"] });
    const cannot = await leave("--keep", { kind: "cannot", problem: "alive", fix: "stop it" });
    const down = await leave("--keep", new RetryableError("FERRY-K001", "refused"));

    expect(left).toMatchObject({ code: 1, err: "left: prod/web: policy\n" });
    expect(cannot).toMatchObject({ code: 2, out: "", err: "error: alive\n  fix: stop it\n" });
    expect(down).toMatchObject({ code: 2, out: "" });
  });
});
