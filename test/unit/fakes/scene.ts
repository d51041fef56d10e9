import type { KubeApi, KubeObject, WatchEvent } from "../../../src/ports/kube-api.js";
import { NAMESPACES } from "../../../src/ports/kube-resources.js";
import type { Network } from "../../fakes/network.js";
import { CONFIG_MAPS } from "../../fakes/resources.js";
import { type SimulatedProcess, SimulatedWorld } from "../../fakes/simulated-world.js";

/** Never aborts. */
export const { signal } = new AbortController();

/** One process before one cluster that has the namespace "shop". */
export interface Scene {
  readonly world: SimulatedWorld;
  readonly process: SimulatedProcess;
  readonly network: Network;
  readonly api: KubeApi;
}

export function setUp(seed = 1): Scene {
  const world = new SimulatedWorld(seed);
  world.source.create(NAMESPACES, { metadata: { name: "shop" } });
  const process = world.process("replica-0");
  const network = process.network(world.source);
  return { world, process, network, api: process.client(world.source, "source") };
}

export function configMap(name: string): KubeObject {
  return { metadata: { namespace: "shop", name } };
}

/** What a watch delivered, and how it failed. */
export interface Watched {
  readonly events: WatchEvent[];
  error: unknown;
}

/** Opens a watch of all ConfigMaps that lasts an hour. */
export function watching(scene: Scene, resourceVersion: string, stallMs = 90_000): Watched {
  const watched: Watched = { events: [], error: undefined };
  const options = { resourceVersion, timeoutSeconds: 3600, stallMs };
  const record = (event: WatchEvent): void => {
    watched.events.push(event);
  };
  scene.api.watch(CONFIG_MAPS, options, record, signal).catch((error: unknown) => {
    watched.error = error;
  });
  return watched;
}
