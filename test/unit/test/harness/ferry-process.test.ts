import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FerryProcess, startFerry } from "../../../harness/ferry-process.js";

let folder = "";
let ferry: FerryProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-process-"));
});
afterEach(async () => {
  await ferry?.stop(0);
  rmSync(folder, { recursive: true });
});

describe("startFerry", () => {
  it("collects lines of both streams and passes arguments and environment", async () => {
    ferry = start(
      'console.log(process.argv[2]); console.error(process.env.COLOUR); process.stdout.write("end")',
      { args: ["run"], env: { COLOUR: "green" } },
    );

    await ferry.waitForLine(/^end$/);
    await ferry.waitForLine(/^green$/);

    expect(ferry.lines).toContainEqual({ stream: "stdout", text: "run" });
    expect(ferry.lines).toContainEqual({ stream: "stderr", text: "green" });
    await expect(ferry.exit).resolves.toEqual({ code: 0, signal: undefined });
  });

  it("finds the admin port in the JSON log", async () => {
    ferry = start('console.log(JSON.stringify({ port: 4711, msg: "admin server listening" }))');

    await expect(ferry.adminPort()).resolves.toBe(4711);
  });

  it("finds the admin port in the human log", async () => {
    ferry = start('console.log("INFO  admin server listening  port=4712")');

    await expect(ferry.adminPort()).resolves.toBe(4712);
  });

  it("skips lines that were there before", async () => {
    ferry = start(
      'console.log("tick 1"); process.on("SIGUSR2", () => console.log("tick 2")); setInterval(() => {}, 1e6); console.log("up")',
    );
    await ferry.waitForLine(/^up$/);

    ferry.signal("SIGUSR2");

    await expect(ferry.waitForLine(/tick/, { from: ferry.lines.length })).resolves.toBe("tick 2");
  });

  it("says what was printed when the process ends without the line", async () => {
    ferry = start('console.error("wrong flag"); process.exitCode = 2');

    await expect(ferry.waitForLine(/listening/)).rejects.toThrow(
      "svc-ferry ended without a line like /listening/:\nstderr: wrong flag",
    );
  });

  it("says what was printed when the time is up", async () => {
    ferry = start('console.log("up"); setInterval(() => {}, 1e6)');
    await ferry.waitForLine(/up/);

    await expect(ferry.waitForLine(/listening/, { timeoutMs: 5 })).rejects.toThrow(
      "5 ms passed without a line like /listening/:\nstdout: up",
    );
  });

  it("says how the process ended after a stop", async () => {
    ferry = start(
      'process.on("SIGTERM", () => process.exit(3)); console.log("up"); setInterval(() => {}, 1e6)',
    );
    await ferry.waitForLine(/up/);

    await expect(ferry.stop()).resolves.toEqual({ code: 3, signal: undefined });
  });
});

function start(
  text: string,
  options: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {},
): FerryProcess {
  const script = join(folder, "ferry.mjs");
  writeFileSync(script, text);
  return startFerry({ args: [], ...options, script });
}
