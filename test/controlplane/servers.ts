import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Binaries } from "./binaries.js";
import { runCommand } from "./run-command.js";
import { type SupervisedProcess, supervise } from "./supervised-process.js";

type Server = "etcd" | "kube-apiserver" | "kube-controller-manager";

/** For its start an API server needs a fifth less of the processor this way, and 120 MB more. */
const ENV: Readonly<Record<Server, Readonly<Record<string, string>>>> = {
  etcd: {},
  "kube-apiserver": { GOGC: "400" },
  "kube-controller-manager": {},
};

/**
 * The processes of one control plane, at most one of each kind, with a log file each in the data folder.
 * Knows nothing of flags or readiness.
 */
export class Servers {
  readonly #running = new Map<Server, SupervisedProcess>();
  #etcdData = 0;

  constructor(
    private readonly binaries: Binaries,
    private readonly dataDir: string,
  ) {}

  start(server: Server, flags: readonly string[]): void {
    if (this.#running.get(server)?.running === true) throw new Error(`${server} runs already`);
    const programs = {
      etcd: this.binaries.etcd,
      "kube-apiserver": this.binaries.apiServer,
      "kube-controller-manager": this.binaries.controllerManager,
    };
    const options = { logPath: this.#logPath(server), scratch: this.dataDir, env: ENV[server] };
    this.#running.set(server, supervise(programs[server], flags, options));
  }

  /** @param graceMs 0 kills at once */
  async stop(server: Server, graceMs: number): Promise<void> {
    await this.#running.get(server)?.stop(graceMs);
    this.#running.delete(server);
  }

  async killAll(): Promise<void> {
    const servers = [...this.#running.keys()];
    await Promise.all(servers.map(async (server) => this.stop(server, 0)));
  }

  signal(server: Server, signal: NodeJS.Signals): void {
    this.#running.get(server)?.signal(signal);
  }

  /** @throws Error with the end of its log when a server that was started has ended */
  checkAlive(): void {
    for (const [server, { running }] of this.#running) {
      if (!running) throw new Error(`${server} ended:\n${this.#log(server, 15)}`);
    }
  }

  /** Whether one of them ended because another process was faster to take its port. */
  lostItsPort(): boolean {
    return [...this.#running].some(
      ([server, { running }]) =>
        !running && this.#log(server, 40).includes("address already in use"),
    );
  }

  /** etcd's data folder; another one after each restore. */
  get etcdDataDir(): string {
    return join(this.dataDir, `etcd-${this.#etcdData}`);
  }

  async snapshotEtcd(url: string, path: string): Promise<void> {
    const etcdctl = needed(this.binaries.etcdctl, "etcdctl", this.binaries.origin);
    await runCommand(etcdctl, ["--endpoints", url, "snapshot", "save", path]);
  }

  /** etcd must not run; `etcdDataDir` is a new folder with the snapshot's content afterwards. */
  async restoreEtcd(path: string): Promise<void> {
    const etcdutl = needed(this.binaries.etcdutl, "etcdutl", this.binaries.origin);
    this.#etcdData++;
    await runCommand(etcdutl, ["snapshot", "restore", path, "--data-dir", this.etcdDataDir]);
  }

  #logPath(server: Server): string {
    return join(this.dataDir, `${server}.log`);
  }

  #log(server: Server, lines: number): string {
    try {
      return readFileSync(this.#logPath(server), "utf8")
        .trimEnd()
        .split("\n")
        .slice(-lines)
        .join("\n");
    } catch {
      return "(no log)"; // only ever part of another error's message
    }
  }
}

function needed(program: string | undefined, name: string, origin: string): string {
  if (program !== undefined) return program;
  throw new Error(`snapshots need ${name}, which the control plane from ${origin} does not have`);
}
