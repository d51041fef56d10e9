import { type Balancer, startBalancer } from "./balancer.js";
import { Cluster } from "./cluster.js";
import { FerryBed } from "./ferry-bed.js";
import type { FerryRun, FerryRunOptions } from "./ferry-run.js";
import type { Manifest } from "./manifest.js";
import { waitFor } from "./wait-for.js";

type FailurePolicy = "Ignore" | "Fail";

/**
 * A bed whose source's API server asks the installation about each Service that carries the sync label in `src`. The
 * configurations are as the manifests have them, with a loopback URL in place of the Service reference.
 */
export class AdmissionBed extends FerryBed {
  /** Name of both webhook configurations. */
  readonly configuration = `svc-ferry-${this.id}`;
  readonly #balancer: Balancer;
  readonly #webhooks: FerryRun[] = [];
  readonly #users = new Map<string, Cluster>();

  /** Made by openAdmissionBed. */
  constructor(balancer: Balancer) {
    super();
    this.#balancer = balancer;
  }

  override async prepare(): Promise<void> {
    await super.prepare();
    await this.install();
  }

  /** Creates or changes both configurations, without caBundle. */
  async install(failurePolicy: FailurePolicy = "Ignore"): Promise<void> {
    for (const object of this.#configurations(failurePolicy)) await this.source.apply(object);
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
    const run = super.launch({ ...more, flags: { ...own, ...flags } });
    this.#webhooks.push(run);
    return run;
  }

  /** Resolves when the replicas are ready to be asked, and the API server asks them. */
  async route(...runs: readonly FerryRun[]): Promise<void> {
    const ports = await Promise.all(runs.map(webhookPort));
    for (const run of runs) await untilReady(run);
    this.#balancer.leadTo(...ports);
    this.#balancer.cut();
    await waitFor(async () => this.#isAsked(), { what: "the API server to ask the webhook" });
  }

  /** Nobody answers the API server any more. */
  cutOff(): void {
    this.#balancer.leadTo();
    this.#balancer.cut();
  }

  override async close(): Promise<void> {
    for (const kind of KINDS) await this.source.remove(kind, undefined, this.configuration);
    await super.close();
    await this.#balancer.close();
    for (const user of this.#users.values()) await user.close();
  }

  /** A dry run leaves nothing behind, and one that would put a sync label on a mirror is refused. */
  async #isAsked(): Promise<boolean> {
    const { namespace } = this.src;
    const metadata = {
      namespace,
      name: "is-asked",
      labels: { sync: "true", "svc-ferry.io/link": "nobody" },
    };
    const { status, body } = await this.source.request(
      "POST",
      `/api/v1/namespaces/${namespace}/services?dryRun=All`,
      { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } },
    );
    return status === 403 && JSON.stringify(body).includes("is-a-mirror");
  }

  #configurations(failurePolicy: FailurePolicy): readonly Manifest[] {
    const url = (path: string): string => `https://127.0.0.1:${this.#balancer.port}/${path}`;
    const entry = (path: string, operations: readonly string[]): object => ({
      clientConfig: { url: url(path) },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations, resources: ["services"] }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": this.src.namespace } },
      objectSelector: { matchLabels: { sync: "true" } },
      matchPolicy: "Equivalent",
      timeoutSeconds: 2,
      admissionReviewVersions: ["v1"],
    });
    const changes = ["CREATE", "UPDATE"];
    const metadata = { name: this.configuration };
    const apiVersion = "admissionregistration.k8s.io/v1";
    return [
      {
        apiVersion,
        kind: "MutatingWebhookConfiguration",
        metadata,
        webhooks: [
          {
            ...entry("mutate", changes),
            name: "mutate.svc-ferry.io",
            failurePolicy: "Ignore",
            sideEffects: "None",
            reinvocationPolicy: "IfNeeded",
          },
        ],
      },
      {
        apiVersion,
        kind: "ValidatingWebhookConfiguration",
        metadata,
        webhooks: [
          {
            ...entry("validate", changes),
            name: "validate.svc-ferry.io",
            failurePolicy,
            sideEffects: "NoneOnDryRun",
            matchConditions: [
              {
                name: "not-being-deleted",
                expression: "!has(object.metadata.deletionTimestamp)",
              },
            ],
          },
          {
            ...entry("validate", ["DELETE"]),
            name: "observe.svc-ferry.io",
            failurePolicy: "Ignore",
            sideEffects: "NoneOnDryRun",
          },
        ],
      },
    ];
  }
}

const KINDS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

export async function openAdmissionBed(): Promise<AdmissionBed> {
  const bed = new AdmissionBed(await startBalancer());
  await bed.prepare();
  return bed;
}

async function webhookPort(run: FerryRun): Promise<number> {
  const [listening] = await run.untilLogged("webhook listening");
  return Number(listening?.["port"]);
}

async function untilReady(run: FerryRun): Promise<void> {
  await waitFor(async () => (await run.get("/ready/webhook")).status === 200, {
    what: `the webhook of ${run.podName} to be ready`,
  });
}
