import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const execute = promisify(execFile);

describe("the package", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "svc-ferry-package-"));
    await cp("dist", join(folder, "dist"), { recursive: true });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("runs from dist alone, without any dependency beside it", async () => {
    const manifest = JSON.parse(await readFile("package.json", "utf8")) as {
      readonly version: string;
      readonly bin: Readonly<Record<string, string>>;
    };
    const command = join(folder, manifest.bin["svc-ferry"] ?? "");

    const version = await execute(process.execPath, [command, "--version"], { cwd: folder });
    const help = await execute(process.execPath, [command, "run", "--help"], { cwd: folder });

    expect(version.stdout).toBe(`${manifest.version}\n`);
    for (const flag of ["--src-context", "--dst-ns", "--leader-election-name", "--pod-name"]) {
      expect(help.stdout).toContain(flag);
    }
  });

  it("holds the mirror, which nothing but its own commands load", async () => {
    const command = join(folder, "dist", "svc-ferry.js");

    const help = await execute(process.execPath, [command, "mirror", "--help"], { cwd: folder });
    const flags = ["mirror", "plan", "--help"];
    const planHelp = await execute(process.execPath, [command, ...flags], { cwd: folder });
    await rename(join(folder, "dist", "mirror.js"), join(folder, "mirror.js"));
    const without = await execute(process.execPath, [command, "run", "--help"], { cwd: folder });

    expect(help.stdout).toContain("release-brake");
    expect(planHelp.stdout).toContain("--kube-prefix");
    expect(without.stdout).toContain("--src-context");
    await rename(join(folder, "mirror.js"), join(folder, "dist", "mirror.js"));
  });

  it("loads the mirror from dist alone, and ends with 2 where no etcd answers", async () => {
    const command = join(folder, "dist", "svc-ferry.js");
    const flags = ["--source-endpoints=http://127.0.0.1:1", "--dest-endpoints=http://127.0.0.1:2"];

    const failed = await execute(process.execPath, [command, "mirror", "plan", ...flags], {
      cwd: folder,
    }).then(
      () => undefined,
      (error: { readonly code: number; readonly stderr: string }) => error,
    );

    expect(failed?.code).toBe(2);
    expect(failed?.stderr).toContain("(unavailable)");
  });

  it("tells all configuration errors at once, each with setting, value and what is allowed", async () => {
    const command = join(folder, "dist", "svc-ferry.js");
    const flags = ["-src-ns", "No_Name", "--log-format=xml", "--http-port", "99999"];

    const failed = await execute(process.execPath, [command, "run", ...flags], {
      cwd: folder,
    }).then(
      () => undefined,
      (error: { readonly code: number; readonly stderr: string }) => error,
    );

    expect(failed?.code).toBe(2);
    const lines = failed?.stderr.trimEnd().split("\n") ?? [];
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => line.includes("No_Name"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("xml") && line.includes("json"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("99999"))).toHaveLength(1);
  });
});
