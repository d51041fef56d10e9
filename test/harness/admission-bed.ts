import { type AdmissionDoor, openDoor } from "./admission-door.js";
import { Cluster } from "./cluster.js";
import { FerryBed } from "./ferry-bed.js";
import type { FerryRun, FerryRunOptions } from "./ferry-run.js";
import {
  CONFIGURATION_KINDS,
  type FailurePolicy,
  webhookConfigurations,
} from "./webhook-configurations.js";

/**
 * A bed whose source's API server asks the installation about each Service that carries the sync label in `src`, and in
 * each namespace that has a door of its own. The configurations are as the manifests have them, with a loopback URL in
 * place of the Service reference.
 */
export class AdmissionBed extends FerryBed {
  /** Name of both webhook configurations. */
  readonly configuration = `svc-ferry-${this.id}`;
  readonly #doors: AdmissionDoor[] = [];
  readonly #users = new Map<string, Cluster>();
  #failurePolicy: FailurePolicy = "Ignore";

  override async prepare(): Promise<void> {
    await super.prepare();
    await this.door(this.src.namespace);
  }

  /** From now on the API server asks about this namespace too, of replicas of its own; the first one is that of `src`. */
  async door(namespace: string): Promise<AdmissionDoor> {
    const door = await openDoor(this.source, namespace);
    this.#doors.push(door);
    await this.install(this.#failurePolicy);
    return door;
  }

  /** The door of a namespace that has one. */
  doorOf(namespace: string): AdmissionDoor {
    const door = this.#doors.find((one) => one.namespace === namespace);
    if (door === undefined) throw new Error(`${namespace} has no door`);
    return door;
  }

  /** Creates or changes both configurations, without caBundle. */
  async install(failurePolicy: FailurePolicy = "Ignore"): Promise<void> {
    this.#failurePolicy = failurePolicy;
    const options = { name: this.configuration, failurePolicy, asked: this.#doors };
    for (const object of webhookConfigurations(options)) await this.source.apply(object);
  }

  /** The source on behalf of this user. */
  as(user: string): Cluster {
    const known = this.#users.get(user) ?? new Cluster(this.source.connection, user);
    this.#users.set(user, known);
    return known;
  }

  /** Starts a replica whose webhook is on; it is asked as soon as `route` says so. */
  override launch({ flags = {}, ...more }: Partial<FerryRunOptions> = {}): FerryRun {
    const own = {
      webhook: true,
      webhookConfiguration: this.configuration,
      webhookPort: "0",
      handOffPort: "0",
    };
    return super.launch({ ...more, flags: { ...own, ...flags } });
  }

  /** Resolves when the replicas are ready to be asked, and the API server asks them about `src`. */
  async route(...runs: readonly FerryRun[]): Promise<void> {
    await this.#doors[0]?.route(...runs);
  }

  /** As when endpoints of a Service change: new connections of the API server lead to these replicas. */
  async turnTo(...runs: readonly FerryRun[]): Promise<void> {
    await this.#doors[0]?.turnTo(...runs);
  }

  /** Nobody answers the API server any more. */
  cutOff(): void {
    for (const door of this.#doors) door.cutOff();
  }

  override async close(): Promise<void> {
    for (const kind of CONFIGURATION_KINDS) {
      await this.source.remove(kind, undefined, this.configuration);
    }
    await super.close();
    await Promise.all(this.#doors.map(async (door) => door.close()));
    for (const user of this.#users.values()) await user.close();
  }
}

export async function openAdmissionBed(): Promise<AdmissionBed> {
  const bed = new AdmissionBed();
  await bed.prepare();
  return bed;
}
