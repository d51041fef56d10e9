import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { supervise } from "../../../controlplane/supervised-process.js";
import { processesNaming } from "../../../harness/processes.js";
import { waitFor } from "../../../harness/wait-for.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-supervised-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("supervise", () => {
  it("reports how the process ended and writes what it printed to the log", async () => {
    const logPath = join(folder, "log");
    const child = supervise("sh", ["-c", "echo out; echo err >&2; exit 3"], { logPath });

    await expect(child.exited).resolves.toEqual({ code: 3, signal: undefined });
    expect(child.running).toBe(false);
    expect(readFileSync(logPath, "utf8")).toBe("out\nerr\n");
  });

  it("ends with 127 when there is no such command", async () => {
    const child = supervise("/no/such/program", [], { logPath: join(folder, "log") });

    await expect(child.exited).resolves.toMatchObject({ code: 127 });
  });

  it("sends signals to the process itself", async () => {
    const child = supervise("sleep", [marker()]);

    child.signal("SIGUSR1");

    await expect(child.exited).resolves.toEqual({ code: undefined, signal: "SIGUSR1" });
  });

  it("kills what does not end on SIGTERM", async () => {
    const logPath = join(folder, "log");
    const stubborn = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';
    const child = supervise("sh", ["-c", stubborn], { logPath });
    await waitFor(() => readFileSync(logPath, "utf8").includes("ready"), { what: "the trap" });

    await child.stop(20);

    await expect(child.exited).resolves.toEqual({ code: undefined, signal: "SIGKILL" });
  });

  it("leaves no watchdog after a stop, and keeps the scratch folder", async () => {
    const seconds = marker();
    const child = supervise("sleep", [seconds], { scratch: folder });
    await waitFor(() => processesNaming(seconds).length === 2, { what: "process and watchdog" });

    await child.stop(0);

    await waitFor(() => processesNaming(seconds).length === 0, { what: "the watchdog's end" });
    expect(existsSync(folder)).toBe(true);
  });

  it("kills the process and clears the scratch folder when its parent was SIGKILLed", async () => {
    const seconds = marker();
    const module = join(import.meta.dirname, "../../../controlplane/supervised-process.ts");
    const text = `import(${JSON.stringify(module)}).then(({ supervise }) =>
      supervise("sleep", ["${seconds}"], { scratch: ${JSON.stringify(folder)} }))`;
    const parent = spawn(process.execPath, ["--import", "tsx", "--eval", text], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const children = (): readonly number[] =>
      processesNaming(seconds).filter((pid) => pid !== parent.pid);
    await waitFor(() => children().length === 2, { what: "process and watchdog" });

    parent.kill("SIGKILL");

    await waitFor(() => children().length === 0, { what: "the end of both" });
    await waitFor(() => !existsSync(folder), { what: "the folder's end" });
  });
});

/** A number of seconds to sleep that no other process on this machine names. */
function marker(): string {
  return `600.${process.pid}${Math.floor(Math.random() * 1e9)}`;
}
