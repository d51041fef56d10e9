import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse } from "yaml";
import type { Clock } from "../../src/ports/clock.js";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { textOf } from "../fixtures/source-text.js";
import { AccessLog } from "./access-log.js";
import { type AdmissionDoor, openDoor } from "./admission-door.js";
import { Cluster } from "./cluster.js";
import { FerryRun } from "./ferry-run.js";
import type { Manifest } from "./manifest.js";
import { NamespaceView } from "./namespace-view.js";
import { render, textOfObjects } from "./overlay.js";

/** Where manifests/source/ferry.yaml mirrors from and to. */
const MAPPED = { source: "default", destination: "prod-test" };

/** The accounts that the manifests make, as API servers call them. */
const ACCOUNTS = {
  source: "system:serviceaccount:k8s-sync:svc-ferry",
  destination: "system:serviceaccount:svc-ferry:svc-ferry",
};

/** The one that the Deployment mounts and manifests/source/ferry.yaml names. */
const KUBECONFIG_SECRET = { namespace: "k8s-sync", name: "svc-ferry-destination" };

/** Every request of these accounts, read or write, granted or not. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata", users: Object.values(ACCOUNTS) }, { level: "None" }],
};

/** How an installation differs from the manifests. */
export interface InstallOptions {
  /** false: without the policy that locks mirrors, for tests that edit them as strangers do. */
  readonly policy: boolean;
  /** Where its audit logs go in the end, as `source-….jsonl` and `destination-….jsonl`. */
  readonly keepLogsIn?: string;
}

/**
 * A pair of control planes with the manifests applied as a person does it, and svc-ferry between them with the rights and the
 * configuration of these manifests and no other. Nothing of it is shared: what is installed is of the whole cluster.
 */
export class InstalledBed {
  readonly from: Cluster;
  readonly to: Cluster;
  readonly src: NamespaceView;
  readonly dst: NamespaceView;
  /** What the accounts of svc-ferry asked of each cluster. */
  readonly access: { readonly source: AccessLog; readonly destination: AccessLog };
  readonly #runs: FerryRun[] = [];
  #door: AdmissionDoor | undefined;

  /** Made by installBed. */
  constructor(
    readonly source: ControlPlane,
    readonly destination: ControlPlane,
    private readonly folder: string,
    private readonly keepLogsIn?: string,
  ) {
    this.from = new Cluster(source.connection());
    this.to = new Cluster(destination.connection());
    this.src = new NamespaceView(this.from, MAPPED.source);
    this.dst = new NamespaceView(this.to, MAPPED.destination);
    this.access = {
      source: new AccessLog(auditLog(folder, "source")),
      destination: new AccessLog(auditLog(folder, "destination")),
    };
  }

