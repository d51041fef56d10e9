import { Pool } from "undici";
import { FERRY_LABEL } from "./bed.js";
import { service } from "./objects.js";
import { cpuSeconds, type Replica } from "./replica.js";

/**
 * Asked directly, as fast as it answers; what counts is the processor time that it takes. What hints cost the leader is in the added
 * latency: these changes are never stored, so the reviews carry no stamp that would be expected.
 */
export async function reviewsPerCore(
  replica: Replica,
  namespace: string,
  seconds: number,
): Promise<number> {
  const port = await replica.webhookPort();
  const pool = new Pool(`https://127.0.0.1:${port}`, {
    connections: 8,
    // It is loopback, and what is measured is not trust.
    connect: { rejectUnauthorized: false },
  });
  const headers = { "content-type": "application/json" };
  let reviews = 0;
  const ask = async (path: string, body: string): Promise<void> => {
    const answer = await pool.request({ method: "POST", path, headers, body });
    await answer.body.text();
    reviews += 1;
  };
  let changes = 0;
  const load = async (untilMs: number): Promise<void> => {
    while (performance.now() < untilMs) {
      changes += 1;
      const body = review(namespace, changes);
      await ask("/mutate", body);
      await ask("/validate", body);
    }
  };
  const all = (ms: number): Promise<unknown> => {
    const untilMs = performance.now() + ms;
    return Promise.all(Array.from({ length: 16 }, () => load(untilMs)));
  };
  await all(1_000);
  reviews = 0;
  const before = cpuSeconds(replica.pid);
  await all(seconds * 1_000);
  const used = cpuSeconds(replica.pid) - before;
  await pool.destroy();
  return reviews / used;
}

/** The nth change: another port, another Service. With all that an API server sends of both versions. */
function review(namespace: string, n: number): string {
  const name = `svc-${n % SERVICES}`;
  const object = (port: number): object => {
    const one = service(name, FERRY_LABEL) as { metadata: object; spec: object };
    const uid = "0d9c7a5e-1f2b-4c3d-8e4f-5a6b7c8d9e0f";
    const metadata = { ...one.metadata, namespace, uid, managedFields: MANAGED_FIELDS };
    const ports = [{ name: "http", port, targetPort: 8_080, protocol: "TCP" }];
    return { ...one, metadata, spec: { ...DEFAULTS, ports } };
  };
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Service" },
      resource: { group: "", version: "v1", resource: "services" },
      name,
      namespace,
      operation: "UPDATE",
      userInfo: { username: "bench", groups: ["system:authenticated"] },
      object: object(1 + (n % MAX_PORT)),
      oldObject: object(1 + ((n - 1) % MAX_PORT)),
      dryRun: false,
      options: { kind: "PatchOptions", apiVersion: "meta.k8s.io/v1" },
    },
  });
}

const SERVICES = 200;
const MAX_PORT = 65_535;

/** What an API server gives a Service. */
const DEFAULTS = {
  clusterIP: "10.96.0.10",
  clusterIPs: ["10.96.0.10"],
  internalTrafficPolicy: "Cluster",
  ipFamilies: ["IPv4"],
  ipFamilyPolicy: "SingleStack",
  sessionAffinity: "None",
  type: "ClusterIP",
};

/** Of the two who made such a Service what it is. */
const MANAGED_FIELDS = ["creator", "patcher"].map((manager) => ({
  manager,
  operation: "Update",
  apiVersion: "v1",
  time: "2026-01-15T10:30:45Z",
  fieldsType: "FieldsV1",
  fieldsV1: {
    "f:metadata": { "f:labels": { ".": {}, "f:sync": {} } },
    "f:spec": {
      "f:ports": {
        ".": {},
        'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {}, "f:protocol": {} },
      },
      "f:sessionAffinity": {},
      "f:type": {},
    },
  },
}));
