import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { heldBytes } from "../../harness/held-bytes.js";
import type { Stored } from "../../harness/manifest.js";
import { metricSum } from "../../harness/metric-sum.js";
import { service } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
const PER_SECOND = 200;
const SECONDS = FULL ? 10 : 0.5;
const PATCHES = PER_SECOND * SECONDS;
/** 2,000 patches become some 80,000 reviews, which is minutes of work for two cores that have nothing else to do. */
const LIMIT = { timeout: FULL ? 900_000 : 240_000 };
/** Each conflict between them makes the API server run the whole chain of admission once more. */
const CLIENTS = FULL ? 20 : 8;
/** What the leader says of hints, as little as it is: five lines of each for a Service that is changed all the time. */
const DOORBELLS = ["queued", "superseded"];
const MAX_DOORBELLS = 10;
/** Of one hot name: it may wait in the queue while it is being looked at, and its change in the outbox until it is stored. */
const MAX_WAITING = 2;
/**
 * What the process may hold more when all is over; what is left is noise of the test's own client. A storm is some 2,000 reviews
 * here, which would be 8 MB if they were kept, and 80,000 in full, of which a mere hint of each would be 20 MB.
 */
const MAX_GROWTH_BYTES = FULL ? 4_000_000 : 1_500_000;

let bed: AdmissionBed;
let leader: FerryRun;

beforeAll(async () => {
  bed = await openAdmissionBed();
  leader = await bed.run();
  await bed.route(leader);
});
afterAll(async () => bed.close());

