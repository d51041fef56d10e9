/** One history from beginning to end: what happens, the calm after it, and everything that must hold then. */
import { SimulatedWorld } from "../fakes/simulated-world.js";
import { NAMESPACES, SERVICE_CIDRS, SERVICES } from "../../src/ports/kube-resources.js";
import { SeededRandom } from "../fakes/seeded-random.js";
import { SimulatedFleet } from "../harness/simulated-fleet.js";
import { LEASE_NAMESPACE, SOURCE_NAMESPACES } from "../harness/simulation-installation.js";
import { mayLie } from "./fault-operations.js";
import { differences } from "./difference.js";
import {
  OPERATIONS,
  OPERATIONS_WITH_RESTORES,
  perform,
  type Operation,
  type OperationKind,
} from "./operations.js";
import type { IpFamily } from "../fakes/service-spec.js";
import type { Tally } from "./tally.js";
import { Witness } from "./witness.js";

export interface History {
  readonly seed: number;
  readonly replicas: number;
  readonly destinations: number;
  readonly families: Families;
  readonly operations: readonly Operation[];
  /** For how long the faults last after the last operation. */
  readonly tailMs: number;
}

/** IP families, primary first. */
interface Families {
  readonly source: readonly IpFamily[];
  readonly destination: readonly IpFamily[];
}

const SINGLE: Families = { source: ["IPv4"], destination: ["IPv4"] };
/** Half of all clusters know one family only. */
const FAMILIES: readonly Families[] = [
  SINGLE,
  SINGLE,
  SINGLE,
  SINGLE,
  { source: ["IPv4", "IPv6"], destination: ["IPv4"] },
  { source: ["IPv4", "IPv6"], destination: ["IPv4", "IPv6"] },
  { source: ["IPv6", "IPv4"], destination: ["IPv4"] },
  { source: ["IPv4"], destination: ["IPv6", "IPv4"] },
];

/** What a history showed. */
export interface Report {
  /** Empty: all is well. */
  readonly problems: readonly string[];
  /** What happened, with the log when it was asked for. */
  readonly trace: readonly string[];
}

const MAX_OPERATIONS = 40;

/** The same seed gives the same history. */
export function historyOf(seed: number): History {
  return drawn(seed, OPERATIONS);
}

/** One in which clusters go back to older snapshots. */
export function historyWithRestores(seed: number): History {
  return drawn(seed, OPERATIONS_WITH_RESTORES);
}

function drawn(seed: number, table: Readonly<Record<string, OperationKind>>): History {
  const random = new SeededRandom(seed).fork("history");
  const kinds = Object.entries(table).flatMap(([kind, { weight }]) =>
    Array.from({ length: weight }, () => kind),
  );
  // A burst, a pause for the mirrors to be made, long enough for a take-over.
  const pauses = [
    [0, 5],
    [0, 60],
    [20, 400],
    [300, 4_000],
  ] as const;
  const operations = Array.from({ length: random.int(4, MAX_OPERATIONS) }, () => {
    const [low, high] = random.pick(pauses);
    return {
      afterMs: random.int(low, high),
      kind: random.pick(kinds),
      a: random.int(0, 11),
      b: random.int(0, 11),
      c: random.int(0, 35),
    };
  });
  return {
    seed,
    replicas: random.int(1, 3),
    destinations: random.int(1, 2),
    families: random.pick(FAMILIES),
    operations,
    tailMs: random.pick([0, 50, 3_000, 6_000]),
  };
}

/** A watch that is half-open is noticed after 90 s: until then its process may live in the past. */
const HALF_OPEN_MS = 100_000;
/** Until a leader that was frozen goes on, and somewhat longer. */
const FROST_MS = 6_000;
/** Virtual time in which everything must have come right then: the longest pause between attempts is 30 s, of two kinds. */
const CONVERGED_WITHIN_MS = 70_000;
const LOOK_EVERY_MS = 500;
/** A stop in good order, as the issue promises it. */
const STOPPED_WITHIN_MS = 5_000;

export interface RunOptions {
  /** The trace contains the log of all processes. */
  readonly withLog?: boolean;
  readonly tally?: Tally;
}

