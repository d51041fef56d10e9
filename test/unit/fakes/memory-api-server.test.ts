import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import { kubeApiContract } from "../../contract/kube-api-contract.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";
import { TimePump } from "../../fakes/time-pump.js";

kubeApiContract("MemoryApiServer", async () => {
  const world = new SimulatedWorld(1);
  const pump = new TimePump(world.clock);
  pump.start();
  const namespace = "contract";
  world.source.create(NAMESPACES, { metadata: { name: namespace } });
  return Promise.resolve({
    api: world.process("contract").client(world.source, "memory"),
    minor: 36,
    namespace,
    compact: async () => {
      world.source.compact();
      return Promise.resolve();
    },
    cleanup: () => pump.stop(),
  });
});
