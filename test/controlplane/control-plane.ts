import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { locateBinaries } from "./binaries.js";
import { type Credentials, makeCredentials } from "./credentials.js";
import { freePort } from "./free-port.js";
import { type ClusterConnection, writeKubeconfig } from "./kubeconfig.js";
import { untilEtcdHealthy, untilFound } from "./readiness.js";
import { runCommand } from "./run-command.js";
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type Files,
  filesIn,
  type IpFamily,
  serviceCidr,
} from "./server-flags.js";
import { Servers } from "./servers.js";

/** How one control plane differs from the default. */
export interface ControlPlaneOptions {
  /** Default "cluster"; also the context's name and part of the data folder's. */
  readonly name?: string;
  /** Default by family: 10.96.0.0/16 and fd00:96::/112. Two ranges with a comma for dual stack. */
  readonly serviceCidr?: string;
  /** Default "ipv4"; "dual" prefers IPv4. */
  readonly ipFamily?: IpFamily;
  /** Default true. Without it there are no endpoint slices, no default ServiceAccounts and no end of namespaces. */
  readonly controllerManager?: boolean;
  /** Log every write (metadata and what was sent) to `auditLogPath`, one JSON object a line. Default false. */
  readonly auditPolicy?: boolean;
  readonly extraApiServerArgs?: readonly string[];
  /** Added last, so that they win. */
  readonly extraControllerManagerArgs?: readonly string[];
}

/** A running control plane. Addresses and credentials stay the same until `stop`. */
export interface ControlPlane extends ClusterConnection {
  /** Set when `auditPolicy` was asked for; the file exists once the first write was answered. */
  readonly auditLogPath: string | undefined;
  /** Holds everything, the servers' logs included; removed by `stop`. */
  readonly dataDir: string;
  /** The API server's certificate and key as PEM, for proxies that end TLS in its stead. */
  readonly serving: Credentials["serving"];
  /** The part that is plain data, to hand to another process. */
  connection(): ClusterConnection;
  /** What a person would type; returns stdout. @throws Error with stderr */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Kills all processes and removes the data folder. A second call does nothing. */
  stop(): Promise<void>;
  /** "orderly" (default): SIGTERM, SIGKILL after 3 s. "crash": SIGKILL. The other servers go on. */
  stopApiServer(how?: "orderly" | "crash"): Promise<void>;
  /** On the same port and the same etcd; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** SIGSTOP: connections stay open, new ones are accepted by the kernel, nothing answers. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** Saves etcd's state to a new file. */
  snapshotEtcd(path: string): Promise<void>;
  /** Puts a snapshot in etcd's place, all servers restarted as a disaster recovery does: revisions go backwards. */
  restoreEtcd(path: string): Promise<void>;
}

/** How often a start is tried when other processes take its ports between the choice and the use. */
const PORT_ATTEMPTS = 5;

/** An API server with open watches takes up to 20 s to end by itself. */
const API_SERVER_GRACE_MS = 3_000;

