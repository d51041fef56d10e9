/**
 * What admission costs at least: two webhooks of bare fastify, in three kinds that do ever more of what svc-ferry cannot do without.
 * No rule, no cache, no log, no metric, no hint to a leader, no check of what was sent. Prints its port.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { type Access, Api } from "./api.js";
import { servicesOf } from "./objects.js";

export type BareKind =
  /** Allows everything without a look. */
  | "allow"
  /** The mutating one writes four annotations of the size of a stamp: what it costs the API server that something is written. */
  | "stamps"
  /** And signs what the object says, and follows by a watch what is stored, whose signature it makes once more to compare. */
  | "follows";

/** What the file named on the command line holds. */
export interface BareWebhooksConfig {
  readonly kind: BareKind;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Of the Services that are patched. */
  readonly namespace: string;
  readonly source: Access;
}

interface Review {
  readonly request: { readonly uid: string; readonly object: object };
}

const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as BareWebhooksConfig;
const { kind, cert, key } = config;
const secret: KeyObject = createSecretKey(randomBytes(32));

/** Base64 of a JSON patch; other values each time, as a stamp has them. */
function stamp(object: object): string {
  const at = new Date().toISOString();
  const id = randomBytes(8).toString("hex");
  const signature = kind === "follows" ? sign(object) : id.repeat(4);
  const values = { "change-id": id, "changed-by": "bench", "changed-at": at, stamp: signature };
  const patch = Object.entries(values).map(([name, value]) => {
    return { op: "add", path: `/metadata/annotations/svc-ferry.io~1${name}`, value };
  });
  return Buffer.from(JSON.stringify(patch)).toString("base64");
}

function sign(object: object): string {
  const { spec } = object as { spec?: unknown };
  return createHmac("sha256", secret).update(JSON.stringify(spec)).digest("hex");
}

if (kind === "follows") {
  const source = new Api(config.source, 1);
  const signatureByName = new Map<string, string>();
  const follow = (): Promise<void> =>
    source.watch(
      servicesOf(config.namespace),
      "",
      ({ object }) => signatureByName.set(object.metadata.name, sign(object)),
      () => void follow(),
    );
  await follow();
}
const app = fastify({
  logger: false,
  bodyLimit: 7 * 1_024 * 1_024,
  keepAliveTimeout: 120_000,
  https: { cert, key },
});
for (const entry of ["/mutate", "/validate"]) {
  app.post<{ Body: Review }>(entry, async ({ body }) => {
    const { uid, object } = body.request;
    const isStamped = kind !== "allow" && entry === "/mutate";
    const patch = isStamped ? { patchType: "JSONPatch", patch: stamp(object) } : {};
    return {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid, allowed: true, ...patch },
    };
  });
}
await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
