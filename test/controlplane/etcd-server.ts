import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Binaries, locateBinaries } from "./binaries.js";
import { environment } from "./environment.js";
import { type EtcdTls, makeEtcdTls } from "./etcd-tls.js";
import { freePort } from "./free-port.js";
import { untilEtcdHealthy } from "./readiness.js";
import { runCommand } from "./run-command.js";
import { type SupervisedProcess, supervise } from "./supervised-process.js";

/** How one etcd server differs from the default. */
export interface EtcdServerOptions {
  /** Default "etcd"; part of the data folder's name. */
  readonly name?: string;
  /** Default false: plain text. With it a CA of its own, and clients must show a certificate of that CA. */
  readonly tls?: boolean;
  /** Default: etcd's own, 2 GiB. A few MiB bring the NOSPACE alarm within a second. */
  readonly quotaBackendBytes?: number;
  /** Added last, so that they win. */
  readonly extraArgs?: readonly string[];
  /** Default false. A member that only learns answers no linearizable read, not even when it is asked for its health. */
  readonly isLearner?: boolean;
}

/** A running etcd server, mostly the only member of its cluster. The endpoint stays the same until `stop`. */
export interface EtcdServer {
  readonly name: string;
  /** `http://127.0.0.1:PORT`, with TLS `https://…`. */
  readonly endpoint: string;
  readonly port: number;
  /** Holds everything, the log included; removed by `stop`. */
  readonly dataDir: string;
  /** Set when TLS was asked for. */
  readonly tls: EtcdTls | undefined;
  /** The operating system's id of the running process, to look at its memory. */
  readonly pid: number;
  /** Kills the process and removes the data folder. A second call does nothing. */
  stop(): Promise<void>;
  /** SIGKILL; the data stays. */
  crash(): Promise<void>;
  /** After `crash`: on the same port and data; resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open, new ones are accepted by the kernel, nothing answers. */
  pause(): void;
  resume(): void;
  /** Saves the state to a new file. */
  snapshot(path: string): Promise<void>;
  /** Puts a snapshot in the data's place and restarts: revisions go backwards, the cluster's id stays. */
  restore(path: string): Promise<void>;
  /** What a person would type, with endpoint, certificates and user filled in; returns stdout. @throws Error with stderr */
  etcdctl(args: readonly string[], input?: string): Promise<string>;
  /** Makes the user `root` with this password and turns authentication on; `etcdctl` calls as root from then on. */
  enableAuth(rootPassword: string): Promise<void>;
}

/** How often a start is tried when other processes take its ports between the choice and the use. */
const PORT_ATTEMPTS = 5;

/**
 * Starts one etcd on free ports of loopback; resolves when it answers (about 0.3 s, some 30 MB). It does not outlive this
 * process, however that ends.
 * @throws Error with the end of its log when it does not come up; nothing is left behind then
 */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const binaries = { ...(await locateBinaries()), ...OTHER_ETCD };
  for (let attempt = 1; ; attempt++) {
    const ports = { client: await freePort(), health: await freePort() };
    const server = new LocalEtcd(binaries, options, ports);
    try {
      await server.start();
      return server;
    } catch (error) {
      const tryAgain = server.lostItsPort() && attempt < PORT_ATTEMPTS;
      await server.stop();
      if (!tryAgain) throw error;
    }
  }
}

class LocalEtcd implements EtcdServer {
  readonly name: string;
  readonly port: number;
  readonly endpoint: string;
  readonly dataDir: string;
  readonly tls: EtcdTls | undefined;
  #process: SupervisedProcess | undefined;
  #restores = 0;
  #rootPassword: string | undefined;

