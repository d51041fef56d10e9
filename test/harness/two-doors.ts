import { type AdmissionBed, openAdmissionBed } from "./admission-bed.js";
import type { AdmissionDoor } from "./admission-door.js";
import type { AuditedWrite } from "./audit-trail.js";
import type { Answer } from "./cluster.js";
import type { FerryRun } from "./ferry-run.js";
import type { Manifest } from "./manifest.js";
import type { NamespaceView } from "./namespace-view.js";
import { waitFor } from "./wait-for.js";

/** Two source namespaces of one route, and two replicas: the API server asks one about the one, the other about the other. */
export class TwoDoors {
  private constructor(
    readonly bed: AdmissionBed,
    /** Beside `bed.src`. */
    readonly other: NamespaceView,
    private readonly otherDoor: AdmissionDoor,
    /** Which of them leads may change. */
    readonly runs: readonly [FerryRun, FerryRun],
  ) {}

  static async open(): Promise<TwoDoors> {
    const bed = await openAdmissionBed();
    const other = await bed.namespace("source");
    const door = await bed.door(other.namespace);
    const namespaces = [bed.src.namespace, other.namespace];
    const routes = [{ name: "shop", namespaces, target: { namespace: bed.dst.namespace } }];
    const flags = { leaseDuration: "3s", renewDeadline: "2s", retryPeriod: "100ms" };
    const options = { file: { routes }, flags };
    const both = new TwoDoors(bed, other, door, [
      await bed.run(options),
      await bed.launch(options),
    ]);
    await both.route();
    return both;
  }

  async close(): Promise<void> {
    await this.bed.close();
  }

  get views(): readonly [NamespaceView, NamespaceView] {
    return [this.bed.src, this.other];
  }

  /** Resolves when both are asked; `bed.cutOff` ends that. */
  async route(): Promise<void> {
    await this.bed.route(this.runs[0]);
    await this.otherDoor.route(this.runs[1]);
  }

  async leader(): Promise<FerryRun> {
    return waitFor(async () => this.runs[(await this.#roles()).indexOf("leader")], {
      what: "a leader",
    });
  }

  async settle(): Promise<void> {
    await this.bed.settle(await this.leader());
  }

  /** The Lease goes to nobody: both replicas are followers, and go on answering the API server. */
  async pauseLeader(): Promise<void> {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const spec = { holderIdentity: "nobody", leaseDurationSeconds: 3_600, renewTime };
    await this.bed.src.patch("Lease", "ferry", { spec });
    await waitFor(async () => (await this.#roles()).every((role) => role === "follower"), {
      what: "the leader to step down",
    });
  }

  async resumeLeader(): Promise<void> {
    await this.bed.src.patch("Lease", "ferry", { spec: { holderIdentity: "" } });
  }

  /** Resolves whatever the answer is. */
  async post(object: Manifest, query = ""): Promise<Answer> {
    const { namespace = "" } = object.metadata;
    const path = `/api/v1/namespaces/${namespace}/services${query}`;
    return this.bed.source.request("POST", path, object);
  }

  /** Puts the sync label on a Service that is there; resolves whatever the answer is. */
  async label(view: NamespaceView, name: string): Promise<Answer> {
    return this.bed.source.request(
      "PATCH",
      `/api/v1/namespaces/${view.namespace}/services/${name}`,
      { metadata: { labels: { sync: "true" } } },
      "application/merge-patch+json",
    );
  }

  /** Writes of either replica to mirrors, the refused ones included, since the last `bed.forgetWrites`. */
  async written(): Promise<readonly AuditedWrite[]> {
    const [first, second] = this.runs;
    return [...(await this.bed.audited(first)), ...(await this.bed.audited(second))].filter(
      ({ resource }) => resource === "services",
    );
  }

  async #roles(): Promise<readonly string[]> {
    return Promise.all(this.runs.map(async (run) => (await run.status()).role));
  }
}

/** "create web", sorted. */
export function spelled(writes: readonly AuditedWrite[]): readonly string[] {
  return writes.map(({ verb, name }) => `${verb} ${name}`).toSorted();
}

/** "namespace/name" of the Service that a mirror names, stored or as it was sent. */
export function sourceOf(mirror: unknown): string | undefined {
  const { annotations } = (mirror as Manifest).metadata as {
    readonly annotations?: Readonly<Record<string, string>>;
  };
  return annotations?.["svc-ferry.io/source"];
}
