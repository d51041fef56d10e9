import { readFileSync } from "node:fs";
import { request } from "undici";
import { supervise, type SupervisedProcess } from "../controlplane/supervised-process.js";
import { waitFor } from "../harness/wait-for.js";

/** Names in work are in no queue: nothing to do is what stays so for longer than one pass takes. */
const CALM_MS = 400;

/** The first copy of the large world is 30,000 writes. */
const PATIENCE_MS = 900_000;

/** svc-ferry as users run it: the bundle, its log in a file, so that reading it costs the benchmark nothing. */
export class Replica {
  #port: number | undefined;

  private constructor(
    private readonly process: SupervisedProcess,
    private readonly logPath: string,
    /** performance.now at the start. */
    readonly startedMs: number,
  ) {}

  /** @param script the bundle */
  static start(script: string, args: readonly string[], logPath: string): Replica {
    const startedMs = performance.now();
    const command = [script, "run", "--http-port", "0", "--bind-address", "127.0.0.1", ...args];
    return new Replica(supervise(process.execPath, command, { logPath }), logPath, startedMs);
  }

  /** Resolves when /ready says so, with the ms since the start. */
  async ready(): Promise<number> {
    await this.#when("/ready", () => true, { what: "svc-ferry to be ready", everyMs: 5 });
    return performance.now() - this.startedMs;
  }

  /**
   * Resolves when it leads, has swept so often and has had nothing to do for a while, with the ms from the start to the
   * beginning of that while.
   */
  async idle(sweeps = 1): Promise<number> {
    let calmSinceMs = 0;
    let passes = -1;
    const isIdle = (text: string): boolean => {
      const before = passes;
      // Events are written after everything else.
      passes = sum(text, "svc_ferry_reconcile_total") + sum(text, "svc_ferry_events_total");
      const isCalm =
        passes === before &&
        sum(text, "svc_ferry_leader") === 1 &&
        sum(text, "svc_ferry_sweeps_total") >= sweeps &&
        sum(text, "svc_ferry_queue_depth") === 0;
      if (!isCalm) calmSinceMs = performance.now();
      return performance.now() - calmSinceMs >= CALM_MS;
    };
    await this.#when("/metrics", isIdle, { what: "svc-ferry to have nothing to do", everyMs: 100 });
    return calmSinceMs - this.startedMs;
  }

  /** Of /mutate and /validate; resolves when it has its first certificate. */
  async webhookPort(): Promise<number> {
    const line = await waitFor(
      () => /webhook listening.*?port=(\d+)/.exec(readFileSync(this.logPath, "utf8")) ?? undefined,
      { what: "the webhook to listen" },
    );
    return Number(line[1]);
  }

  /** Resolves when API servers accept what it shows. */
  async webhookReady(): Promise<void> {
    await this.#when("/ready/webhook", () => true, {
      what: "the webhook to be ready",
      everyMs: 20,
    });
  }

  /** Sum of a metric over all its labels. */
  async metric(name: string): Promise<number> {
    return sum(await this.#get("/metrics"), name);
  }

  /** Of the process, from /proc: MiB of memory that it really occupies. */
  rssMiB(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024;
  }

  get pid(): number {
    return this.process.pid;
  }

  kill(): void {
    this.process.signal("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.process.stop(10_000);
  }

  async #when(
    path: string,
    holds: (text: string) => boolean,
    options: { readonly what: string; readonly everyMs: number },
  ): Promise<void> {
    const look = async (): Promise<true | undefined> =>
      holds(await this.#get(path)) ? true : undefined;
    await waitFor(look, { ...options, timeoutMs: PATIENCE_MS });
  }

  async #get(path: string): Promise<string> {
    const { statusCode, body } = await request(`http://127.0.0.1:${this.#adminPort()}${path}`);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`);
    return text;
  }

  #adminPort(): number {
    if (this.#port === undefined) {
      const line = /admin server listening.*port=(\d+)/.exec(readFileSync(this.logPath, "utf8"));
      if (line === null) throw new Error("svc-ferry does not listen yet");
      this.#port = Number(line[1]);
    }
    return this.#port;
  }
}

/** Seconds of CPU time that a process has used, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name, which may hold spaces: utime and stime are the fields 14 and 15. Source: proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function sum(metrics: string, name: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
