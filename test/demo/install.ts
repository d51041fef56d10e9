import { runCommand } from "../controlplane/run-command.js";
import { SHORT_LEASE } from "./replicas.js";
import type { Scene } from "./scene.js";
import { screen } from "./screen.js";

export interface Clusters {
  readonly source: Scene;
  readonly destination: Scene;
  /** Of the person who installs. */
  readonly kubeconfig: string;
  /** Of svc-ferry. */
  readonly script: string;
}

/** What docs/install.md says, with the shipped roles and no others; the pods come up when the last command is done. */
export async function install({
  source,
  destination,
  kubeconfig,
  script,
}: Clusters): Promise<void> {
  const ours = ["apply", "--server-side", "-k"];
  await destination.typeCounted(...ours, "manifests/destination");
  await source.typeCounted(...ours, "manifests/source");
  screen.typed(
    "svc-ferry kubeconfig --context destination -o secret | kubectl --context source apply -f -",
  );
  const own = ["--kubeconfig", kubeconfig, "--context", "destination", "-o", "secret"];
  const secret = await runCommand(process.execPath, [script, "kubeconfig", ...own]);
  screen.shown(await source.ask(["apply", "-f", "-"], secret));
}

/** Who stands in for the machines of a cluster, and in what the replicas differ from pods. */
export function explainPods(): void {
  const lease = Object.entries(SHORT_LEASE).map(([name, value]) => `${name}=${value}`);
  screen.note("there are no machines here: each Pod of the Deployment runs as a process, with the");
  screen.note("arguments, variables, mounts and ServiceAccount of the manifests, on free ports of");
  screen.note(`loopback, and with ${lease.join(" ")}`);
}
