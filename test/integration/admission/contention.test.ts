import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
/** 200 a second for 10 s, or less of it. */
const PATCHES = FULL ? 2_000 : 400;
const CLIENTS = 20;

let bed: AdmissionBed;
let leader: FerryRun;

beforeAll(async () => {
  bed = await openAdmissionBed();
  leader = await bed.run();
  await bed.route(leader);
});
afterAll(async () => bed.close());

async function patch(name: string, body: object): Promise<boolean> {
  const path = `/api/v1/namespaces/${bed.src.namespace}/services/${name}`;
  const { status } = await bed.source.request("PATCH", path, body, "application/merge-patch+json");
  return status === 200;
}

const PORT = 1_000;

describe("one Service that everybody changes", () => {
  it("ends right, with a bounded queue, two lines for a stored revision at most, and nothing given up", async () => {
    const { namespace } = bed.src;
    const key = `${namespace}/hot`;
    await bed.source.create(service(namespace, "hot"));
    await bed.dst.untilService("hot");
    const linesBefore = leader.records.length;
    let next = 0;
    let stored = 0;
    let kept = 0;

    const client = async (): Promise<void> => {
      while (next < PATCHES) {
        const port = PORT + next;
        next += 1;
        if (await patch("hot", { spec: { ports: [{ port }] } })) stored += 1;
        kept = Math.max(kept, (await leader.metric("svc_ferry_outbox_hints")) ?? 0);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    await patch("hot", { spec: { ports: [{ port: 80 }] } });
    await bed.dst.untilService("hot", ({ spec }) => JSON.stringify(spec).includes('"port":80,'));
    await leader.untilIdle();

    const lines = leader.records
      .slice(linesBefore)
      .filter((line) => line["service"] === key || JSON.stringify(line["route"])?.includes("/hot"));
    expect(stored).toBeGreaterThan(PATCHES / 2);
    // And a few: that it is queued, and again what took the API server longer than a change keeps its id.
    expect(lines.length).toBeLessThanOrEqual(2 * (PATCHES + 1) + 10);
    expect(kept).toBeLessThanOrEqual(2);
    expect(leader.logged("abandoned")).toEqual([]);
    const { destinations } = await leader.status();
    expect(destinations.map(({ queued }) => queued)).toEqual([0]);
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
