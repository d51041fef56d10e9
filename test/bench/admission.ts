import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { webhookConfigurations } from "../harness/webhook-configurations.js";
import { each } from "./api.js";
import { type Bed, FERRY_LABEL, RAW_LABEL } from "./bed.js";
import type { Counts } from "./counts.js";
import { side } from "./labelled-side.js";
import { names, service, servicesOf } from "./objects.js";
import { cpuSeconds, type Replica } from "./replica.js";
import { atLeastRow, limitRow, ratioRow, type Row } from "./row.js";
import { median, percentile } from "./statistics.js";

const part = "admission";
const PER_SECOND = 200;
const SERVICES = 200;
/** The first ones open connections and compile code. */
const WARM_UP = 20;
const PAUSE_MS = 30;
/** Of what webhooks add that write as much. Beside those that write nothing it is told only: see decision 0017. */
const MAX_TIMES = 1.3;
const WEBHOOK = ["--webhook=on", "--webhook-port=0", "--hand-off-port=0"];

/** What it costs to be asked, beside webhooks that only allow; how many reviews fit; and what it does for the mirror. */
export async function admission(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  return [...(await addedLatency(bed, counts)), ...(await admittedToApplied(bed, counts))];
}

/** One condition under which the same Services are patched. */
interface Condition {
  readonly namespace: string;
  /** What each patch took, for each turn. */
  readonly turns: (readonly number[])[];
}

/**
 * 200 patches a second over 200 Services, in four namespaces: nobody is asked, two bare webhooks, two that write annotations,
 * svc-ferry. They take turns in both orders. The Services are paused, so that nothing is written elsewhere: it is admission that is measured.
 */
async function addedLatency(
  bed: Bed,
  { admissionSeconds, admissionRounds }: Counts,
): Promise<readonly Row[]> {
  const none = await condition(bed, "bench-admission-none");
  const bare = await condition(bed, "bench-admission-bare");
  const stamped = await condition(bed, "bench-admission-stamp");
  const ours = await condition(bed, "bench-admission-ferry");
  const [webhooks, stamping] = await Promise.all([bed.bareWebhooks(), bed.bareWebhooks("stamps")]);
  await ask(bed, "bare", bare.namespace, webhooks.port, webhooks.ca);
  await ask(bed, "stamped", stamped.namespace, stamping.port, stamping.ca);
  const replica = bed.ferry(ours.namespace, [...WEBHOOK, "--webhook-configuration=ours"]);
  await ask(bed, "ours", ours.namespace, await replica.webhookPort());
  await replica.webhookReady();
  await replica.idle();
  const conditions = [none, bare, stamped, ours];
  const order = [...conditions, ...conditions.toReversed()];
  for (const { namespace } of conditions) await patches(bed, namespace, 1);
  for (let round = 0; round < admissionRounds; round += 1) {
    for (const { namespace, turns } of order) {
      turns.push(await patches(bed, namespace, admissionSeconds));
    }
  }
  const rows = [0.5, 0.99].flatMap((fraction) => {
    // The middle of all turns: one in which the disk stood still for a second says nothing about webhooks.
    const [base = 0, least = 0, writing = 0, own = 0] = conditions.map(({ turns }) =>
      median(turns.map((tookMs) => percentile(tookMs, fraction))),
    );
    const at = (more: string): { part: string; what: string; unit: string } => {
      const what = `latency added to ${PER_SECOND} patches/s, p${fraction * 100}${more}`;
      return { part, what, unit: "ms" };
    };
    const ferry = own - base;
    return [
      ratioRow(at(""), { bare: least - base, ferry }, undefined),
      ratioRow(
        at(", beside bare webhooks that write annotations"),
        { bare: writing - base, ferry },
        MAX_TIMES,
      ),
    ];
  });
  const perCore = await reviewsPerCore(replica, ours.namespace, admissionSeconds);
  await Promise.all([replica.stop(), webhooks.stop(), stamping.stop()]);
  const what = "reviews per second and core, mutating and validating in turns";
  return [...rows, atLeastRow({ part, what, unit: "reviews/s" }, perCore, 3_000)];
}

async function condition(bed: Bed, namespace: string): Promise<Condition> {
  await bed.namespace(namespace);
  const paused = { "svc-ferry.io/paused": "true" };
  await each(names("svc", SERVICES), 16, (name) => {
    const one = service(name, FERRY_LABEL) as { metadata: object };
    const metadata = { ...one.metadata, annotations: paused };
    return bed.source.send("POST", servicesOf(namespace), { ...one, metadata });
  });
  return { namespace, turns: [] };
}

