/**
 * Two webhooks that allow everything: what being asked costs at least. With "stamps" as second argument the mutating one writes four
 * annotations of the size of a stamp: what it costs the API server that something is written. Prints its port; its certificate comes
 * as JSON by argv.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";

const [path = "", kind = ""] = process.argv.slice(2);
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
/** Base64 of a JSON patch; other values each time, as a stamp has them. */
function stamp(): string {
  const at = new Date().toISOString();
  const id = randomBytes(8).toString("hex");
  const values = { "change-id": id, "changed-by": "bench", "changed-at": at, stamp: id.repeat(4) };
  const patch = Object.entries(values).map(([key, value]) => {
    return { op: "add", path: `/metadata/annotations/svc-ferry.io~1${key}`, value };
  });
  return Buffer.from(JSON.stringify(patch)).toString("base64");
}

for (const entry of ["/mutate", "/validate"]) {
  app.post<{ Body: Review }>(entry, async ({ body }) => {
    const isStamped = kind === "stamps" && entry === "/mutate";
    const patch = isStamped ? { patchType: "JSONPatch", patch: stamp() } : {};
    return {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: body.request.uid, allowed: true, ...patch },
    };
  });
}
await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
