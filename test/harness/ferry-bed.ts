import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { AuditTrail, type AuditedWrite } from "./audit-trail.js";
import { Cluster } from "./cluster.js";
import { FerryRun, type FerryRunOptions } from "./ferry-run.js";
import { service } from "./manifests.js";
import { NamespaceView, portsOf } from "./namespace-view.js";
import { waitFor } from "./wait-for.js";

type Side = "source" | "destination";

/**
 * The shared control planes as one test file uses them: namespaces of its own in both, installations between them, and
 * every write that these make.
 */
export class FerryBed {
  readonly source: Cluster;
  readonly destination: Cluster;
  readonly id = randomBytes(4).toString("hex");
  /** Where an installation reads from unless told otherwise. */
  readonly src: NamespaceView;
  /** Where it writes to. */
  readonly dst: NamespaceView;
  readonly #planes = inject("controlPlanes");
  readonly #trails = {
    source: new AuditTrail(this.#planes.auditLogPaths.source),
    destination: new AuditTrail(this.#planes.auditLogPaths.destination),
  };
  readonly #runs: FerryRun[] = [];
  readonly #namespaces: NamespaceView[] = [];
  #written: { readonly write: AuditedWrite; readonly side: Side }[] = [];
  #count = 0;

  /** Made by openBed. */
  constructor() {
    this.source = new Cluster(this.#planes.source);
    this.destination = new Cluster(this.#planes.destination);
    this.src = new NamespaceView(this.source, `src-${this.id}`);
    this.dst = new NamespaceView(this.destination, `dst-${this.id}`);
  }

  /** Both contexts, `source` and `destination`. */
  get kubeconfigPath(): string {
    return this.#planes.kubeconfigPath;
  }

  /** A name that no other test has. */
  name(prefix: string): string {
    this.#count += 1;
    return `${prefix}-${this.id}-${this.#count}`;
  }

  /** A namespace of the bed's own; removed with it. */
  async namespace(side: Side, name = this.name("ns")): Promise<NamespaceView> {
    const view = new NamespaceView(this[side], name);
    this.#namespaces.push(view);
    await this[side].createNamespace(name);
    return view;
  }

  /**
   * Starts an installation: by default from `src` to `dst`, with the Lease `ferry` in `src`. Resolves when it leads and
   * has looked at everything once.
   */
  async run(options: Partial<FerryRunOptions> = {}): Promise<FerryRun> {
    const run = this.launch(options);
    await run.untilIdle();
    return run;
  }

  /** As `run`, without waiting. */
  launch({
    podName = this.name("pod"),
    flags = {},
    file,
  }: Partial<FerryRunOptions> = {}): FerryRun {
    const namespaces = { srcNs: this.src.namespace, dstNs: this.dst.namespace };
    const given = {
      kubeconfig: this.kubeconfigPath,
      srcContext: "source",
      ...(file?.["destinations"] === undefined ? { dstContext: "destination" } : {}),
      leaderElectionNamespace: this.src.namespace,
      leaderElectionName: "ferry",
      ...(file?.["routes"] === undefined ? namespaces : {}),
      ...flags,
    };
    const run = new FerryRun({ podName, flags: given, file });
    this.#runs.push(run);
    return run;
  }

  /**
   * Resolves when a run has nothing left to do, not even about its own writes: a change of another Service in the
   * source, and one of its mirror, have gone all the way through behind everything that came before.
   */
  async settle(run: FerryRun, from = this.src, to = this.dst): Promise<void> {
    this.#count += 1;
    const port = 1_000 + this.#count;
    const isDone = async (): Promise<unknown> =>
      to.untilService(CANARY, (mirror) => portsOf(mirror)[0] === port);
    await from.apply(service(from.namespace, CANARY, { spec: { ports: [{ port }] } }));
    await isDone();
    await to.patch("Service", CANARY, { spec: { ports: [{ port: 999 }] } });
    await isDone();
    await run.untilIdle();
  }

  /**
   * Every write of a run to Services, slices, Endpoints and namespaces of a cluster, oldest first, since the last
   * `forgetWrites`: `create services web`. The unique end of a slice's name reads `*`; one that was refused ends in the
   * answer's status.
   */
  async writes(
    run: FerryRun,
    { name, side = "destination" }: { readonly name?: string; readonly side?: Side } = {},
  ): Promise<readonly string[]> {
    return (await this.audited(run, side))
      .filter((write) => name === undefined || isNamed(write, name))
      .map(spelled);
  }

  /** The same with all details. */
  async audited(run: FerryRun, side: Side = "destination"): Promise<readonly AuditedWrite[]> {
    await this.#readTrails();
    return this.#written
      .filter((one) => one.side === side && one.write.userAgent.includes(`(${run.podName};`))
      .map(({ write }) => write)
      .filter(({ resource, name }) => OBJECTS.has(resource) && !name.startsWith(CANARY));
  }

  /** What was written until now is no longer of interest. */
  async forgetWrites(): Promise<void> {
    await this.#readTrails();
    this.#written = [];
  }

  /** Stops every installation: after each test of a file whose tests have their own. */
  async stopRuns(): Promise<void> {
    await Promise.all(this.#runs.splice(0).map(async (run) => run.stop()));
  }

  async close(): Promise<void> {
    await this.stopRuns();
    await Promise.all(
      this.#namespaces.map(async ({ cluster, namespace }) =>
        cluster.remove("Namespace", undefined, namespace),
      ),
    );
    await Promise.all([this.source.close(), this.destination.close()]);
  }

  /** A write of our own in each cluster has reached its audit log: so have all that were answered before it. */
  async #readTrails(): Promise<void> {
    const name = this.name("barrier");
    const metadata = { namespace: "default", name };
    for (const side of ["source", "destination"] as const) {
      await this[side].create({ apiVersion: "v1", kind: "ConfigMap", metadata });
      await waitFor(() => this.#readTrail(side).some((write) => write.name === name), {
        what: `the audit log of the ${side}`,
        everyMs: 5,
      });
      await this[side].remove("ConfigMap", "default", name);
    }
  }

  #readTrail(side: Side): readonly AuditedWrite[] {
    const news = this.#trails[side].next();
    this.#written.push(...news.map((write) => ({ write, side })));
    return news;
  }

  /** Made by openBed. */
  async prepare(): Promise<void> {
    await Promise.all([
      this.namespace("source", this.src.namespace),
      this.namespace("destination", this.dst.namespace),
    ]);
  }
}

/** A bed with its two namespaces. */
export async function openBed(): Promise<FerryBed> {
  const bed = new FerryBed();
  await bed.prepare();
  return bed;
}

const CANARY = "canary";
const OBJECTS = new Set(["services", "endpointslices", "endpoints", "namespaces"]);

function spelled({ verb, resource, name, status }: AuditedWrite): string {
  const short = resource === "endpointslices" ? name.replace(/-[0-9a-f]{20}$/, "-*") : name;
  return `${verb} ${resource} ${short}${status < 300 ? "" : ` → ${status}`}`;
}

/** The object itself, or a slice that carries its name in front. */
function isNamed({ resource, name: written }: AuditedWrite, name: string): boolean {
  if (resource !== "endpointslices") return written === name;
  return written.startsWith(`${name.slice(0, 40).replace(/-+$/, "")}-`);
}