  /** `kubectl apply -k` on both sides, with the reference to the webhook's Service turned into a loopback URL. */
  async install({ policy }: InstallOptions): Promise<void> {
    await this.to.createNamespace(MAPPED.destination);
    const destination = await render(this.destination, "manifests/destination");
    await apply(
      this.destination,
      destination.filter(({ kind }) => policy || !kind.startsWith("ValidatingAdmissionPolicy")),
    );
    this.#door = await openDoor(this.from, MAPPED.source);
    const { port } = this.#door;
    const source = await render(this.source, "manifests/source");
    await apply(this.source, source.map(calling(port)));
    const [token, destinationToken] = [await this.#podToken(), await this.#destinationToken()];
    writeKubeconfig(this.#kubeconfigPath, [
      { context: "source", controlPlane: this.source, token },
      { context: "destination", controlPlane: this.destination, token: destinationToken },
    ]);
    await this.from.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: KUBECONFIG_SECRET,
      data: { kubeconfig: Buffer.from(this.firstKubeconfig).toString("base64") },
    } as Manifest);
  }

  /** As it was made. */
  get firstKubeconfig(): string {
    return readFileSync(this.#kubeconfigPath, "utf8");
  }

  /** What replicas that start now read. */
  async storedKubeconfig(): Promise<string> {
    const { namespace, name } = KUBECONFIG_SECRET;
    const secret = await this.from.get("Secret", namespace, name);
    const data = secret?.["data"] as { readonly kubeconfig?: string } | undefined;
    return Buffer.from(data?.kubeconfig ?? "", "base64").toString();
  }

  /** A replica as the Deployment runs it; resolves when it leads and is idle, and API servers ask it. */
  async run(podName = "ferry", clock?: Clock): Promise<FerryRun> {
    const file = parse(textOf("manifests/source/ferry.yaml")) as Record<string, unknown>;
    const run = new FerryRun({
      podName,
      file,
      clock,
      flags: {
        // There is no pod whose ServiceAccount could be read: its token is in the kubeconfig.
        inCluster: "off",
        kubeconfig: this.#kubeconfigPath,
        webhookPort: "0",
        handOffPort: "0",
      },
    });
    this.#runs.push(run);
    try {
      await run.untilIdle();
      await this.#door?.route(run);
    } catch (cause) {
      const troubles = run.records.filter(({ level }) => level === "warn" || level === "error");
      const lines = troubles.map((record) => JSON.stringify(record)).join("\n");
      throw new Error(`${podName} cannot work:\n${lines}`, { cause });
    }
    return run;
  }

  /** An administrator's kubeconfig, with a context for each side. */
  administrator(): string {
    const path = join(this.folder, "administrator.yaml");
    const planes = [this.source, this.destination];
    writeKubeconfig(
      path,
      planes.map((controlPlane) => ({ context: controlPlane.context, controlPlane })),
    );
    return path;
  }

  async close(): Promise<void> {
    await Promise.all(this.#runs.map(async (run) => run.stop()));
    await this.#door?.close();
    await Promise.all([this.from.close(), this.to.close()]);
    await Promise.all([this.source.stop(), this.destination.stop()]);
    if (this.keepLogsIn !== undefined) {
      for (const side of ["source", "destination"]) {
        const kept = `${side}-${basename(this.folder)}.jsonl`;
        copyFileSync(auditLog(this.folder, side), join(this.keepLogsIn, kept));
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #kubeconfigPath(): string {
    return join(this.folder, "kubeconfig.yaml");
  }

  /** As the kubelet gives it to the pod. */
  async #podToken(): Promise<string> {
    return (await this.source.kubectl(["-n", "k8s-sync", "create", "token", "svc-ferry"])).trim();
  }

  /** As `svc-ferry kubeconfig` makes it, for the ten minutes that are the least. */
  async #destinationToken(): Promise<string> {
    const args = ["-n", "svc-ferry", "create", "token", "svc-ferry", "--duration=10m"];
    return (await this.destination.kubectl(args)).trim();
  }
}

/** Started, installed, nothing running yet. */
export async function installBed(options: InstallOptions): Promise<InstalledBed> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-installed-"));
  const policyPath = join(folder, "audit-policy.json");
  writeFileSync(policyPath, JSON.stringify(AUDIT_POLICY));
  const start = (name: string, serviceCidr: string): Promise<ControlPlane> =>
    startControlPlane({
      name,
      serviceCidr,
      extraApiServerArgs: [
        `--audit-policy-file=${policyPath}`,
        `--audit-log-path=${auditLog(folder, name)}`,
      ],
    });
  const [source, destination] = await Promise.all([
    start("source", "10.96.0.0/16"),
    start("destination", "10.97.0.0/16"),
  ]);
  const bed = new InstalledBed(source, destination, folder, options.keepLogsIn);
  try {
    await bed.install(options);
  } catch (error) {
    await bed.close();
    throw error;
  }
  return bed;
}

async function apply(controlPlane: ControlPlane, objects: readonly Manifest[]): Promise<void> {
  await controlPlane.kubectl(["apply", "-f", "-"], textOfObjects(objects));
}

/** API servers of the tests reach no Service: the same path on loopback. */
function calling(port: number): (object: Manifest) => Manifest {
  return (object) =>
    JSON.parse(JSON.stringify(object), (key, value: unknown) =>
      key === "clientConfig"
        ? { url: `https://127.0.0.1:${port}${(value as ServiceClient).service.path}` }
        : value,
    ) as Manifest;
}

interface ServiceClient {
  readonly service: { readonly path: string };
}

function auditLog(folder: string, name: string): string {
  return join(folder, `${name}-audit.jsonl`);
}
