/** etcd goes back to what it was. Only in histories of their own: what the oracle knows of the past is void then. */
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { Snapshot } from "../fakes/memory-etcd.js";
import type { OperationKind, Scene } from "./operations.js";

const SNAPSHOTS = new WeakMap<MemoryApiServer, Snapshot>();

function server({ world }: Scene, a: number): MemoryApiServer {
  const all = [world.source, world.source, ...world.destinations];
  return all[a % all.length] ?? world.source;
}

function nameOf({ world }: Scene, chosen: MemoryApiServer): string {
  return chosen === world.source ? "source" : `destination-${world.destinations.indexOf(chosen)}`;
}

export const RESTORE_OPERATIONS: Readonly<Record<string, OperationKind>> = {
  "etcd snapshot": {
    weight: 12,
    act: (scene, a) => {
      const chosen = server(scene, a);
      SNAPSHOTS.set(chosen, chosen.snapshot());
      return nameOf(scene, chosen);
    },
  },
  "etcd restored": {
    weight: 12,
    act: (scene, a) => {
      const chosen = server(scene, a);
      const snapshot = SNAPSHOTS.get(chosen);
      if (snapshot === undefined) return "no snapshot";
      chosen.restore(snapshot);
      return nameOf(scene, chosen);
    },
  },
};
