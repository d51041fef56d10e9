import { describe, expect, it } from "vitest";
import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";
import { SimulatedFerry } from "../../harness/simulated-ferry.js";

/** Both Leases are given up on in that time, and nothing else may be waited for. */
const STOP_MS = 4_000;

async function leading(): Promise<{
  readonly world: SimulatedWorld;
  readonly ferry: SimulatedFerry;
}> {
  const world = new SimulatedWorld(1);
  for (const name of ["shop", "k8s-sync"]) world.source.create(NAMESPACES, { metadata: { name } });
  world.destination.create(NAMESPACES, { metadata: { name: "apps" } });
  const ferry = new SimulatedFerry(world, world.process("ferry"), "pod", undefined);
  await world.run({ forMs: 20_000 });
  return { world, ferry };
}

/**
 * Connections break, and so many ms after the next one to the source nobody answers any more. @returns the exit code a while after
 * it was told to stop, and what it still waits for
 */
async function stoppedAfter(silentAfterMs: number) {
  const { world, ferry } = await leading();
  const source = ferry.network(world.source);
  const before = source.connections;
  for (const network of ferry.networks) network.disconnect();
  await world.run({ until: () => source.connections > before, limitMs: 5_000 });
  await world.run({ forMs: silentAfterMs });
  for (const network of ferry.networks) network.silent();
  ferry.stop();
  await world.run({ forMs: STOP_MS });
  return { silentAfterMs, exitCode: ferry.exitCode, sleeping: ferry.sleeping };
}

describe("a process that is to stop while no cluster answers", () => {
  it("waits for the Leases alone, not for an answer to who the source is over a new connection", async () => {
    const steps = Array.from({ length: 16 }, (_, at) => at / 2);

    const ends = [];
    for (const silentAfterMs of steps) ends.push(await stoppedAfter(silentAfterMs));

    expect(ends).toEqual(
      steps.map((silentAfterMs) => ({ silentAfterMs, exitCode: 0, sleeping: 0 })),
    );
  });
});
