import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import "reflect-metadata";
import { kubeApiContract } from "../../contract/kube-api-contract.js";
import { openCluster } from "../../../src/kube/open-cluster.js";
import { SystemClock } from "../../../src/runtime/system-clock.js";
import { SystemRandom } from "../../../src/runtime/system-random.js";
const log: any = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
kubeApiContract("real", async () => {
  const api = await openCluster(
    {
      access: { kind: "kubeconfig", path: "/tmp/simfacts/kc.yaml", context: "real" },
      maxConnections: 8,
    },
    { clock: new SystemClock(), random: new SystemRandom(), log, env: {} },
  );
  const namespace = `contract-${new SystemRandom().id().slice(0, 6)}`;
  await api.create(
    NAMESPACES,
    { metadata: { name: namespace } },
    { signal: new AbortController().signal },
  );
  return { api, namespace, cleanup: () => api.close() };
});
