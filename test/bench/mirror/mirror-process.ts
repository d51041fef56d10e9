import { readFileSync } from "node:fs";
import { request } from "undici";
import { supervise, type SupervisedProcess } from "../../controlplane/supervised-process.js";
import { waitFor } from "../../harness/wait-for.js";

/** What the benchmark reads of `/status`. */
interface Status {
  readonly phase?: string;
}

/** `svc-ferry mirror run` as users run it: the bundle, its log in a file. */
export class MirrorProcess {
  #port: number | undefined;

  private constructor(
    private readonly process: SupervisedProcess,
    private readonly logPath: string,
  ) {}

  static start(script: string, args: readonly string[], logPath: string): MirrorProcess {
    const command = [script, "mirror", "run", "--bind-address", "127.0.0.1", "--bind-port", "0"];
    return new MirrorProcess(
      supervise(process.execPath, [...command, ...args], { logPath }),
      logPath,
    );
  }

  /** Resolves when the first copy is over and it follows the source. */
  async tails(timeoutMs = 300_000): Promise<void> {
    await waitFor(async () => (await this.status()).phase === "tail", {
      what: "the mirror to follow the source",
      timeoutMs,
      everyMs: 50,
    });
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.#get("/status")) as Status;
  }

  get pid(): number {
    return this.process.pid;
  }

  rssMiB(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    await this.process.stop(10_000);
  }

  async #get(path: string): Promise<string> {
    const { body } = await request(`http://127.0.0.1:${this.#adminPort()}${path}`);
    return body.text();
  }

  #adminPort(): number {
    if (this.#port === undefined) {
      const line = /listening.*port=(\d+)/.exec(readFileSync(this.logPath, "utf8"));
      if (line === null) throw new Error("the mirror does not listen yet");
      this.#port = Number(line[1]);
    }
    return this.#port;
  }
}
