import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Cluster } from "./cluster.js";
import { type FerryProcess, startFerry } from "./ferry-process.js";
import { fieldOf, withOwnCluster, writeMounts } from "./pod-files.js";
import type { PodContainer, PodObject } from "./pod-object.js";

/** Where the image has its own and the manifests mount theirs. */
const IMAGE_NODE = "/nodejs/bin/node";
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The one container of a Pod as a process on loopback. */
export class Pod {
  #ended = false;

  private constructor(
    readonly object: PodObject,
    readonly process: FerryProcess,
    private readonly cluster: Cluster,
    private readonly root: string,
  ) {
    void process.exit.then(() => (this.#ended = true));
  }

  /**
   * @param folder holds its mounts, by the pod's name
   * @param env goes before everything else
   * @throws Error when something that it mounts is not there yet
   */
  static async start(
    cluster: Cluster,
    object: PodObject,
    { folder, env }: { readonly folder: string; readonly env: Variables },
  ): Promise<Pod> {
    const root = join(folder, object.metadata.name);
    await writeMounts(cluster, object, root);
    const [container] = object.spec.containers;
    if (container === undefined) throw new Error(`${object.metadata.name} has no container`);
    const own = { ...variables(object, container), ...different(cluster, container, root), ...env };
    return new Pod(object, startFerry({ ...commandOf(container), env: own }), cluster, root);
  }

  get name(): string {
    return this.object.metadata.name;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What listens there, by the line that says so; undefined: nothing yet. */
  port(of: "admin server" | "webhook"): number | undefined {
    const pattern = new RegExp(`${of} listening.*?port"?[=:](\\d+)`);
    const line = this.process.lines.find(({ text }) => pattern.test(text));
    return line && Number(pattern.exec(line.text)?.[1]);
  }

  /** Whether its readiness probe succeeds; without a probe: it runs. */
  async isReady(): Promise<boolean> {
    if (this.#ended) return false;
    const path = this.object.spec.containers[0]?.readinessProbe?.httpGet?.path;
    return path === undefined || (await this.get(path))?.status === 200;
  }

  /** Any path of its admin port; undefined: nobody listens. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string } | undefined> {
    const port = this.port("admin server");
    if (port === undefined || this.#ended) return undefined;
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined; // it ended meanwhile
    }
  }

  /** What has changed in ConfigMaps and Secrets comes into its mounts; the kubelet takes a minute for that. */
  async refresh(): Promise<void> {
    await writeMounts(this.cluster, this.object, this.root);
  }

  /** SIGTERM, and SIGKILL when its grace is over. */
  async terminate(): Promise<void> {
    await this.process.stop((this.object.spec.terminationGracePeriodSeconds ?? 30) * 1_000);
    rmSync(this.root, { recursive: true, force: true });
  }
}

type Variables = Readonly<Record<string, string>>;

function commandOf({ command, args = [] }: PodContainer): {
  readonly script?: string;
  readonly args: readonly string[];
} {
  if (command === undefined) return { args };
  const [program, script, ...more] = command;
  if (program !== IMAGE_NODE || script === undefined) throw new Error(`no ${program} here`);
  return { script, args: [...more, ...args] };
}

function variables(pod: PodObject, { env = [] }: PodContainer): Variables {
  const valueOf = ({ value, valueFrom }: (typeof env)[number]): string =>
    valueFrom === undefined ? (value ?? "") : fieldOf(pod, valueFrom.fieldRef.fieldPath);
  return {
    HOSTNAME: pod.metadata.name,
    ...Object.fromEntries(env.map((one) => [one.name, valueOf(one)])),
  };
}

/**
 * All in which such a process differs from the pod of the manifests: its mounts lie in a folder of their own and not at the
 * root, its ports are free ones of loopback, and the cluster that it is in is a context of its kubeconfig.
 */
function different(cluster: Cluster, { env = [] }: PodContainer, root: string): Variables {
  const loopback = {
    POD_IP: "127.0.0.1",
    SVC_FERRY_BIND_ADDRESS: "127.0.0.1",
    SVC_FERRY_HTTP_PORT: "0",
    SVC_FERRY_WEBHOOK_PORT: "0",
    SVC_FERRY_HAND_OFF_PORT: "0",
  };
  const config = env.find(({ name }) => name === "SVC_FERRY_CONFIG")?.value;
  if (config === undefined || !existsSync(join(root, config))) return loopback;
  const { kubeconfig = "", srcContext = "" } = parse(readFileSync(join(root, config), "utf8")) as {
    readonly kubeconfig?: string;
    readonly srcContext?: string;
  };
  const path = join(root, "kubeconfig");
  const { server } = cluster.connection;
  const own = { context: srcContext, server, folder: join(root, SERVICE_ACCOUNT) };
  writeFileSync(path, withOwnCluster(readFileSync(join(root, kubeconfig), "utf8"), own));
  return {
    ...loopback,
    SVC_FERRY_CONFIG: join(root, config),
    SVC_FERRY_IN_CLUSTER: "off",
    SVC_FERRY_KUBECONFIG: path,
  };
}
