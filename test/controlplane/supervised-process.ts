import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { environment } from "./environment.js";

/**
 * A child process that cannot outlive this one, not even when this one is SIGKILLed.
 *
 * How: the child is started by a shell that first forks a watchdog and then *becomes* the child (exec, so the pid and its
 * signals are the child's). The watchdog reads a pipe of which only this process holds the other end:
 * 1. this process ends in whatever way -> the pipe closes -> the watchdog kills the child (and clears its folder);
 * 2. the child ends first -> one line goes down the pipe -> the watchdog ends without a kill, so that it can never hit
 *    a stranger who got the pid later.
 * Both live in a session of their own: Ctrl-C reaches this process only, which then stops them in order.
 */
export interface SupervisedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Settles when it ended, in whatever way; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** False from the moment its end was seen. */
  readonly running: boolean;
  /** No effect when it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`; 0 goes straight to SIGKILL. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

/** One of the two is set, as in node's `exit` event. */
export interface ProcessExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface SuperviseOptions {
  /** Where its stdout and stderr go; undefined: they are pipes on `child`. */
  readonly logPath?: string;
  /** A folder that the watchdog removes, with all in it, when this process died without stopping the child. */
  readonly scratch?: string;
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/**
 * `$0` is the folder to clear ("-" for none), "$@" the command. The second's wait before the folder goes lets the
 * watchdogs of its other users kill them first.
 */
const WATCHDOG = `
( IFS= read -r _ <&3 || { kill -9 $$; [ "$0" = - ] || { sleep 0.3; rm -rf -- "$0"; }; } ) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** Starts `command` under a watchdog. A command that does not exist ends with code 127, as in a shell. */
export function supervise(
  command: string,
  args: readonly string[],
  options: SuperviseOptions = {},
): SupervisedProcess {
  const log = options.logPath === undefined ? "pipe" : openSync(options.logPath, "a");
  const child = spawn("/bin/sh", ["-c", WATCHDOG, options.scratch ?? "-", command, ...args], {
    cwd: options.cwd,
    env: { ...environment(), ...options.env },
    stdio: ["ignore", log, log, "pipe"],
    detached: true,
  });
  if (typeof log === "number") closeSync(log);
  return new WatchedChild(child);
}

class WatchedChild implements SupervisedProcess {
  readonly exited: Promise<ProcessExit>;
  #running = true;

  constructor(readonly child: ChildProcess) {
    const leash = child.stdio[3];
    leash?.on("error", () => {}); // the watchdog may be gone already: then there is nobody to tell
    this.exited = new Promise((resolve) => {
      const ended = (exit: ProcessExit): void => {
        this.#running = false;
        if (leash !== null && leash !== undefined && "end" in leash) leash.end("ended\n");
        resolve(exit);
      };
      child.once("exit", (code, signal) =>
        ended({ code: code ?? undefined, signal: signal ?? undefined }),
      );
      child.once("error", () => ended({ code: 127, signal: undefined }));
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get running(): boolean {
    return this.#running;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#running) this.child.kill(signal);
  }

  async stop(graceMs: number): Promise<void> {
    if (graceMs > 0) {
      this.signal("SIGTERM");
      this.signal("SIGCONT"); // a paused process takes no SIGTERM
      const giveUp = new AbortController();
      const patience = sleep(graceMs, undefined, { signal: giveUp.signal }).catch(() => {});
      await Promise.race([this.exited, patience]);
      giveUp.abort();
    }
    this.signal("SIGKILL");
    await this.exited;
  }
}
