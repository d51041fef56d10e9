import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { runCommand } from "../controlplane/run-command.js";
import { Cluster } from "../harness/cluster.js";
import { Kubelet } from "../harness/kubelet.js";
import type { Pod } from "../harness/pod.js";
import { explainPods, install } from "./install.js";
import { type Replicas, SHORT_LEASE } from "./replicas.js";
import { Scene } from "./scene.js";
import { screen } from "./screen.js";

/** Everything that the demo plays with. */
export interface Stage {
  readonly source: Scene;
  readonly destination: Scene;
  readonly replicas: Replicas;
  /** Holds both contexts; "source" is current. */
  readonly kubeconfig: string;
  readonly kubectlPath: string;
  /** Of the clusters' etcds, `http://127.0.0.1:PORT`: what the mirror of other objects reads and writes. */
  readonly etcds: { readonly source: string; readonly destination: string };
  /** Whatever a step starts is stopped by it. */
  readonly cleanup: Cleanup;
}

const SCRIPT = join(import.meta.dirname, "../../dist/svc-ferry.js");

/** What was started so far, to be stopped in the opposite order whatever happens. */
export class Cleanup {
  readonly #tasks: (() => Promise<void> | void)[] = [];

  add(task: () => Promise<void> | void): void {
    this.#tasks.push(task);
  }

  /** One that fails does not keep the others from being done; a second call does nothing. */
  async run(): Promise<void> {
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task();
      } catch (error) {
        screen.say(`while stopping: ${String(error)}`);
      }
    }
  }
}

/** Where manifests/source/ferry.yaml mirrors from and to. */
const NAMESPACES = { source: "default", destination: "prod-test" };

/** As many as the Deployment has. */
const REPLICAS = 3;

/** Two control planes and svc-ferry, installed between them. */
export async function buildStage(cleanup: Cleanup, replicas: Replicas): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-demo-"));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const [source, destination] = await Promise.all([
    start(cleanup, "source", "10.96.0.0/16"),
    start(cleanup, "destination", "10.97.0.0/16"),
  ]);
  const kubeconfig = join(folder, "kubeconfig.yaml");
  writeKubeconfig(kubeconfig, [
    { context: source.context, controlPlane: source },
    { context: destination.context, controlPlane: destination },
  ]);
  await furnish(destination);
  const kubectl = { path: source.kubectlPath, kubeconfig, cacheDir: join(folder, "kubectl-cache") };
  const [sourceScene, destinationScene] = await Promise.all([
    Scene.open(source, NAMESPACES.source, kubectl),
    Scene.open(destination, NAMESPACES.destination, kubectl),
  ]);
  const scenes = [sourceScene, destinationScene];
  cleanup.add(async () => void (await Promise.all(scenes.map(async (scene) => scene.close()))));
  const kubelet = await Kubelet.start(source, {
    namespace: "k8s-sync",
    folder: join(folder, "pods"),
    env: SHORT_LEASE,
  });
  cleanup.add(async () => kubelet.close());
  await install({
    source: sourceScene,
    destination: destinationScene,
    kubeconfig,
    script: SCRIPT,
  });
  explainPods();
  const leader = await replicas.started(kubelet, REPLICAS);
  screen.note(`all three are ready, ${leader.name} leads`);
  screen.note("the source's API server asks them about every Service with the label");
  return {
    source: sourceScene,
    destination: destinationScene,
    replicas,
    kubeconfig,
    kubectlPath: kubectl.path,
    etcds: { source: source.etcd, destination: destination.etcd },
    cleanup,
  };
}

/** `svc-ferry status`, asked of the leader, as a person would; shows the answer. */
export async function typeStatus(leader: Pod): Promise<void> {
  // It ends with 1 when something is not in sync, which is part of what is shown.
  await typeFerry(["status", "--all", "--status-url", statusUrl(leader)], 1);
}

export function statusUrl(pod: Pod): string {
  return `http://127.0.0.1:${pod.port("admin server") ?? 0}/status`;
}

/** A command of svc-ferry that ends by itself, as a person would type it: shows it and its answer. @throws when it fails */
export async function typeFerry(args: readonly string[], mayEndWith = 0): Promise<string> {
  screen.typed(`svc-ferry ${args.join(" ")}`);
  const tolerant = ["-c", `"$@" || [ $? = ${mayEndWith} ]`, "-", process.execPath, SCRIPT, ...args];
  const answer = await runCommand("/bin/sh", tolerant);
  screen.shown(answer);
  return answer;
}

/** How a person in another terminal calls the svc-ferry that was built here. */
export function ferryCommand(): string {
  return [process.execPath, SCRIPT].map((path) => relative(process.cwd(), path)).join(" ");
}

async function start(cleanup: Cleanup, name: string, serviceCidr: string): Promise<ControlPlane> {
  const controlPlane = await startControlPlane({ name, serviceCidr });
  cleanup.add(async () => controlPlane.stop());
  return controlPlane;
}

/** What an installation finds: the namespace of the mirrors, which is the user's. */
async function furnish(destination: ControlPlane): Promise<void> {
  const cluster = new Cluster(destination);
  try {
    await cluster.createNamespace(NAMESPACES.destination);
  } finally {
    await cluster.close();
  }
}
