import { inject } from "vitest";
import { openCluster } from "../../src/kube/open-cluster.js";
import { NAMESPACES } from "../../src/ports/kube-resources.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { kubeApiContract } from "../contract/kube-api-contract.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { Cluster } from "../harness/cluster.js";
import { minorRelease } from "../harness/minor-release.js";

kubeApiContract("src/kube on a real API server", async () => {
  const { kubeconfigPath, source } = inject("controlPlanes");
  const random = new SystemRandom();
  const api = await openCluster(
    {
      access: { kind: "kubeconfig", path: kubeconfigPath, context: source.context },
      maxConnections: 8,
    },
    { clock: new SystemClock(), random, log: SILENT_LOG, env: {} },
  );
  const namespace = `contract-${random.id()}`;
  const { signal } = new AbortController();
  await api.create(NAMESPACES, { metadata: { name: namespace } }, { signal });
  const cluster = new Cluster(source);
  const minor = await minorRelease(cluster);
  await cluster.close();
  return { api, minor, namespace, cleanup: () => api.close() };
});
