import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../controlplane/free-port.js";
import { selfSigned } from "../controlplane/self-signed.js";
import { AnsweringWebhook } from "../fixtures/answering-webhook.js";
import { Cluster } from "./cluster.js";
import { waitFor } from "./wait-for.js";

const KIND = "ValidatingWebhookConfiguration";
/** It answers after so many ms at most: now before svc-ferry, now after it. */
const JITTER_MS = 50;

/** Another validating webhook of the same cluster: whatever one user wants to do to Services of a namespace, it refuses. */
export class SiblingWebhook {
  private constructor(
    /** On behalf of the user whom it refuses everything. */
    readonly refused: Cluster,
    private readonly name: string,
    private readonly server: AnsweringWebhook,
  ) {}

  /** Resolves when the API server asks it. */
  static async open(cluster: Cluster, namespace: string): Promise<SiblingWebhook> {
    const name = `sibling-${randomBytes(4).toString("hex")}`;
    const certificate = selfSigned(name);
    const server = await AnsweringWebhook.listen(certificate, await freePort(), async (asked) => {
      await sleep(Math.random() * JITTER_MS);
      return asked.userInfo.username === name ? "no, says the sibling" : undefined;
    });
    const refused = new Cluster(cluster.connection, name);
    const sibling = new SiblingWebhook(refused, name, server);
    await refused.apply(configuration(name, namespace, server.port, certificate.cert));
    await waitFor(async () => sibling.#isAsked(namespace), { what: "the sibling to be asked" });
    return sibling;
  }

  async close(): Promise<void> {
    await this.refused.remove(KIND, undefined, this.name);
    await this.refused.close();
    await this.server.close();
  }

  async #isAsked(namespace: string): Promise<boolean> {
    const { status } = await this.refused.request(
      "POST",
      `/api/v1/namespaces/${namespace}/services?dryRun=All`,
      { metadata: { name: "is-asked" }, spec: { ports: [{ port: 80 }] } },
    );
    return status === 403;
  }
}

function configuration(
  name: string,
  namespace: string,
  port: number,
  ca: string,
): Parameters<Cluster["apply"]>[0] {
  const operations = ["CREATE", "UPDATE", "DELETE"];
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: KIND,
    metadata: { name },
    webhooks: [
      {
        name: "sibling.example.com",
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(ca).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations, resources: ["services"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}
