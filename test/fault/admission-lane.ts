import { type AdmissionDoor, openDoor } from "../harness/admission-door.js";
import { Cluster } from "../harness/cluster.js";
import type { LogLine } from "../harness/ferry-run.js";
import { waitFor } from "../harness/wait-for.js";
import { CONFIGURATION_KINDS, webhookConfigurations } from "../harness/webhook-configurations.js";
import type { Lane } from "./lane.js";
import type { Replica } from "./replica.js";

/** Which change a line is about, and whose. */
export interface Told {
  readonly changeId: string;
  readonly by: string;
}

/** A lane whose source's API server asks one of its replicas about each ferried Service. */
export class AdmissionLane {
  readonly #users: Cluster[] = [];

  private constructor(
    readonly lane: Lane,
    private readonly door: AdmissionDoor,
  ) {}

  static async open(lane: Lane): Promise<AdmissionLane> {
    const door = await openDoor(lane.from, lane.name);
    const options = {
      name: configurationName(lane),
      failurePolicy: "Ignore",
      asked: [door],
    } as const;
    for (const object of webhookConfigurations(options)) await lane.from.apply(object);
    return new AdmissionLane(lane, door);
  }

  start(pod: string): Replica {
    const flags = [
      "--webhook=on",
      `--webhook-configuration=${configurationName(this.lane)}`,
      "--webhook-port=0",
      "--hand-off-port=0",
      "--log-format=json",
    ];
    return this.lane.start({ pod, flags });
  }

  /** Resolves when the API server asks this replica. */
  async route(replica: Replica): Promise<void> {
    await this.door.lead(await replica.webhookPort());
  }

  /** The source on behalf of this user. */
  as(user: string): Cluster {
    const cluster = new Cluster(this.lane.from.connection, user);
    this.#users.push(cluster);
    return cluster;
  }

  /** What a replica says has become of a Service ("admitted", "applied", "removed"), once it does. */
  async told(replica: Replica, outcome: string, name: string): Promise<Told> {
    const key = `${this.lane.name}/${name}`;
    const isAbout = (line: LogLine): boolean =>
      line["service"] === key || JSON.stringify(line["route"])?.includes(`/${key}"`) === true;
    const found = await waitFor(
      () => replica.records.findLast((line) => line.message === outcome && isAbout(line)),
      { what: `"${outcome}" about ${key} in the log of pid ${replica.process.pid}` },
    );
    return { changeId: String(found["changeId"]), by: String(found["by"]) };
  }

  async close(): Promise<void> {
    for (const kind of CONFIGURATION_KINDS) {
      await this.lane.from.remove(kind, undefined, configurationName(this.lane));
    }
    await this.door.close();
    await Promise.all(this.#users.map(async (user) => user.close()));
  }
}

function configurationName({ name }: Lane): string {
  return `svc-ferry-${name}`;
}
