import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type ProcessExit,
  supervise,
  type SupervisedProcess,
} from "../controlplane/supervised-process.js";

/** What is started and with what. */
export interface FerryOptions {
  /** After the script's path: `["run", "-src-context", "a", …]`. */
  readonly args: readonly string[];
  /** Default `dist/svc-ferry.js` of this checkout. */
  readonly script?: string;
  /** Before the script's path: options of node itself, a hook that shifts its clock. */
  readonly nodeArgs?: readonly string[];
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** One line that the process printed. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** How a program ended by itself, and what it printed. */
export interface EndedProcess {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/**
 * A svc-ferry (or any node program) as a child process that does not outlive the test, with its output by line.
 */
export class FerryProcess {
  readonly #lines: OutputLine[] = [];
  readonly #listeners = new Set<() => void>();

  /** Made by startFerry. */
  constructor(private readonly process: SupervisedProcess) {
    this.#collect("stdout");
    this.#collect("stderr");
    // the last lines come after the exit itself, hence `close`
    process.child.once("close", () => this.#tell());
  }

  /** All lines so far, in the order of their arrival. */
  get lines(): readonly OutputLine[] {
    return this.#lines;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Settles when it ended, in whatever way. */
  get exit(): Promise<ProcessExit> {
    return this.process.exited;
  }

  /** Resolves when it ended by itself, with all that it printed. */
  async ended(): Promise<EndedProcess> {
    const { code } = await this.exit;
    const text = (stream: OutputLine["stream"]): string =>
      this.#lines
        .filter((line) => line.stream === stream)
        .map((line) => `${line.text}\n`)
        .join("");
    return { code, out: text("stdout"), err: text("stderr") };
  }

  /**
   * The first line that matches, among those printed already too; `from` skips so many lines, `lines.length` all of
   * them so far.
   * @throws Error with the last lines when the process ends or `timeoutMs` (default 15 s) pass before
   */
  async waitForLine(
    pattern: RegExp,
    { timeoutMs = 15_000, from = 0 }: { readonly timeoutMs?: number; readonly from?: number } = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      let next = from;
      const settle = (result: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        result();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${why} without a line like ${pattern}:\n${this.#tail()}`)));
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      const look = (): void => {
        for (; next < this.#lines.length; next++) {
          const text = this.#lines[next]?.text ?? "";
          if (pattern.test(text)) return settle(() => resolve(text));
        }
        if (this.#closed) fail("svc-ferry ended");
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** The admin port, from its line `admin server listening` (both log formats); start it with `--http-port 0`. */
  async adminPort(timeoutMs?: number): Promise<number> {
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const line = await this.waitForLine(/admin server listening/, options);
    const port = /"port":(\d+)|\bport=(\d+)/.exec(line);
    if (port === null) throw new Error(`no port in: ${line}`);
    return Number(port[1] ?? port[2]);
  }

  /** SIGSTOP and SIGCONT too: a process that was frozen for longer than its Lease. */
  signal(signal: NodeJS.Signals): void {
    this.process.signal(signal);
  }

  /** SIGTERM, then SIGKILL after `graceMs` (default 5 s); says how it ended. */
  async stop(graceMs = 5_000): Promise<ProcessExit> {
    await this.process.stop(graceMs);
    return this.process.exited;
  }

  get #closed(): boolean {
    const { stdout, stderr } = this.process.child;
    return !this.process.running && stdout?.closed !== false && stderr?.closed !== false;
  }

  #collect(stream: "stdout" | "stderr"): void {
    const input = this.process.child[stream];
    if (input === null) return;
    createInterface({ input }).on("line", (text) => {
      this.#lines.push({ stream, text });
      this.#tell();
    });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #tail(): string {
    return this.#lines
      .slice(-20)
      .map(({ stream, text }) => `${stream}: ${text}`)
      .join("\n");
  }
}

/** Starts `node [nodeArgs] script args`, with the node that runs this. */
export function startFerry(options: FerryOptions): FerryProcess {
  const script = options.script ?? join(import.meta.dirname, "../../dist/svc-ferry.js");
  const args = [...(options.nodeArgs ?? []), script, ...options.args];
  const env = options.env === undefined ? {} : { env: options.env };
  return new FerryProcess(supervise(process.execPath, args, env));
}
