import type { Network } from "../fakes/network.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import { SimulatedFerry, type Trace } from "./simulated-ferry.js";

/** Wall clocks of the replicas: no two agree, none may matter. */
const SKEWS_MS = [0, 300_000, -300_000] as const;

/** The replicas of one installation, through all their lives. */
export class SimulatedFleet {
  /** Every process that ever ran, oldest first. */
  readonly processes: SimulatedFerry[] = [];

  constructor(
    private readonly world: SimulatedWorld,
    private readonly trace: Trace | undefined,
  ) {}

  get alive(): readonly SimulatedFerry[] {
    return this.processes.filter((ferry) => ferry.isAlive);
  }

  get leader(): SimulatedFerry | undefined {
    return this.processes.find((ferry) => ferry.isLeader);
  }

  /** Ways of all living processes to all clusters. */
  get networks(): readonly Network[] {
    return this.alive.flatMap((ferry) => ferry.networks);
  }

  /** A new process in pod number `pod`; a second one of the same name when the first one still runs. */
  start(pod: number): SimulatedFerry {
    const name = `ferry-${this.processes.length}`;
    const skewMs = SKEWS_MS[pod % SKEWS_MS.length] ?? 0;
    const process = this.world.process(name, { skewMs });
    const ferry = new SimulatedFerry(this.world, process, `pod-${pod}`, this.trace);
    this.processes.push(ferry);
    return ferry;
  }
}