  constructor(
    private readonly binaries: Binaries,
    private readonly options: EtcdServerOptions,
    private readonly ports: { readonly client: number; readonly health: number },
  ) {
    this.name = options.name ?? "etcd";
    this.port = ports.client;
    this.dataDir = mkdtempSync(join(tmpdir(), `svc-ferry-${this.name}-`));
    this.tls = options.tls === true ? makeEtcdTls(join(this.dataDir, "tls")) : undefined;
    const scheme = this.tls === undefined ? "http" : "https";
    this.endpoint = `${scheme}://127.0.0.1:${ports.client}`;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  async start(): Promise<void> {
    if (this.#process?.running === true) throw new Error(`${this.name} runs already`);
    mkdirSync(this.#data, { recursive: true });
    this.#process = supervise(this.binaries.etcd, this.#flags(), {
      logPath: this.#logPath,
      scratch: this.dataDir,
      env: { GOGC: "50" }, // half the garbage for a little more work: several servers share one machine
    });
    const health = `http://127.0.0.1:${this.ports.health}`;
    const isLearner = this.options.isLearner === true;
    await untilEtcdHealthy(health, () => this.#checkAlive(), { isLearner });
  }

  async stop(): Promise<void> {
    await this.crash();
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }

  async crash(): Promise<void> {
    await this.#process?.stop(0);
    this.#process = undefined;
  }

  pause(): void {
    this.#process?.signal("SIGSTOP");
  }

  resume(): void {
    this.#process?.signal("SIGCONT");
  }

  async snapshot(path: string): Promise<void> {
    await this.etcdctl(["snapshot", "save", path]);
  }

  async restore(path: string): Promise<void> {
    await this.crash();
    this.#restores++;
    await runCommand(needed(this.binaries.etcdutl, "etcdutl"), [
      ...["snapshot", "restore", path, "--data-dir", this.#data],
      ...["--name", this.name, "--initial-cluster", `${this.name}=${PEER_URL}`],
      ...["--initial-advertise-peer-urls", PEER_URL],
    ]);
    await this.start();
  }

  async etcdctl(args: readonly string[], input?: string): Promise<string> {
    const { tls } = this;
    const credentials =
      tls === undefined ? [] : ["--cacert", tls.ca, "--cert", tls.cert, "--key", tls.key];
    const user = this.#rootPassword === undefined ? [] : ["--user", `root:${this.#rootPassword}`];
    const options = input === undefined ? {} : { input };
    const here = ["--endpoints", this.endpoint, ...credentials, ...user];
    return runCommand(needed(this.binaries.etcdctl, "etcdctl"), [...here, ...args], options);
  }

  async enableAuth(rootPassword: string): Promise<void> {
    await this.etcdctl(["user", "add", `root:${rootPassword}`]);
    await this.etcdctl(["user", "grant-role", "root", "root"]);
    await this.etcdctl(["auth", "enable"]);
    this.#rootPassword = rootPassword;
  }

  /** Whether it ended because another process was faster to take a port. */
  lostItsPort(): boolean {
    return this.#process?.running === false && this.#log().includes("address already in use");
  }

  #flags(): readonly string[] {
    const { tls, options, endpoint } = this;
    return [
      `--name=${this.name}`,
      `--data-dir=${this.#data}`,
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      // Health without certificates and users, also where clients need both.
      `--listen-metrics-urls=http://127.0.0.1:${this.ports.health}`,
      "--listen-peer-urls=http://127.0.0.1:0", // a single member has no peers; any free port will do
      `--initial-advertise-peer-urls=${PEER_URL}`,
      `--initial-cluster=${this.name}=${PEER_URL}`,
      // The cluster's id is made of these: without the token all servers of the test bed would be one cluster.
      `--initial-cluster-token=${this.dataDir}`,
      // Of 3.5 and newer.
      ...(this.binaries.etcd === OTHER ? [] : ["--unsafe-no-fsync"]),
      "--logger=zap",
      "--log-level=warn",
      ...(tls === undefined
        ? []
        : [
            `--cert-file=${tls.serverCert}`,
            `--key-file=${tls.serverKey}`,
            `--trusted-ca-file=${tls.ca}`,
            "--client-cert-auth",
          ]),
      ...(options.quotaBackendBytes === undefined
        ? []
        : [`--quota-backend-bytes=${options.quotaBackendBytes}`]),
      ...(options.extraArgs ?? []),
    ];
  }

  /** Another folder after each restore. */
  get #data(): string {
    return join(this.dataDir, `data-${this.#restores}`);
  }

  get #logPath(): string {
    return join(this.dataDir, "etcd.log");
  }

  #checkAlive(): void {
    if (this.#process?.running !== true) {
      throw new Error(`etcd ended:\n${this.#log().split("\n").slice(-15).join("\n")}`);
    }
  }

  #log(): string {
    try {
      return readFileSync(this.#logPath, "utf8").trimEnd();
    } catch {
      return "(no log)"; // only ever part of another error's message
    }
  }
}

/** Another server than the control plane's, with its own etcdctl: see test/matrix/etcd. */
const OTHER = environment()["SVC_FERRY_TEST_ETCD"];
const OTHER_ETCD = OTHER === undefined ? {} : { etcd: OTHER };

/** Never connected to: there is one member. */
const PEER_URL = "http://127.0.0.1:2380";

function needed(program: string | undefined, name: string): string {
  if (program !== undefined) return program;
  throw new Error(`${name} is not among the programs of the test bed that were found`);
}
