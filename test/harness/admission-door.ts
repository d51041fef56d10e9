import { type Balancer, startBalancer } from "./balancer.js";
import type { Cluster } from "./cluster.js";
import type { FerryRun } from "./ferry-run.js";
import { waitFor } from "./wait-for.js";
import type { Asked } from "./webhook-configurations.js";

/** Through which the API server asks replicas about the Services of one namespace. */
export class AdmissionDoor implements Asked {
  /** Made by openDoor. */
  constructor(
    private readonly source: Cluster,
    readonly namespace: string,
    private readonly balancer: Balancer,
  ) {}

  get port(): number {
    return this.balancer.port;
  }

  /** Resolves when the replicas are ready to be asked, and the API server asks them. */
  async route(...runs: readonly FerryRun[]): Promise<void> {
    const ports = await Promise.all(runs.map(webhookPort));
    for (const run of runs) await untilReady(run);
    await this.lead(...ports);
  }

  /** As `route`, to what listens on these ports. */
  async lead(...ports: readonly number[]): Promise<void> {
    this.balancer.leadTo(...ports);
    this.balancer.cut();
    await waitFor(async () => this.#isAsked(), { what: "the API server to ask the webhook" });
  }

  /** New connections lead to these replicas; those that are open stay where they are. */
  async turnTo(...runs: readonly FerryRun[]): Promise<void> {
    this.balancer.leadTo(...(await Promise.all(runs.map(webhookPort))));
  }

  /** Nobody answers the API server any more. */
  cutOff(): void {
    this.balancer.leadTo();
    this.balancer.cut();
  }

  async close(): Promise<void> {
    await this.balancer.close();
  }

  /** A dry run leaves nothing behind, and one that would put a sync label on a mirror is refused. */
  async #isAsked(): Promise<boolean> {
    const { namespace } = this;
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
}

export async function openDoor(source: Cluster, namespace: string): Promise<AdmissionDoor> {
  return new AdmissionDoor(source, namespace, await startBalancer());
}

/** Where a replica's webhook listens, once it does. */
export async function webhookPort(run: FerryRun): Promise<number> {
  const [listening] = await run.untilLogged("webhook listening");
  return Number(listening?.["port"]);
}

async function untilReady(run: FerryRun): Promise<void> {
  await waitFor(async () => (await run.get("/ready/webhook")).status === 200, {
    what: `the webhook of ${run.podName} to be ready`,
  });
}
