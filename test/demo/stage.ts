import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { runCommand } from "../controlplane/run-command.js";
import { type AdmissionDoor, openDoor } from "../harness/admission-door.js";
import { Cluster } from "../harness/cluster.js";
import { webhookConfigurations } from "../harness/webhook-configurations.js";
import { type Replica, type Replicas, SHORT_LEASE } from "./replicas.js";
import { NAMESPACE, Scene } from "./scene.js";
import { screen } from "./screen.js";

/** Everything that the demo plays with. */
export interface Stage {
  readonly source: Scene;
  readonly destination: Scene;
  readonly replicas: Replicas;
  /** Through which the source's API server asks the replicas. */
  readonly door: AdmissionDoor;
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

/** Two control planes and three replicas of svc-ferry between them. */
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
  await furnish(source);
  const kubectl = { path: source.kubectlPath, kubeconfig, cacheDir: join(folder, "kubectl-cache") };
  const scenes = await Promise.all(
    [source, destination].map(async (one) => Scene.open(one, kubectl)),
  );
  const [sourceScene, destinationScene] = scenes;
  if (sourceScene === undefined || destinationScene === undefined)
    throw new Error("two scenes are missing");
  cleanup.add(async () => void (await Promise.all(scenes.map(async (scene) => scene.close()))));
  const door = await openDoor(sourceScene.cluster, NAMESPACE);
  cleanup.add(async () => door.close());
  await askReplicas(sourceScene.cluster, door);
  await startReplicas(cleanup, replicas, kubeconfig);
  await door.lead(...replicas.alive.map(({ webhookPort }) => webhookPort));
  screen.note("the source's API server asks them about every Service with that label");
  return {
    source: sourceScene,
    destination: destinationScene,
    replicas,
    door,
    kubeconfig,
    kubectlPath: kubectl.path,
    etcds: { source: source.etcd, destination: destination.etcd },
    cleanup,
  };
}

/** `svc-ferry status`, asked of the leader, as a person would; shows the answer. */
export async function typeStatus(leader: Replica): Promise<void> {
  // It ends with 1 when something is not in sync, which is part of what is shown.
  await typeFerry(["status", "--all", "--status-url", `http://127.0.0.1:${leader.port}/status`], 1);
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

/** What an installation finds: the Lease's namespace, the users' namespace, a Node for their Pods. */
async function furnish(source: ControlPlane): Promise<void> {
  const cluster = new Cluster(source);
  try {
    const lease = { apiVersion: "v1", kind: "Namespace", metadata: { name: "k8s-sync" } };
    await Promise.all([
      cluster.apply(lease),
      cluster.createNamespace(NAMESPACE),
      cluster.createNode(),
    ]);
  } finally {
    await cluster.close();
  }
}

/** As the manifests do it; svc-ferry fills in the caBundle. */
async function askReplicas(source: Cluster, door: AdmissionDoor): Promise<void> {
  const options = { name: "svc-ferry", failurePolicy: "Ignore" as const, asked: [door] };
  for (const object of webhookConfigurations(options)) await source.apply(object);
}

async function startReplicas(
  cleanup: Cleanup,
  replicas: Replicas,
  kubeconfig: string,
): Promise<void> {
  const shown = [
    "--src-context=source",
    "--dst-context=destination",
    `--src-ns=${NAMESPACE}`,
    `--dst-ns=${NAMESPACE}`,
    "--webhook=on",
    ...SHORT_LEASE,
  ];
  screen.typed(`svc-ferry run ${shown.join(" ")}   # three times`);
  cleanup.add(async () => replicas.stop());
  const leader = await replicas.start(
    ["ferry-1", "ferry-2", "ferry-3"],
    [`--kubeconfig=${kubeconfig}`, "--webhook-port=0", "--hand-off-port=0", ...shown],
  );
  screen.note(
    `all three are ready, ${leader.name} leads (leases are a fifth of their default here)`,
  );
}