/**
 * Starts etcd, kube-apiserver and kube-controller-manager on free ports of loopback; resolves when Pods can be created
 * (about 3 s). None of them outlives this process, however it ends.
 * @throws Error with the end of the log of what did not come up; nothing is left behind then
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await locateBinaries();
  for (let attempt = 1; ; attempt++) {
    const name = options.name ?? "cluster";
    const dataDir = mkdtempSync(join(tmpdir(), `svc-ferry-controlplane-${name}-`));
    const servers = new Servers(binaries, dataDir);
    const ports = { apiServer: await freePort(), etcd: await freePort() };
    const controlPlane = new LocalControlPlane(servers, dataDir, ports, options, binaries.kubectl);
    try {
      await controlPlane.begin();
      return controlPlane;
    } catch (error) {
      const tryAgain = servers.lostItsPort() && attempt < PORT_ATTEMPTS;
      await controlPlane.stop();
      if (!tryAgain) throw error;
    }
  }
}

class LocalControlPlane implements ControlPlane {
  readonly name: string;
  readonly context: string;
  readonly server: string;
  readonly etcd: string;
  readonly ca: string;
  readonly token: string;
  readonly serving: Credentials["serving"];
  readonly kubeconfigPath: string;
  readonly auditLogPath: string | undefined;
  readonly #files: Files;
  readonly #credentials: Credentials;
  readonly #checkAlive = (): void => this.servers.checkAlive();

  constructor(
    private readonly servers: Servers,
    readonly dataDir: string,
    private readonly ports: { readonly apiServer: number; readonly etcd: number },
    private readonly options: ControlPlaneOptions,
    readonly kubectlPath: string,
  ) {
    this.name = options.name ?? "cluster";
    this.context = this.name;
    this.server = `https://127.0.0.1:${ports.apiServer}`;
    this.etcd = `http://127.0.0.1:${ports.etcd}`;
    this.#files = filesIn(dataDir);
    this.#credentials = makeCredentials(this.#files, this.name);
    this.serving = this.#credentials.serving;
    this.ca = this.serving.cert;
    this.token = this.#credentials.adminToken;
    this.kubeconfigPath = this.#files.kubeconfig;
    this.auditLogPath = options.auditPolicy === true ? this.#files.auditLog : undefined;
  }

  async begin(): Promise<void> {
    const { context } = this;
    writeKubeconfig(this.kubeconfigPath, [{ context, controlPlane: this }]);
    writeKubeconfig(this.#files.controllerManagerKubeconfig, [
      { context, controlPlane: this, token: this.#credentials.controllerManagerToken },
    ]);
    await this.#startEtcd();
    await this.#startControllers();
  }

  connection(): ClusterConnection {
    const { name, context, server, ca, token, kubeconfigPath, etcd, kubectlPath } = this;
    return { name, context, server, ca, token, kubeconfigPath, etcd, kubectlPath };
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const cache = join(this.dataDir, "kubectl-cache");
    const here = [`--kubeconfig=${this.kubeconfigPath}`, `--cache-dir=${cache}`];
    const options = input === undefined ? {} : { input };
    return runCommand(this.kubectlPath, [...here, ...args], options);
  }

  async stop(): Promise<void> {
    await this.servers.killAll();
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }

  async stopApiServer(how: "orderly" | "crash" = "orderly"): Promise<void> {
    await this.servers.stop("kube-apiserver", how === "crash" ? 0 : API_SERVER_GRACE_MS);
  }

  async startApiServer(): Promise<void> {
    this.servers.start("kube-apiserver", [
      ...apiServerFlags({
        port: this.ports.apiServer,
        etcd: this.etcd,
        files: this.#files,
        ipFamily: this.options.ipFamily ?? "ipv4",
        serviceCidr: this.options.serviceCidr ?? serviceCidr(this.options.ipFamily ?? "ipv4"),
        audit: this.options.auditPolicy === true,
      }),
      ...(this.options.extraApiServerArgs ?? []),
    ]);
    const made = [
      "/readyz",
      "/api/v1/namespaces/kube-system",
      "/api/v1/namespaces/default",
      "/api/v1/namespaces/default/services/kubernetes",
    ];
    await untilFound(this, made, this.#checkAlive);
  }

  pauseApiServer(): void {
    this.servers.signal("kube-apiserver", "SIGSTOP");
  }

  resumeApiServer(): void {
    this.servers.signal("kube-apiserver", "SIGCONT");
  }

  async snapshotEtcd(path: string): Promise<void> {
    await this.servers.snapshotEtcd(this.etcd, path);
  }

  async restoreEtcd(path: string): Promise<void> {
    await this.servers.killAll();
    await this.servers.restoreEtcd(path);
    await this.#startEtcd();
    await this.#startControllers();
  }

  async #startEtcd(): Promise<void> {
    this.servers.start("etcd", etcdFlags(this.servers.etcdDataDir, this.ports.etcd));
    await untilEtcdHealthy(this.etcd, this.#checkAlive);
  }

  /** The controller manager starts last: before the built-in roles exist it would only collect refusals. */
  async #startControllers(): Promise<void> {
    await this.startApiServer();
    if (this.options.controllerManager === false) return;
    this.servers.start("kube-controller-manager", [
      ...controllerManagerFlags(this.#files),
      ...(this.options.extraControllerManagerArgs ?? []),
    ]);
    const made = [
      "/api/v1/namespaces/default/serviceaccounts/default",
      "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
    ];
    await untilFound(this, made, this.#checkAlive);
  }
}