/** The API server asks about a namespace from now on; svc-ferry puts its own caBundle there. */
async function ask(
  bed: Bed,
  name: string,
  namespace: string,
  port: number,
  ca?: string,
): Promise<void> {
  const objects = webhookConfigurations({
    name,
    failurePolicy: "Fail",
    asked: [{ namespace, port }],
  });
  for (const { kind, ...object } of objects) {
    const webhooks = (object as unknown as { webhooks: { clientConfig: object }[] }).webhooks.map(
      ({ clientConfig, ...webhook }) => ({
        ...webhook,
        clientConfig: { ...clientConfig, ...(ca === undefined ? {} : { caBundle: ca }) },
      }),
    );
    const plural = `${kind.toLowerCase()}s`;
    const path = `/apis/admissionregistration.k8s.io/v1/${plural}`;
    await bed.source.send("POST", path, { ...object, kind, webhooks });
  }
}

/** Paced, whatever an answer takes: one that is late does not hold up the next. Resolves with the ms of each. */
async function patches(bed: Bed, namespace: string, seconds: number): Promise<readonly number[]> {
  const beganMs = performance.now();
  const sent: Promise<number>[] = [];
  for (let index = 0; index < seconds * PER_SECOND; index += 1) {
    const dueMs = beganMs + (index * 1_000) / PER_SECOND;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    sent.push(patch(bed, `${servicesOf(namespace)}/svc-${index % SERVICES}`));
  }
  return Promise.all(sent);
}

let nextPort = 1_000;

async function patch(bed: Bed, path: string): Promise<number> {
  const startedMs = performance.now();
  nextPort = nextPort >= 60_000 ? 1_000 : nextPort + 1;
  const ports = [{ name: "http", port: nextPort, targetPort: 8080, protocol: "TCP" }];
  await bed.source.send("PATCH", path, { spec: { ports } });
  return performance.now() - startedMs;
}

/** Asked directly, as fast as it answers; what counts is the processor time that it takes. */
async function reviewsPerCore(
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
  const bodies = [80, 81].map((port_) => review(namespace, port_));
  const headers = { "content-type": "application/json" };
  let reviews = 0;
  const load = async (untilMs: number): Promise<void> => {
    for (let turn = 0; performance.now() < untilMs; turn += 1) {
      const path = turn % 2 === 0 ? "/mutate" : "/validate";
      const answer = await pool.request({
        method: "POST",
        path,
        headers,
        body: bodies[turn % 2] ?? "",
      });
      await answer.body.text();
      reviews += 1;
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

function review(namespace: string, port: number): string {
  const object = (at: number): object => {
    const one = service("svc-0", FERRY_LABEL) as { metadata: object };
    const metadata = { ...one.metadata, namespace, uid: "0d9c7a5e-1f2b-4c3d-8e4f-5a6b7c8d9e0f" };
    return { ...one, metadata, spec: { ports: [{ name: "http", port: at, protocol: "TCP" }] } };
  };
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Service" },
      resource: { group: "", version: "v1", resource: "services" },
      name: "svc-0",
      namespace,
      operation: "UPDATE",
      userInfo: { username: "bench", groups: ["system:authenticated"] },
      object: object(port),
      oldObject: object(port - 1),
      dryRun: false,
      options: { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  });
}

/** One label at a time, three ways in turn: the bare minimum, svc-ferry by its watch alone, and with the webhook. */
async function admittedToApplied(bed: Bed, { rounds }: Counts): Promise<readonly Row[]> {
  const raw = await side(bed, "bench-applied-raw", RAW_LABEL, rounds + WARM_UP);
  const watch = await side(bed, "bench-applied-watch", FERRY_LABEL, rounds + WARM_UP);
  const asked = await side(bed, "bench-applied-asked", FERRY_LABEL, rounds + WARM_UP);
  const writer = await bed.rawWriter("bench-applied-raw");
  const watching = bed.ferry("bench-applied-watch");
  const asking = bed.ferry("bench-applied-asked", [...WEBHOOK, "--webhook-configuration=applied"]);
  await ask(bed, "applied", "bench-applied-asked", await asking.webhookPort());
  await asking.webhookReady();
  for (const replica of [watching, asking]) await replica.idle();
  const sides = [raw, watch, asked];
  for (let round = 0; round < rounds + WARM_UP; round += 1) {
    for (let turn = 0; turn < sides.length; turn += 1) {
      await sides[(round + turn) % sides.length]?.label(round);
      await sleep(PAUSE_MS);
    }
  }
  await Promise.all([writer.stop(0), watching.stop(), asking.stop()]);
  return [0.5, 0.99].flatMap((fraction) => {
    const [bare = 0, alone = 0, ferry = 0] = sides.map(({ tookMs }) =>
      percentile(tookMs.slice(WARM_UP), fraction),
    );
    const what = `kubectl's request → applied, p${fraction * 100}`;
    return [
      ratioRow({ part, what, unit: "ms" }, { bare, ferry }, undefined),
      limitRow(
        { part, what: `the same without the webhook, p${fraction * 100}`, unit: "ms" },
        alone,
      ),
    ];
  });
}
