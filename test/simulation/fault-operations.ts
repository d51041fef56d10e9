/** What befalls processes, connections and servers. */
import { SERVICES } from "../../src/ports/kube-resources.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import type { Fate, Faults, Network, Verb } from "../fakes/network.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import type { SimulatedFerry } from "../harness/simulated-ferry.js";
import type { Operation, OperationKind, Scene } from "./operations.js";

const NOTHING = "nothing there";

/** Rates for some time. Latencies stay below the Lease's margin of 1 s: a write that is under way for longer may land late. */
const WEATHER: readonly (readonly [string, Partial<Faults>])[] = [
  ["lost requests", { loseRequest: 0.3 }],
  ["lost answers", { loseResponse: 0.3 }],
  ["slow", { latencyMs: [50, 400], watchLatencyMs: [50, 1_500], queueMs: [0, 50] }],
  ["too many requests", { tooManyRequests: 0.4, retryAfterMs: 1_000 }],
  ["server errors", { serverError: 0.3, doneAndServerError: 0.2 }],
  ["cut watches", { cutWatch: 0.3 }],
  ["empty lists", { emptyList: 0.5, cutWatch: 0.2 }],
  [
    "everything",
    {
      loseRequest: 0.05,
      loseResponse: 0.1,
      tooManyRequests: 0.05,
      serverError: 0.1,
      doneAndServerError: 0.1,
      cutWatch: 0.1,
      emptyList: 0.1,
      latencyMs: [1, 100],
      watchLatencyMs: [1, 500],
      retryAfterMs: 200,
    },
  ],
];

const ORDERS: readonly (readonly [Verb, Fate, string | undefined])[] = [
  ["create", "lose-response", "services"],
  ["create", "lose-response", "endpointslices"],
  ["create", "done-and-server-error", "services"],
  ["create", "done-and-server-error", "endpoints"],
  ["patch", "lose-response", undefined],
  ["patch", "lose-request", undefined],
  ["delete", "lose-response", undefined],
  ["delete", "server-error", undefined],
  ["list", "empty-list", undefined],
  ["get", "server-error", undefined],
  ["replace", "lose-response", "leases"],
  ["watch", "server-error", undefined],
];

const LISTED = ["services", "endpointslices", "endpoints", "services"] as const;

function clusters({ source, destinations }: SimulatedWorld): readonly MemoryApiServer[] {
  return [source, ...destinations];
}

function withServer({ world }: Scene, a: number, act: (server: MemoryApiServer) => void): string {
  const all = clusters(world);
  const index = a % all.length;
  const server = all[index];
  if (server === undefined) return NOTHING;
  act(server);
  return index === 0 ? "source" : `destination-${index - 1}`;
}

function withFerry(
  { fleet }: Scene,
  a: number,
  act: (ferry: SimulatedFerry) => string | undefined,
): string {
  // Half of the time the leader: what befalls a follower rarely matters.
  const { alive, leader } = fleet;
  const ferry = a % 2 === 0 ? leader : alive[Math.floor(a / 2) % Math.max(1, alive.length)];
  if (ferry === undefined) return NOTHING;
  const said = act(ferry);
  return said === undefined ? ferry.process.name : `${ferry.process.name} ${said}`;
}

/** One replica's way to one cluster, or all its ways. */
function withNetworks(
  scene: Scene,
  a: number,
  b: number,
  act: (network: Network, server: MemoryApiServer) => void,
): string {
  return withFerry(scene, a, (ferry) => {
    const all = clusters(scene.world);
    const index = b % (all.length + 1);
    const chosen = all[index];
    for (const server of chosen === undefined ? all : [chosen]) act(ferry.network(server), server);
    if (chosen === undefined) return "to all clusters";
    return index === 0 ? "to the source" : `to destination-${index - 1}`;
  });
}

/** How long a replica is frozen: shorter and longer than the Lease. */
const FREEZES_MS = [300, 1_200, 2_500, 4_000, 9_000] as const;

