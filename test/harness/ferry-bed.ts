import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { Config } from "../../src/config/config.js";
import { type KubeconfigEntry, writeKubeconfig } from "../controlplane/kubeconfig.js";
import { AuditTrail, type AuditedWrite } from "./audit-trail.js";
import { Cluster } from "./cluster.js";
import { configurationOf, FerryRun, type FerryRunOptions } from "./ferry-run.js";
import { type Beyond, GrantedRights, type Role } from "./granted-rights.js";
import { service } from "./manifests.js";
import { NamespaceView, portsOf } from "./namespace-view.js";
import { waitFor } from "./wait-for.js";

type Side = "source" | "destination";

/** What of a run is not as in a bed by default. */
export interface BedRunOptions
  extends Partial<Pick<FerryRunOptions, "podName" | "flags" | "file" | "clock">>, Beyond {}

/**
 * The shared control planes as one test file uses them: namespaces of its own in both, installations between them, each with
 * the rights that the shipped roles give it, and every write that these make. What a test does itself an administrator does.
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
  readonly #folder = mkdtempSync(join(tmpdir(), "svc-ferry-bed-"));
  readonly #rights: GrantedRights;
  readonly #runs: { readonly run: FerryRun; readonly options: FerryRunOptions }[] = [];
  readonly #namespaces: NamespaceView[] = [];
  #written: { readonly write: AuditedWrite; readonly side: Side }[] = [];
  #count = 0;

  /** Made by openBed. */
  constructor() {
    this.source = new Cluster(this.#planes.source);
    this.destination = new Cluster(this.#planes.destination);
    this.src = new NamespaceView(this.source, `src-${this.id}`);
    this.dst = new NamespaceView(this.destination, `dst-${this.id}`);
    this.#rights = new GrantedRights(this.#planes.shippedRights, this.id, {
      source: { cluster: this.source, home: this.src.namespace },
      destination: { cluster: this.destination, home: this.dst.namespace },
    });
  }

  /** An administrator's, for tools that people use: both contexts, `source` and `destination`. */
  get kubeconfigPath(): string {
    return this.#planes.kubeconfigPath;
  }

  /** What such a tool is told of the installation that `run` starts. */
  get toolSettings(): Readonly<Record<string, string>> {
    return {
      kubeconfig: this.kubeconfigPath,
      "src-context": "source",
      "dst-context": "destination",
      "src-ns": this.src.namespace,
      "dst-ns": this.dst.namespace,
      "leader-election-namespace": this.src.namespace,
      "leader-election-name": "ferry",
    };
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
  async run(options: BedRunOptions = {}): Promise<FerryRun> {
    const run = await this.launch(options);
    await run.untilIdle();
    return run;
  }

  /** As `run`, without waiting for anything but its rights. */
  async launch(options: BedRunOptions = {}): Promise<FerryRun> {
    const complete = await this.completed(options);
    await this.prepareFor(configurationOf(complete).config, options);
    const run = new FerryRun(complete);
    this.#runs.push({ run, options: complete });
    return run;
  }

  /** The rights that `launch` grants by itself: for a process that runs beside, or once a namespace has come. */
  async grant(options: BedRunOptions = {}): Promise<void> {
    const { config } = configurationOf(await this.completed(options));
    await this.prepareFor(config, options);
  }

  /** Both contexts as an installation has them. */
  async installedKubeconfig(srcContext: Side = "source"): Promise<string> {
    const path = join(this.#folder, `from-${srcContext}.yaml`);
    const entries = (["source", "destination"] as const).map(async (context) =>
      this.access(context, context === srcContext ? "source" : "destination"),
    );
    writeKubeconfig(path, await Promise.all(entries));
    return path;
  }

  /** One of them, for a kubeconfig that a test writes itself. */
  async access(context: Side, role: Role = context): Promise<KubeconfigEntry> {
    return this.#rights.access(context, role);
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
    await Promise.all(this.#runs.splice(0).map(async ({ run, options }) => this.end(run, options)));
  }

  async close(): Promise<void> {
    await this.stopRuns();
    await Promise.all(
      this.#namespaces.map(async ({ cluster, namespace }) =>
        cluster.remove("Namespace", undefined, namespace),
      ),
    );
    await this.#rights.remove();
    await Promise.all([this.source.close(), this.destination.close()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** With the defaults of a bed. */
  protected async completed({
    podName = this.name("pod"),
    flags = {},
    file,
    clock,
  }: BedRunOptions): Promise<FerryRunOptions> {
    const srcContext = flags["srcContext"] === "destination" ? "destination" : "source";
    const [srcNs, dstNs] = [this.src.namespace, this.dst.namespace];
    const given = {
      kubeconfig: await this.installedKubeconfig(srcContext),
      srcContext,
      ...(file?.["destinations"] === undefined ? { dstContext: "destination" } : {}),
      leaderElectionNamespace: srcNs,
      leaderElectionName: "ferry",
      ...(file?.["routes"] === undefined ? { srcNs, dstNs, createNamespace: "off" } : {}),
      ...flags,
    };
    return { podName, flags: given, file, clock };
  }

  /** Stops an installation of which nothing is of interest any more. */
  protected async end(run: FerryRun, _options: FerryRunOptions): Promise<void> {
    await run.stop();
  }

  /** What has to be installed before an installation of this configuration can work. */
  protected async prepareFor(config: Config, beyond: Beyond): Promise<void> {
    await this.#rights.grant(config, beyond);
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