export async function runHistory(history: History, options: RunOptions = {}): Promise<Report> {
  const trace: string[] = [];
  const world = new SimulatedWorld(history.seed, {
    destinations: history.destinations,
    sourceFamilies: history.families.source,
    destinationFamilies: history.families.destination,
  });
  const say = (line: string): void => {
    trace.push(`${(world.clock.monotonicMs() / 1_000).toFixed(3).padStart(8)} ${line}`);
  };
  const fleet = new SimulatedFleet(world, options.withLog === true ? say : undefined);
  const witness = new Witness(world);
  populate(world, history.families.destination);
  for (let pod = 0; pod < history.replicas; pod += 1) fleet.start(pod);
  const run = new Run(world, fleet, witness, say, history.families.destination);
  try {
    await run.through(history);
  } catch (error) {
    run.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  options.tally?.add(world, fleet);
  return { problems: run.problems, trace };
}

function populate(world: SimulatedWorld, families: readonly IpFamily[]): void {
  for (const name of [LEASE_NAMESPACE, ...SOURCE_NAMESPACES]) {
    world.source.create(NAMESPACES, { metadata: { name } });
  }
  const cidrs = families.map((family) => (family === "IPv4" ? "10.96.0.0/16" : "fd00:96::/112"));
  for (const server of world.destinations) {
    server.create(SERVICE_CIDRS, { metadata: { name: "kubernetes" }, ...{ spec: { cidrs } } });
  }
}

class Run {
  readonly problems: string[] = [];

  constructor(
    private readonly world: SimulatedWorld,
    private readonly fleet: SimulatedFleet,
    private readonly witness: Witness,
    private readonly say: (line: string) => void,
    private readonly families: readonly IpFamily[],
  ) {}

  async through({ operations, tailMs }: History): Promise<void> {
    const { world, fleet, say } = this;
    for (const operation of operations) {
      await world.run({ forMs: operation.afterMs });
      say(perform({ world, fleet }, operation));
    }
    const has = (kind: string): boolean => operations.some((operation) => operation.kind === kind);
    await world.run({
      forMs: has("leader frozen while another works") ? Math.max(FROST_MS, tailMs) : tailMs,
    });
    await this.#calm(has("half-open") ? HALF_OPEN_MS : 0);
    await this.#converged(operations.some(mayLie));
    await this.#nothingMoreIsWritten(operations.some(mayLie));
    await this.#stopped();
    // After a restore the past that the witness saw is not the cluster's.
    if (!operations.some(({ kind }) => kind === "etcd restored")) {
      this.problems.push(...this.witness.problems());
    }
    if (this.problems.length === 0) await this.#aSecondPassWritesNothing();
  }

  /** Faults end, whoever was paused goes on. */
  async #calm(patienceMs: number): Promise<void> {
    const { world, fleet, say } = this;
    say("calm");
    for (const ferry of fleet.alive) ferry.process.clock.thaw();
    for (const network of fleet.networks) network.heal();
    if (fleet.alive.every((ferry) => ferry.isStopping)) fleet.start(0);
    const resume = { metadata: { annotations: { "svc-ferry.io/paused": null } } };
    for (const service of world.source.list(SERVICES).items) {
      world.source.patch(SERVICES, service.metadata, resume);
    }
    await world.run({ forMs: patienceMs + LOOK_EVERY_MS });
  }

  async #converged(wasLiedTo: boolean): Promise<void> {
    let left = await this.#differencesAfterAWhile();
    if (left.length > 0 && wasLiedTo) {
      // A list that lied is replaced by the next one, after 15 minutes. Here that is made to come sooner: a watch that stood at
      // the newest revision could go on from there, so there is a newer one first.
      for (const server of [this.world.source, ...this.world.destinations]) {
        server.create(NAMESPACES, { metadata: { name: "newer" } });
        server.compact();
        server.restart();
      }
      left = await this.#differencesAfterAWhile();
    }
    this.say(left.length === 0 ? "converged" : "did not converge");
    this.problems.push(...left.map((text) => `after the faults: ${text}`));
  }

  /** Equal by chance is not enough: the leader has to know what it is equal to. */
  async #differencesAfterAWhile(): Promise<readonly string[]> {
    const { world, fleet } = this;
    const endMs = world.clock.monotonicMs() + CONVERGED_WITHIN_MS;
    for (;;) {
      const left = [
        ...differences(world, this.families),
        ...(fleet.leader?.isInformed === true ? [] : ["no leader that knows the present"]),
      ];
      if (left.length === 0 || world.clock.monotonicMs() >= endMs) return left;
      await world.run({ forMs: LOOK_EVERY_MS });
    }
  }

  /** The destination stays as it is. Who was told that a name is free may still find out that it is not. */
  async #nothingMoreIsWritten(wasLiedTo: boolean): Promise<void> {
    await this.world.run({ forMs: 1_000 });
    const mark = this.witness.mark();
    await this.world.run({ forMs: 3_000 });
    const writes = this.witness
      .writesSince(mark)
      .filter((text) => !wasLiedTo || !text.endsWith("AlreadyExists"));
    this.problems.push(...writes.map((text) => `after convergence: ${text}`));
  }

  async #stopped(): Promise<void> {
    const { world, fleet, say } = this;
    const stopping = fleet.alive;
    for (const ferry of stopping) ferry.stop();
    const endMs = world.clock.monotonicMs() + STOPPED_WITHIN_MS;
    while (fleet.alive.length > 0 && world.clock.monotonicMs() < endMs) {
      await world.run({ forMs: 100 });
    }
    say("stopped");
    for (const { process, exitCode, sleeping } of stopping) {
      if (exitCode !== 0) this.problems.push(`${process.name}: exit code ${String(exitCode)}`);
      if (sleeping !== 0) this.problems.push(`${process.name}: ${sleeping} sleepers are left`);
    }
    // What the history itself has still in hand, e.g. the end of a frost.
    await world.run({ forMs: 10_000 });
    this.#nothingLeaked();
  }

  /** Only what was killed may have left something behind: the servers' ends of its watches. */
  #nothingLeaked(): void {
    const { world, fleet, problems } = this;
    if (fleet.processes.some(({ exitCode }) => exitCode !== 0)) return;
    for (const server of [world.source, ...world.destinations]) {
      if (server.openWatches > 0) problems.push(`${server.openWatches} watches are left open`);
    }
    if (world.clock.pending > 0) problems.push(`${world.clock.pending} timers are left`);
  }

  async #aSecondPassWritesNothing(): Promise<void> {
    const { world, fleet, witness, say } = this;
    const mark = witness.mark();
    const ferry = fleet.start(0);
    await world.run({ until: () => ferry.isLeader, limitMs: 60_000 });
    await world.run({ forMs: 2_000 });
    say("second pass");
    this.problems.push(...witness.writesSince(mark).map((text) => `second pass: ${text}`));
    this.problems.push(...differences(world, this.families).map((text) => `second pass: ${text}`));
    await this.#stopped();
  }
}
