import { describe, expect, it } from "vitest";
import { runProgram } from "../../../../src/cli/program.js";
import type { Config } from "../../../../src/config/config.js";
import { SETTINGS } from "../../../../src/config/settings.js";
import { NO_COMMANDS } from "../../../fixtures/no-commands.js";

async function cli(line: string, { env = {}, runExit = 0, file = "" } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const configs: Config[] = [];
  const code = await runProgram(
    {
      version: "1.2.3",
      terminal: {
        stdout: (text) => void out.push(text),
        stderr: (text) => void err.push(text),
        env: { HOSTNAME: "pod-1", ...env },
        readFile: () => file,
      },
      commands: {
        ...NO_COMMANDS,
        run: async ({ config }) => {
          configs.push(config);
          return runExit;
        },
      },
      ask: async () => ({ kind: "unreachable", reason: "not in this test" }),
    },
    line.split(" ").filter((word) => word !== ""),
  );
  return { code, out: out.join(""), err: err.join(""), configs };
}

describe("svc-ferry run", () => {
  it("runs with the configuration and exits with what the run resolves to", async () => {
    const { code, configs, err } = await cli("run --src-ns shop", { runExit: 7 });

    expect(code).toBe(7);
    expect(configs.map(({ routes }) => routes[0]?.namespaces)).toEqual([["shop"]]);
    expect(err).toBe("");
  });

  it("takes k8s-svc-sync's command line as it is: one dash, no command", async () => {
    const { configs } = await cli(
      "-kubeconfig=/k -src-context a -dst-context=b -src-ns c -dst-ns d -sync-label x=y " +
        "-leader-election-namespace e -leader-election-name f -pod-name=g",
    );

    expect(configs[0]).toMatchObject({
      podName: "g",
      source: { access: { path: "/k", context: "a" } },
      destinations: [{ access: { path: "/k", context: "b" } }],
      routes: [{ namespaces: ["c"], target: { namespace: "d" }, selector: { text: "x=y" } }],
      lease: { namespace: "e", name: "f" },
    });
  });

  it("takes a bare switch for on, also before another flag", async () => {
    const { configs } = await cli("run -in-cluster -allow-mass-delete --create-namespace=off");

    expect(configs[0]).toMatchObject({
      source: { access: { kind: "in-cluster" } },
      allowMassDelete: true,
      routes: [{ createNamespace: false }],
    });
  });

  it("prints every wrong setting on a line of its own and exits with 2 without running", async () => {
    const { code, err, configs } = await cli("run --http-port x --config f.yaml", {
      env: { SVC_FERRY_PAGE: "some" },
      file: "logFormt: json",
    });

    expect(code).toBe(2);
    expect(configs).toEqual([]);
    expect(err.split("\n").map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      'error: --http-port: "x"',
      'error: SVC_FERRY_PAGE: "some"',
      "error: f.yaml:1 logFormt:",
      "",
    ]);
  });

  it("refuses an unknown flag with what was probably meant, however many dashes", async () => {
    expect(await cli("run --src-contxt a")).toMatchObject({
      code: 2,
      err: "error: unknown option '--src-contxt'; did you mean --src-context?\n",
    });
    expect(await cli("-src-contxt=a")).toMatchObject({
      code: 2,
      err: expect.stringContaining("did you mean --src-context?"),
    });
  });

  it("says in its help where to begin", async () => {
    const { out, code } = await cli("--help");

    expect(code).toBe(0);
    expect(out).toMatch(/^Begin:\n {2}svc-ferry doctor --pre .*\n {2}svc-ferry explain NS\/NAME /m);
  });

  it("shows each flag with its default and its variable in the help", async () => {
    const { out, code } = await cli("run --help");
    const help = out.replaceAll(/\s+/g, " ");

    const missing = Object.values(SETTINGS)
      .map(({ name }) => name)
      .filter((name) => !help.includes(` --${name} `));

    expect(code).toBe(0);
    expect(missing).toEqual([]);
    expect(help).toContain(
      "context of the source (default: local-cluster; env: SVC_FERRY_SRC_CONTEXT)",
    );
    expect(help).toContain("(default: $HOSTNAME; env: SVC_FERRY_POD_NAME)");
  });
});

describe("svc-ferry", () => {
  it.each(["--version", "run --version", "status --version", "-version"])(
    "prints its version with %s",
    async (line) => {
      expect(await cli(line)).toMatchObject({ code: 0, out: "1.2.3\n", configs: [] });
    },
  );

  it("does not suggest the very flag that belongs to another command", async () => {
    expect(await cli("status --http-port 1")).toMatchObject({
      code: 2,
      err: "error: unknown option '--http-port'; see --help\n",
    });
  });

  it("refuses an unknown command with what was probably meant", async () => {
    expect(await cli("stauts")).toMatchObject({
      code: 2,
      err: "error: unknown command 'stauts'; did you mean status?\n",
      configs: [],
    });
  });

  it("refuses arguments that no command takes", async () => {
    expect(await cli("run everything")).toMatchObject({ code: 2, configs: [] });
  });
});

describe("kubectl ferry", () => {
  async function plugin(...args: readonly string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runProgram(
      {
        version: "1.2.3",
        isPlugin: true,
        terminal: {
          stdout: (text) => void out.push(text),
          stderr: (text) => void err.push(text),
          env: { HOSTNAME: "pod-1" },
          readFile: () => "",
        },
        commands: NO_COMMANDS,
      },
      args,
    );
    return { code, out: out.join(""), err: err.join("") };
  }

  it("calls itself as kubectl's users type it", async () => {
    expect((await plugin("explain", "--help")).out).toContain("Usage: kubectl ferry explain ");
  });

  it("starts no daemon when nothing is said", async () => {
    const { code, out, err } = await plugin();

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: kubectl ferry ");
  });
});