export const FAULT_OPERATIONS: Readonly<Record<string, OperationKind>> = {
  "replica killed": {
    weight: 3,
    act: (scene, a) =>
      withFerry(scene, a, (ferry) => {
        ferry.kill();
        return undefined;
      }),
  },
  "replica frozen": {
    weight: 3,
    act: (scene, a, b) =>
      withFerry(scene, a, (ferry) => {
        const ms = FREEZES_MS[b % FREEZES_MS.length] ?? 0;
        ferry.process.clock.freeze();
        scene.world.clock.schedule(ms, () => {
          ferry.process.clock.thaw();
        });
        return `for ${ms} ms`;
      }),
  },
  "leader frozen while another works": {
    weight: 3,
    act: (scene, a) => {
      const { world, fleet } = scene;
      if (fleet.alive.length < 2) fleet.start(a % 3);
      for (const [index, afterMs] of [3_700, 4_300, 4_900].entries()) {
        world.clock.schedule(afterMs, () => {
          for (const { metadata } of world.source.list(SERVICES, { namespace: "shop" }).items) {
            const labels = { app: `changed-${index}` };
            world.source.patch(SERVICES, metadata, { metadata: { labels } });
          }
        });
      }
      return withFerry(scene, 0, (ferry) => {
        ferry.process.clock.freeze();
        world.clock.schedule(5_500, () => {
          ferry.process.clock.thaw();
        });
        return "for 5.5 s";
      });
    },
  },
  "replica stopped": {
    weight: 2,
    act: (scene, a) =>
      withFerry(scene, a, (ferry) => {
        ferry.stop();
        return undefined;
      }),
  },
  "replica started": {
    weight: 5,
    act: ({ fleet }, a) =>
      fleet.alive.length >= 3 ? "enough of them" : fleet.start(a % 3).process.name,
  },
  weather: {
    weight: 6,
    act: (scene, a, b, c) => {
      const [name, faults] = WEATHER[c % WEATHER.length] ?? ["", {}];
      const where = withNetworks(scene, a, b, (network) => {
        network.set(faults);
      });
      return `${name} ${where}`;
    },
  },
  "fair weather": {
    weight: 8,
    act: (scene, a, b) =>
      withNetworks(scene, a, b, (network) => {
        network.heal();
      }),
  },
  "connections broken": {
    weight: 3,
    act: (scene, a, b) =>
      withNetworks(scene, a, b, (network) => {
        network.disconnect();
      }),
  },
  "connections refused": {
    weight: 2,
    act: (scene, a, b, c) =>
      withNetworks(scene, a, b, (network) => {
        network.down();
        scene.world.clock.schedule((c % 5) * 800, () => {
          network.up();
        });
      }),
  },
  "half-open": {
    weight: 1,
    act: (scene, a, b, c) =>
      withNetworks(scene, a, b, (network) => {
        network.silent();
        scene.world.clock.schedule((c % 5) * 800, () => {
          network.up();
        });
      }),
  },
  "one fault": {
    weight: 8,
    act: (scene, a, b, c) => {
      const [verb, fate, plural] = ORDERS[c % ORDERS.length] ?? ["get", "pass", undefined];
      const where = withNetworks(scene, a, b, (network) => {
        network.next(verb, fate, plural);
      });
      return `${verb} ${plural ?? ""} ${fate} ${where}`;
    },
  },
  "lists that lie": {
    weight: 5,
    act: (scene, a, b, c) => {
      const plural = LISTED[c % LISTED.length];
      const where = withNetworks(scene, a, b, (network, server) => {
        // Each watch asks once before it goes on, is refused, and then lists.
        for (let times = 0; times < 6; times += 1) network.next("list", "empty-list", plural);
        server.compact();
        network.disconnect();
      });
      return `${plural ?? ""} ${where}`;
    },
  },
  compaction: {
    weight: 2,
    act: (scene, a) =>
      withServer(scene, a, (server) => {
        server.compact();
      }),
  },
  "server restarted": {
    weight: 2,
    act: (scene, a) =>
      withServer(scene, a, (server) => {
        server.restart();
      }),
  },
};

/** Whether it may make a process believe in a state that never was: only a later list can mend that. */
export function mayLie({ kind, c }: Operation): boolean {
  switch (kind) {
    case "weather":
      return (WEATHER[c % WEATHER.length]?.[1].emptyList ?? 0) > 0;
    case "one fault":
      return ORDERS[c % ORDERS.length]?.[1] === "empty-list";
    default:
      return kind === "lists that lie" || kind === "etcd restored";
  }
}
