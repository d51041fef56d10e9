import type { SimulatedWorld } from "../fakes/simulated-world.js";
import type { SimulatedFleet } from "../harness/simulated-fleet.js";

/** Must happen in many histories together, or they have become harmless. */
const DANGERS = [
  "create services AlreadyExists",
  "create endpointslices AlreadyExists",
  "create endpoints AlreadyExists",
  "patch services Conflict",
  "patch endpointslices Conflict",
  "delete services done",
  "delete endpointslices done",
  "replace leases Conflict",
  "create namespaces done",
  "fault cut-watch",
  "fault done-and-server-error",
  "fault empty-list",
  "fault lose-request",
  "fault lose-response",
  "fault refused",
  "fault server-error",
  "fault silent",
  "fault too-many-requests",
] as const;

/** Counts what happened: a history in which nothing goes wrong proves little. */
export class Tally {
  readonly #counts = new Map<string, number>();

  /** At the end of one history. */
  add(world: SimulatedWorld, fleet: SimulatedFleet): void {
    this.#count("processes", fleet.processes.length);
    for (const { networks } of fleet.processes) {
      for (const { injected } of networks) {
        for (const [fault, times] of injected) this.#count(`fault ${fault}`, times);
      }
    }
    for (const { audit } of [world.source, ...world.destinations]) {
      for (const { client, verb, resource, outcome } of audit.entries) {
        if (client.startsWith("ferry-")) {
          this.#count(`${verb} ${resource.plural} ${outcome}`, 1);
        }
      }
    }
  }

  /** Empty after enough histories. */
  get missing(): readonly string[] {
    return DANGERS.filter((name) => this.get(name) === 0);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  #count(name: string, times: number): void {
    this.#counts.set(name, this.get(name) + times);
  }
}
