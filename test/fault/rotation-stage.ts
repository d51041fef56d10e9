import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RotationSettings } from "../../certs/rotation-settings.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { type AdmissionDoor, openDoor } from "../harness/admission-door.js";
import { FerryRun } from "../harness/ferry-run.js";
import { metricSum } from "../harness/metric-sum.js";
import { Newcomer } from "../harness/newcomer.js";
import { publishedBundles } from "../harness/published-bundle.js";
import { waitFor } from "../harness/wait-for.js";
import { CONFIGURATION_KINDS, webhookConfigurations } from "../harness/webhook-configurations.js";
import type { Bed } from "./bed.js";

/** Of namespaces, Lease and webhook configurations. */
const NAME = "rotation";
const SECRET = "svc-ferry-webhook-tls";

/** Three replicas in this process whose certificates live for seconds; the API server asks them in turn, under `Fail`. */
export class RotationStage {
  readonly #folder = mkdtempSync(join(tmpdir(), "svc-ferry-rotation-"));

  private constructor(
    private readonly bed: Bed,
    private readonly door: AdmissionDoor,
    private readonly rotation: RotationSettings,
    readonly replicas: FerryRun[] = [],
  ) {}

  /** The first replica leads; the last one's watch of the Secret is `lateMs` late. */
  static async open(bed: Bed, rotation: RotationSettings, lateMs: number): Promise<RotationStage> {
    for (const cluster of [bed.from, bed.to]) {
      await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAME } });
    }
    const proxy = await bed.httpProxy(bed.source);
    proxy.setRule(({ watch, path }) =>
      watch && path.endsWith("/secrets") ? { kind: "stream", delayMs: lateMs } : undefined,
    );
    const door = await openDoor(bed.from, NAME);
    const lateWay = { server: proxy.url, ca: proxy.ca };
    const stage = new RotationStage(bed, door, rotation);
    await stage.#installWithoutBundle();
    const leader = stage.#start("leader");
    await leader.untilIdle();
    await door.route(leader, stage.#start("follower"), stage.#start("late", lateWay));
    return stage;
  }

  get namespace(): string {
    return NAME;
  }

  /**
   * Calls to the webhook that failed, as the API server counts: with an error for the user, and silently.
   *
   * NB: one that failed under `Ignore` may count twice.
   */
  async failedCalls(): Promise<number> {
    const page = await this.#metrics();
    const errors = { error_type: "calling_webhook_error" };
    return (
      (metricSum(page, "apiserver_admission_webhook_rejection_count", errors) ?? 0) +
      (metricSum(page, "apiserver_admission_webhook_fail_open_count") ?? 0)
    );
  }

  /** Calls to the webhook that were answered. */
  async answeredCalls(): Promise<number> {
    const answered = { code: "200" };
    return (
      metricSum(await this.#metrics(), "apiserver_admission_webhook_request_total", answered) ?? 0
    );
  }

  /**
   * As a GitOps tool does it that knows no caBundle. Until it is back, the API server trusts nobody: nothing that a replica
   * shows can help it.
   *
   * @returns once the API server asks again
   */
  async blank(): Promise<void> {
    await this.#installWithoutBundle();
    await waitFor(async () => this.#isBundleBack(), { what: "caBundle", timeoutMs: 1_000 });
    await waitFor(async () => this.#isAsked(), {
      what: "the API server to trust the webhook",
      everyMs: 100, // its metrics are many
    });
  }

  /** Of each replica. */
  async metrics(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<readonly number[]> {
    return Promise.all(
      this.replicas.map(async (replica) => (await replica.metric(name, labels)) ?? 0),
    );
  }

  /** Why an API server that connects anew would not take what this replica shows; undefined: it would. */
  async refusal(replica: FerryRun): Promise<string | undefined> {
    return new Newcomer(this.bed.from, NAME).refusal(replica);
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map(async (replica) => replica.stop()));
    for (const kind of CONFIGURATION_KINDS) await this.bed.from.remove(kind, undefined, NAME);
    await this.door.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(podName: string, way?: { readonly server: string; readonly ca: string }): FerryRun {
    const kubeconfig = join(this.#folder, `${podName}.yaml`);
    const { source, destination } = this.bed;
    writeKubeconfig(kubeconfig, [
      { context: "source", controlPlane: source, ...way },
      { context: "destination", controlPlane: destination },
    ]);
    const run = new FerryRun({
      podName,
      rotation: this.rotation,
      flags: {
        kubeconfig,
        srcContext: "source",
        dstContext: "destination",
        srcNs: NAME,
        dstNs: NAME,
        leaderElectionNamespace: NAME,
        leaderElectionName: "ferry",
        webhook: true,
        webhookConfiguration: NAME,
        webhookPort: "0",
        handOffPort: "0",
      },
    });
    this.replicas.push(run);
    return run;
  }

  async #installWithoutBundle(): Promise<void> {
    const { from } = this.bed;
    const options = { name: NAME, failurePolicy: "Fail", asked: [this.door] } as const;
    for (const object of webhookConfigurations(options)) {
      const { kind } = object;
      const isThere = (await from.get(kind, undefined, NAME)) !== undefined;
      if (isThere) await from.patch(kind, undefined, NAME, object);
      else await from.create(object);
    }
  }

  /** Every entry trusts what the Secret says. */
  async #isBundleBack(): Promise<boolean> {
    const { from } = this.bed;
    const secret = await from.get("Secret", NAME, SECRET);
    const data = secret?.["data"] as Readonly<Record<string, string>> | undefined;
    const bundles = await publishedBundles(from, NAME);
    return bundles.every((bundle) => bundle === data?.["ca.crt"]);
  }

  /** Both entries of a change: one call of each that does not fail. */
  async #isAsked(): Promise<boolean> {
    const before = await this.failedCalls();
    const metadata = { name: "is-asked", labels: { sync: "true" } };
    const { status } = await this.bed.from.request(
      "POST",
      `/api/v1/namespaces/${NAME}/services?dryRun=All`,
      { metadata, spec: { ports: [{ port: 80 }] } },
    );
    return status === 201 && (await this.failedCalls()) === before;
  }

  async #metrics(): Promise<string> {
    return String((await this.bed.from.request("GET", "/metrics")).body);
  }
}