/** The resource version that was stored; undefined: the API server gave up among all those conflicts. */
async function patch(name: string, body: object): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${bed.src.namespace}/services/${name}`;
  const answer = await bed.source.request("PATCH", path, body, "application/merge-patch+json");
  return answer.status === 200 ? (answer.body as Stored).metadata.resourceVersion : undefined;
}

const PORT = 1_000;

interface Storm {
  /** Resource versions that were stored. */
  readonly stored: ReadonlySet<string>;
  /** How often a change took the API server longer than it keeps its id: each time it is admitted as a new one. */
  readonly renewed: number;
}

/** A change of the same user and content keeps its id for so long. */
const SAME_FOR_MS = 10_000;

/** So many patches of one Service at 200 a second, or as many as the servers take. */
async function storm(patches: number): Promise<Storm> {
  const stored = new Set<string>();
  const beganMs = performance.now();
  let [next, renewed] = [0, 0];
  const client = async (): Promise<void> => {
    while (next < patches) {
      const number = next++;
      await sleep(Math.max(0, beganMs + (number * 1_000) / PER_SECOND - performance.now()));
      const sentMs = performance.now();
      const revision = await patch("hot", { spec: { ports: [{ port: PORT + number }] } });
      if (revision !== undefined) stored.add(revision);
      renewed += Math.floor((performance.now() - sentMs) / SAME_FOR_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { stored, renewed };
}

/** The most that waited at once, by the metrics, while `work` was under way. */
async function peaksDuring(work: Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const peaks = { svc_ferry_outbox_hints: 0, svc_ferry_queue_depth: 0 };
  const isOver = work.then(() => true);
  while (!(await Promise.race([isOver, sleep(50, false)]))) {
    const { text } = await leader.get("/metrics");
    for (const name of Object.keys(peaks) as (keyof typeof peaks)[]) {
      peaks[name] = Math.max(peaks[name], metricSum(text, name) ?? 0);
    }
  }
  return peaks;
}

/** The mirror ends as the last patch wants it, and nothing is under way any more. */
async function calm(): Promise<void> {
  await patch("hot", { spec: { ports: [{ port: 80 }] } });
  await bed.dst.untilService("hot", ({ spec }) => JSON.stringify(spec).includes('"port":80,'));
  await leader.untilIdle();
}

describe("one Service that everybody changes", LIMIT, () => {
  it("ends right, with a flat queue, two lines for a stored revision at most, and nothing abandoned", async () => {
    const { namespace } = bed.src;
    const key = `${namespace}/hot`;
    await bed.source.create(service(namespace, "hot"));
    await bed.dst.untilService("hot");
    await leader.untilIdle();
    const linesBefore = leader.records.length;

    const storming = storm(PATCHES);
    const peaks = await peaksDuring(storming);
    const { stored, renewed } = await storming;
    await calm();

    const lines = leader.records
      .slice(linesBefore)
      .filter((line) => line["service"] === key || JSON.stringify(line["route"])?.includes("/hot"));
    const doorbells = lines.filter(({ message }) => DOORBELLS.includes(String(message)));
    expect(stored.size).toBeGreaterThan(PATCHES / 2);
    expect(doorbells.length).toBeLessThanOrEqual(MAX_DOORBELLS);
    // What the API server gave up in the end was admitted like everything else, once.
    const gaveUp = PATCHES - stored.size;
    const limit = 2 * (stored.size + 1) + gaveUp + renewed;
    expect(lines.length - doorbells.length).toBeLessThanOrEqual(limit);
    expect(Math.max(...Object.values(peaks))).toBeLessThanOrEqual(MAX_WAITING);
    expect(leader.logged("abandoned")).toEqual([]);
    const { destinations } = await leader.status();
    expect(destinations.map(({ queued }) => queued)).toEqual([0]);
  });

  it("holds no more memory after a second storm than after the first", async () => {
    const linesBefore = leader.records.length;
    const before = await heldBytes();

    await storm(PATCHES);
    await calm();

    expect(leader.logged("abandoned")).toEqual([]);
    // What the test keeps of the log is none of the process's own.
    leader.forgetRecordsFrom(linesBefore);
    expect((await heldBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
  });
});

describe("others who write the same Service", () => {
  it("cannot make it write without end by taking our annotations away", async () => {
    const { namespace } = bed.src;
    await bed.source.create(service(namespace, "stripped"));
    await bed.dst.untilService("stripped");
    await bed.forgetWrites();
    const STAMP = ["change-id", "changed-by", "changed-at", "stamp"];
    const none = Object.fromEntries(STAMP.map((key) => [`svc-ferry.io/${key}`, null]));

    for (let round = 0; round < 20; round += 1) {
      await bed.src.patch("Service", "stripped", { metadata: { annotations: none } });
    }
    await bed.settle(leader);

    const { annotations = {} } = (await bed.src.service("stripped")).metadata;
    expect(Object.keys(annotations)).toHaveLength(STAMP.length);
    expect(await bed.writes(leader, { name: "stripped" })).toEqual([]);
    expect(await bed.writes(leader, { name: "stripped", side: "source" })).toEqual([]);
  });

  it("may own its fields by server-side apply, and replace it by force", async () => {
    const { namespace } = bed.src;
    const manifest = service(namespace, "shared");
    await bed.source.apply(manifest);
    const first = (await bed.dst.untilService("shared")).metadata.uid;
    const other = await bed.source.request(
      "PATCH",
      `/api/v1/namespaces/${namespace}/services/shared?fieldManager=other&force=true`,
      { ...manifest, metadata: { ...manifest.metadata, labels: { sync: "true", app: "x" } } },
      "application/apply-patch+yaml",
    );
    await bed.dst.untilService("shared", ({ metadata }) => metadata.labels?.["app"] === "x");

    // kubectl replace --force
    await bed.src.remove("Service", "shared");
    await bed.source.create(service(namespace, "shared", { spec: { ports: [{ port: 82 }] } }));
    const replaced = await bed.dst.untilService("shared", ({ spec }) =>
      JSON.stringify(spec).includes("82"),
    );
    await bed.settle(leader);

    expect(other.status).toBe(200);
    await waitFor(
      async () => (await leader.status()).services.every((one) => one.state === "synced"),
      {
        what: "everything to be synced",
      },
    );
    expect(replaced.metadata.annotations?.["svc-ferry.io/source-uid"]).toBe(
      (await bed.src.service("shared")).metadata.uid,
    );
    expect([first, replaced.metadata.uid].every((uid) => uid !== undefined)).toBe(true);
  });
});
