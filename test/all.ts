/**
 * All tests, as two runs of vitest beside each other. What waits, for servers and for time, leaves much of two cores idle; what only
 * computes is never late, so it takes what is left and no more. The last line is `N passed, N failed`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { supervise } from "./controlplane/supervised-process.js";
import { type Tally, TALLY_VARIABLE } from "./harness/closing-line.js";

const COMPUTING = ["unit", "simulation"];
const WAITING = ["fault", "integration", "browser", "rights"];

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-tests-"));
  const log = join(folder, "log");
  const tallies = { computing: join(folder, "computing"), waiting: join(folder, "waiting") };
  const computing = supervise("vitest", argsFor(COMPUTING), {
    logPath: log,
    scratch: folder,
    env: { [TALLY_VARIABLE]: tallies.computing },
  });
  giveWay(computing.pid);
  const waiting = spawn("vitest", argsFor(WAITING), {
    // A channel that nobody talks over: its end tells the run that this process is gone (end-with-parent.ts).
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [TALLY_VARIABLE]: tallies.waiting },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      waiting.kill(signal);
      // Its workers too: the whole session.
      if (computing.running) process.kill(-computing.pid, "SIGKILL");
    });
  }
  const told = computing.exited.then(({ code }) => {
    process.stdout.write(`\n${COMPUTING.join(" and ")} tests:\n${readFileSync(log, "utf8")}`);
    return code;
  });
  const codes = await Promise.all([told, codeOf(waiting)]);
  const { passed, failed } = sum(Object.values(tallies).map(read));
  rmSync(folder, { recursive: true });
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return codes.every((code) => code === 0) ? 0 : 1;
}

function argsFor(projects: readonly string[]): readonly string[] {
  return ["run", ...projects.flatMap((project) => ["--project", project])];
}

/**
 * From here on the process and all that it starts have only the time that others leave: of what runs in its session, and, where the
 * kernel shares time between sessions first (`sched_autogroup_enabled`), of what runs in others.
 */
function giveWay(pid: number): void {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
  } catch {
    // Not a Linux that does so: then there is nothing to say.
  }
}

async function codeOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code ?? undefined));
    child.once("error", () => resolve(undefined));
  });
}

/** A run that did not come to its end counts as one failure. */
function read(path: string): Tally {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Tally;
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function sum(tallies: readonly Tally[]): Tally {
  const total = (of: (tally: Tally) => number): number =>
    tallies.reduce((count, tally) => count + of(tally), 0);
  return { passed: total(({ passed }) => passed), failed: total(({ failed }) => failed) };
}

process.exitCode = await main();
