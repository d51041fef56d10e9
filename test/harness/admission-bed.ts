import { SECRET_NAME } from "../../certs/object-names.js";
import type { Config } from "../../src/config/config.js";
import { installedObject } from "../fixtures/installed-objects.js";
import { type AdmissionDoor, openDoor } from "./admission-door.js";
import { Cluster } from "./cluster.js";
import { type BedRunOptions, FerryBed } from "./ferry-bed.js";
import { configurationOf, type FerryRun, type FerryRunOptions } from "./ferry-run.js";
import type { Beyond } from "./granted-rights.js";
import { PacedClock } from "./paced-clock.js";
import { waitFor } from "./wait-for.js";
import {
  CONFIGURATION_KINDS,
  type FailurePolicy,
  webhookConfigurations,
} from "./webhook-configurations.js";

/** Times as fast as the machine's clock. */
const HURRY = 20;

/**
 * A bed whose source's API server asks the installation about each Service that carries the sync label in `src`, and in
 * each namespace that has a door of its own. The configurations are as the manifests have them, with a loopback URL in
 * place of the Service reference.
 */
export class AdmissionBed extends FerryBed {
  /** Name of both webhook configurations. */
  readonly configuration = `svc-ferry-${this.id}`;
  readonly #doors: AdmissionDoor[] = [];
  /** Namespaces. */
  readonly #withSecret = new Set<string>();
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

  /** Replicas whose webhook is on; they are asked as soon as `route` says so. */
  protected override async completed({
    flags = {},
    clock = new PacedClock(),
    ...more
  }: BedRunOptions): Promise<FerryRunOptions> {
    const own = {
      webhook: true,
      webhookConfiguration: this.configuration,
      webhookPort: "0",
      handOffPort: "0",
    };
    return super.completed({ ...more, clock, flags: { ...own, ...flags } });
  }

  /** With its Lease given back, the seconds in which API servers would leave it have nothing to show, and need not be real. */
  protected override async end(run: FerryRun, options: FerryRunOptions): Promise<void> {
    const { namespace, name } = configurationOf(options).config.lease;
    const isGivenBack = async (): Promise<boolean> => {
      const spec = (await this.source.get("Lease", namespace, name))?.["spec"];
      return (spec as { holderIdentity?: string } | undefined)?.holderIdentity !== run.podName;
    };
    const ended = super.end(run, options);
    const givenBack = waitFor(isGivenBack, { what: `${run.podName} to give its Lease back` });
    await Promise.race([ended, givenBack.catch(() => undefined)]);
    if (options.clock instanceof PacedClock) options.clock.goBy(HURRY);
    await ended;
  }

  /** The Secret of the certificates is installed empty: the shipped roles do not grant to make it. */
  protected override async prepareFor(config: Config, beyond: Beyond): Promise<void> {
    await super.prepareFor(config, beyond);
    const { namespace } = config.lease;
    if (this.#withSecret.has(namespace)) return;
    this.#withSecret.add(namespace);
    const { apiVersion, kind, metadata, type } = installedObject(
      "manifests/source",
      "Secret",
      SECRET_NAME,
    );
    await this.source.create({ apiVersion, kind, metadata: { ...metadata, namespace }, type });
  }
}

export async function openAdmissionBed(): Promise<AdmissionBed> {
  const bed = new AdmissionBed();
  await bed.prepare();
  return bed;
}
