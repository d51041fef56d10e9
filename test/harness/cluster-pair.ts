import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { Cluster } from "./cluster.js";
import { Kubelet } from "./kubelet.js";
import { NamespaceView } from "./namespace-view.js";
import { Shell } from "./shell.js";

/** Two clusters in which nothing is installed, the contexts SOURCE and DESTINATION, and a person before them. */
export class ClusterPair {
  readonly from: Cluster;
  readonly to: Cluster;
  /** Where manifests/source/ferry.yaml mirrors from and to. */
  readonly src: NamespaceView;
  readonly dst: NamespaceView;

  private constructor(
    readonly source: ControlPlane,
    readonly destination: ControlPlane,
    readonly kubelet: Kubelet,
    readonly shell: Shell,
    private readonly folder: string,
  ) {
    this.from = new Cluster(source.connection());
    this.to = new Cluster(destination.connection());
    this.src = new NamespaceView(this.from, "default");
    this.dst = new NamespaceView(this.to, "prod-test");
  }

  /** @param programs that the person needs beside kubectl and svc-ferry, by name */
  static async start(programs: Readonly<Record<string, string>> = {}): Promise<ClusterPair> {
    const folder = mkdtempSync(join(tmpdir(), "svc-ferry-pair-"));
    const [source, destination] = await Promise.all([
      startControlPlane({ name: "SOURCE", serviceCidr: "10.96.0.0/16" }),
      startControlPlane({ name: "DESTINATION", serviceCidr: "10.97.0.0/16" }),
    ]);
    const kubeconfigPath = join(folder, ".kube", "config");
    mkdirSync(join(folder, ".kube"));
    writeKubeconfig(
      kubeconfigPath,
      [source, destination].map((one) => ({ context: one.context, controlPlane: one })),
    );
    const own = { namespace: "k8s-sync", folder: join(folder, "pods") };
    const kubelet = await Kubelet.start(source.connection(), own);
    const all = { kubectl: source.kubectlPath, ...programs };
    const variables = {
      SVC_FERRY_SRC_CONTEXT: source.context,
      // As manifests/source/ferry.yaml calls it, and `svc-ferry kubeconfig` by itself.
      SVC_FERRY_DST_CONTEXT: "destination",
    };
    const shell = new Shell({ folder, kubeconfigPath, programs: all, variables });
    return new ClusterPair(source, destination, kubelet, shell, folder);
  }

  async close(): Promise<void> {
    await this.kubelet.close();
    await Promise.all([this.from.close(), this.to.close()]);
    await Promise.all([this.source.stop(), this.destination.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
