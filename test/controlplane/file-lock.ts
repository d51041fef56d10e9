import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How the wait for a lock goes on; the defaults suit work of minutes. */
export interface LockOptions {
  /** How often a held lock is looked at again. */
  readonly everyMs?: number;
  /** Called once, when the lock turns out to be held by a live process. */
  readonly onWait?: (holderPid: number) => void;
}

/**
 * Runs `work` while no other process (nor another caller in this one) runs any under the same path.
 *
 * The lock is a file that names its holder: pid and start time, so that a new process with a dead holder's pid is not
 * taken for it. A dead holder's lock is taken over:
 * 1. the file is renamed to a name of our own (one of several rivals succeeds);
 * 2. if it is not what we had read, a rival was faster and this is its fresh lock: it is put back;
 * 3. in any case everybody tries again from the start.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const mine = `${process.pid} ${startTime(process.pid) ?? "?"} ${randomBytes(6).toString("hex")}\n`;
  let told = false;
  mkdirSync(dirname(path), { recursive: true });
  while (!tryCreate(path, mine)) {
    const holder = read(path);
    if (holder === undefined) continue;
    if (isAlive(holder)) {
      if (!told) options.onWait?.(pidOf(holder));
      told = true;
      await sleep(options.everyMs ?? 500);
    } else {
      removeStale(path, holder);
    }
  }
  try {
    return await work();
  } finally {
    if (read(path) === mine) unlinkSync(path);
  }
}

/** Creates the file with its content in one step (a link cannot replace), so that nobody ever reads half a lock. */
function tryCreate(path: string, content: string): boolean {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function removeStale(path: string, holder: string): void {
  const grave = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    renameSync(path, grave);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  try {
    if (read(grave) !== holder) linkSync(grave, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    unlinkSync(grave);
  }
}

function isAlive(holder: string): boolean {
  const now = startTime(pidOf(holder));
  return now !== undefined && now === (holder.split(" ")[1] ?? "?");
}

function pidOf(holder: string): number {
  return Number.parseInt(holder, 10);
}

/** When a process started, in the kernel's ticks; "?" where there is no /proc; undefined when it is not alive. */
function startTime(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH") || Number.isNaN(pid)) return undefined;
  }
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return "?";
  // the command's name stands in brackets and may hold anything; after it come state (field 3) ... start time (field 22)
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
