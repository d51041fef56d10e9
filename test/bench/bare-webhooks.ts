/** Two webhooks that allow everything: what being asked costs at least. Prints its port; its certificate comes as JSON by argv. */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";

const [path = ""] = process.argv.slice(2);
const { cert, key } = JSON.parse(readFileSync(path, "utf8")) as { cert: string; key: string };

interface Review {
  readonly request: { readonly uid: string };
}

const app = fastify({
  logger: false,
  bodyLimit: 7 * 1_024 * 1_024,
  keepAliveTimeout: 120_000,
  https: { cert, key },
});
for (const entry of ["/mutate", "/validate"]) {
  app.post<{ Body: Review }>(entry, async ({ body }) => ({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: body.request.uid, allowed: true },
  }));
}
await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
