import { setTimeout as sleep } from "node:timers/promises";
import { webhookConfigurations } from "../harness/webhook-configurations.js";
import { each } from "./api.js";
import type { BareKind } from "./bare-webhooks.js";
import { type Bed, FERRY_LABEL, RAW_LABEL } from "./bed.js";
import { Condition, rowsBeside, type Load } from "./condition.js";
import type { Counts } from "./counts.js";
import { side } from "./labelled-side.js";
import { names, service, servicesOf } from "./objects.js";
import { reviewsPerCore } from "./reviews-per-core.js";
import { atLeastRow, limitRow, ratioRow, type Row } from "./row.js";
import { percentile } from "./statistics.js";

const part = "admission";
/**
 * Patches a second. 200 is what was asked for, and fills two cores that API servers and etcds run on as well, before anybody is
 * asked: then a queue is measured, whose length is the rest of a small difference. 50 leave room.
 */
const RATES: readonly number[] = [200, 50];
const SERVICES = 200;
/** The first ones open connections and compile code. */
const WARM_UP = 20;
const PAUSE_MS = 30;
/** Of what webhooks add that write as much. Beside those that write nothing it is told only: see decision 0017. */
const MAX_TIMES = 1.3;
const BARE = "beside bare webhooks";
const WEBHOOK = ["--webhook=on", "--webhook-port=0", "--hand-off-port=0"];

/** What it costs to be asked, beside webhooks that only allow; how many reviews fit; and what it does for the mirror. */
export async function admission(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  return [...(await addedLatency(bed, counts)), ...(await admittedToApplied(bed, counts))];
}

/**
 * Patches over 200 Services, in five namespaces: nobody is asked, two bare webhooks, two that write annotations, two that also sign
 * and follow what is stored, svc-ferry. They take turns in both orders, at one rate and then at the other. The Services are paused,
 * so that nothing is written elsewhere: it is admission that is measured.
 */
async function addedLatency(
  bed: Bed,
  { admissionSeconds, admissionRounds }: Counts,
): Promise<readonly Row[]> {
  const none = new Condition(await services(bed, "bench-admission-none"));
  const allow = await bare(bed, "allow");
  const stamps = await bare(bed, "stamps");
  const follows = await bare(bed, "follows");
  const namespace = await services(bed, "bench-admission-ferry");
  const replica = bed.ferry(namespace, [...WEBHOOK, "--webhook-configuration=ours"]);
  const ours = new Condition(namespace, replica.pid);
  await ask(bed, "ours", namespace, await replica.webhookPort());
  await replica.webhookReady();
  await replica.idle();
  const conditions = [none, allow.at, stamps.at, follows.at, ours];
  const order = [...conditions, ...conditions.toReversed()];
  const seconds = admissionSeconds;
  for (const one of conditions) await patches(bed, one.namespace, { perSecond: 200, seconds: 1 });
  for (let round = 0; round < admissionRounds; round += 1) {
    for (const perSecond of RATES) {
      const load = { perSecond, seconds };
      for (const at of order) await at.turn(load, () => patches(bed, at.namespace, load));
    }
  }
  const perCore = await reviewsPerCore(replica, namespace, seconds);
  await Promise.all([replica, allow, stamps, follows].map(async (one) => one.stop()));
  const what = "reviews per second and core, mutating and validating in turns";
  const by = { none, allow: allow.at, stamps: stamps.at, follows: follows.at, ours };
  return [
    ...RATES.flatMap((perSecond) => rowsAt(perSecond, by)),
    atLeastRow({ part, what, unit: "reviews/s" }, perCore, 3_000),
  ];
}

/** The goal is about the second baseline. */
function rowsAt(
  perSecond: number,
  by: Readonly<Record<"none" | BareKind | "ours", Condition>>,
): readonly Row[] {
  const { none, ours } = by;
  const at = { part, perSecond };
  const [stamping, following] = [
    `${BARE} that write annotations`,
    `${BARE} that also sign and follow`,
  ];
  return [
    ...rowsBeside({ none, beside: by.allow, ours }, { ...at, more: BARE }),
    ...rowsBeside({ none, beside: by.stamps, ours }, { ...at, more: stamping, limit: MAX_TIMES }),
    ...rowsBeside({ none, beside: by.follows, ours }, { ...at, more: following }),
  ];
}

/** Bare webhooks of one kind, which are asked about a namespace of their own. */
async function bare(
  bed: Bed,
  kind: BareKind,
): Promise<{ readonly at: Condition; stop(): Promise<void> }> {
  const namespace = await services(bed, `bench-admission-${kind}`);
  const { port, ca, pid, stop } = await bed.bareWebhooks(kind, namespace);
  await ask(bed, kind, namespace, port, ca);
  return { at: new Condition(namespace, pid), stop };
}

/** A namespace with the Services that are patched. */
async function services(bed: Bed, namespace: string): Promise<string> {
  await bed.namespace(namespace);
  const paused = { "svc-ferry.io/paused": "true" };
  await each(names("svc", SERVICES), 16, (name) => {
    const one = service(name, FERRY_LABEL) as { metadata: object };
    const metadata = { ...one.metadata, annotations: paused };
    return bed.source.send("POST", servicesOf(namespace), { ...one, metadata });
  });
  return namespace;
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
async function patches(
  bed: Bed,
  namespace: string,
  { perSecond, seconds }: Load,
): Promise<readonly number[]> {
  const beganMs = performance.now();
  const sent: Promise<number>[] = [];
  for (let index = 0; index < seconds * perSecond; index += 1) {
    const dueMs = beganMs + (index * 1_000) / perSecond;
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) await sleep(leftMs);
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
