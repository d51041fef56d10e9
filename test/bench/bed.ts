import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { selfSigned } from "../controlplane/self-signed.js";
import { supervise, type SupervisedProcess } from "../controlplane/supervised-process.js";
import { Api } from "./api.js";
import { AuditLog } from "./audit-log.js";
import type { BareKind, BareWebhooksConfig } from "./bare-webhooks.js";
import type { RawWriterConfig } from "./raw-writer.js";
import { Replica } from "./replica.js";

/** Connections of svc-ferry's default, and therefore of the raw writer. */
const CONNECTIONS = 16;
/** Of the benchmark itself: enough to keep both cores' API servers busy. */
const OWN_CONNECTIONS = 32;
const LEASE_NAMESPACE = "k8s-sync";
/** What the raw writer looks for. */
export const RAW_LABEL = { "raw-sync": "true" };
/** What svc-ferry looks for. */
export const FERRY_LABEL = { sync: "true" };

/** Two control planes, and what runs between them. */
export class Bed {
  #runs = 0;

  private constructor(
    readonly source: Api,
    readonly destination: Api,
    readonly audit: AuditLog,
    private readonly controlPlanes: readonly [ControlPlane, ControlPlane],
    private readonly folder: string,
  ) {}

  static async start(): Promise<Bed> {
    const controlPlanes = await Promise.all([
      startControlPlane({ name: "source" }),
      startControlPlane({ name: "destination", auditPolicy: true }),
    ]);
    const [from, to] = controlPlanes;
    const folder = mkdtempSync(join(tmpdir(), "svc-ferry-bench-"));
    const source = new Api(from, OWN_CONNECTIONS);
    const destination = new Api(to, OWN_CONNECTIONS);
    const audit = new AuditLog(to.auditLogPath ?? "");
    // A copy: a build during the run would measure two versions.
    copyFileSync(
      join(import.meta.dirname, "../../dist/svc-ferry.js"),
      join(folder, "svc-ferry.js"),
    );
    await bundleBareMinima(folder);
    const bed = new Bed(source, destination, audit, controlPlanes, folder);
    await bed.#createNamespace(source, LEASE_NAMESPACE);
    return bed;
  }

  /** `https://127.0.0.1:PORT`. */
  get destinationUrl(): string {
    return this.controlPlanes[1].server;
  }

  async stop(): Promise<void> {
    await Promise.all([this.source.close(), this.destination.close()]);
    await Promise.all(this.controlPlanes.map(async (controlPlane) => controlPlane.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A namespace of this name in both clusters. */
  async namespace(name: string): Promise<string> {
    await Promise.all(
      [this.source, this.destination].map((api) => this.#createNamespace(api, name)),
    );
    return name;
  }

  /**
   * A replica of svc-ferry for one namespace, with a Lease and a link of its own.
   * @param through another way to the destination
   */
  ferry(namespace: string, args: readonly string[] = [], through?: string): Replica {
    const [source, destination] = this.controlPlanes;
    this.#runs += 1;
    const kubeconfig = join(this.folder, `${this.#runs}.yaml`);
    writeKubeconfig(kubeconfig, [
      { context: "source", controlPlane: source },
      { context: "destination", controlPlane: destination, ...(through && { server: through }) },
    ]);
    const scope = [
      "--src-ns",
      namespace,
      "--dst-ns",
      namespace,
      "--leader-election-name",
      namespace,
    ];
    const contexts = ["--src-context", "source", "--dst-context", "destination"];
    const pod = ["--pod-name", `replica-${this.#runs}`];
    return Replica.start(
      join(this.folder, "svc-ferry.js"),
      ["--kubeconfig", kubeconfig, ...contexts, ...scope, ...pod, ...args],
      join(this.folder, `${this.#runs}.log`),
    );
  }

  /** The bare minimum for one namespace; resolves when it watches. */
  async rawWriter(namespace: string): Promise<SupervisedProcess> {
    const [source, destination] = this.controlPlanes.map(({ server, ca, token }) => ({
      server,
      ca,
      token,
    }));
    if (source === undefined || destination === undefined) throw new TypeError("no control planes");
    const [[key, value]] = Object.entries(RAW_LABEL) as [[string, string]];
    const config: RawWriterConfig = {
      source,
      destination,
      namespace,
      labelSelector: `${key}=${value}`,
      connections: CONNECTIONS,
    };
    const path = join(this.folder, `raw-${namespace}.json`);
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const raw = supervise(process.execPath, [join(this.folder, "raw-writer.js"), path]);
    await Promise.race([
      firstOutput(raw),
      raw.exited.then(() => Promise.reject(new Error("the raw writer ended"))),
    ]);
    return raw;
  }

  /** Two bare webhooks for one namespace; resolves when they listen. */
  async bareWebhooks(
    kind: BareKind,
    namespace: string,
  ): Promise<{ port: number; ca: string; pid: number; stop(): Promise<void> }> {
    const { cert, key } = selfSigned("bare-webhooks");
    const [{ server, ca, token }] = this.controlPlanes;
    const config: BareWebhooksConfig = {
      kind,
      cert,
      key,
      namespace,
      source: { server, ca, token },
    };
    const path = join(this.folder, `bare-webhooks-${kind}.json`);
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const webhooks = supervise(process.execPath, [join(this.folder, "bare-webhooks.js"), path]);
    const port = Number(await firstOutput(webhooks));
    const caBundle = Buffer.from(cert).toString("base64");
    return { port, ca: caBundle, pid: webhooks.pid, stop: async () => webhooks.stop(0) };
  }

  async #createNamespace(api: Api, name: string): Promise<void> {
    await api.send("POST", "/api/v1/namespaces", { metadata: { name } });
  }
}

/** Built as svc-ferry is (build.config.ts), so that neither loads faster than the other. */
async function bundleBareMinima(folder: string): Promise<void> {
  await build({
    entryPoints: {
      "raw-writer": join(import.meta.dirname, "raw-writer.ts"),
      "bare-webhooks": join(import.meta.dirname, "bare-webhooks.ts"),
    },
    outdir: folder,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22.19",
    minifySyntax: true,
    minifyWhitespace: true,
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
}

async function firstOutput({ child }: SupervisedProcess): Promise<string> {
  child.stderr?.pipe(process.stderr);
  return new Promise((resolve) => child.stdout?.once("data", (data) => resolve(String(data))));
}
