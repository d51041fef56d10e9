import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { AuditTrail, type AuditedWrite } from "../../harness/audit-trail.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import type { Manifest, Stored } from "../../harness/manifest.js";
import { service } from "../../harness/manifests.js";
import { portsOf } from "../../harness/namespace-view.js";
import { PacedClock } from "../../harness/paced-clock.js";
import { SiblingWebhook } from "../../harness/sibling-webhook.js";
import { waitFor } from "../../harness/wait-for.js";

const CONFLICT = 409;
/** 65 s after admission, and at most one pause between two looks (8 s), by the clock of both replicas. */
const ABANDONED_WITHIN_MS = 90_000;
/** Times as fast as the machine's, while nothing is left but to wait for that. */
const HURRY = 10;
/** So long that a renewal has its seconds also when time goes by faster. */
const LEASE = { leaseDuration: "120s", renewDeadline: "100s", retryPeriod: "10s" };

let bed: AdmissionBed;
let leader: FerryRun;
let follower: FerryRun;
let sibling: SiblingWebhook;
const clock = new PacedClock();
/** What the source answered since the file began, for the last test. */
const trail = new AuditTrail(inject("controlPlanes").auditLogPaths.source);

beforeAll(async () => {
  bed = await openAdmissionBed();
  leader = await bed.run({ clock, flags: LEASE });
  follower = await bed.launch({ clock, flags: LEASE });
  await bed.route(leader, follower);
  sibling = await SiblingWebhook.open(bed.source, bed.src.namespace);
});
afterAll(async () => {
  await sibling.close();
  await bed.close();
});

async function post(object: Manifest, cluster = bed.source): Promise<number> {
  const path = `/api/v1/namespaces/${bed.src.namespace}/services`;
  return (await cluster.request("POST", path, object)).status;
}

async function change(name: string, patch: object, cluster = bed.source): Promise<number> {
  const path = `/api/v1/namespaces/${bed.src.namespace}/services/${name}`;
  return (await cluster.request("PATCH", path, patch, "application/merge-patch+json")).status;
}

async function replace(stored: Stored, port: number): Promise<number> {
  const { namespace, name } = stored.metadata;
  const path = `/api/v1/namespaces/${namespace}/services/${name}`;
  const object = { ...stored, spec: { ports: [{ port }] } };
  return (await bed.source.request("PUT", path, object)).status;
}

/** Admitted and mirrored. */
async function mirrored(...names: readonly string[]): Promise<readonly Stored[]> {
  for (const name of names) await bed.source.create(service(bed.src.namespace, name));
  const mirrors = await Promise.all(names.map((name) => bed.dst.untilService(name)));
  await bed.settle(leader);
  await bed.forgetWrites();
  return mirrors;
}

/** What either replica wrote to mirrors, once there is nothing left to write. */
async function writesSince(): Promise<readonly string[]> {
  await bed.settle(leader);
  return [...(await bed.writes(leader)), ...(await bed.writes(follower))];
}

/** How many changes of these Services the replicas let pass. */
function admissions(names: readonly string[]): number {
  const keys = new Set(names.map((name) => `${bed.src.namespace}/${name}`));
  return [leader, follower]
    .flatMap((run) => run.logged("admitted"))
    .filter((line) => keys.has(String(line["service"]))).length;
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
}

describe("what another webhook refuses", () => {
  it("is never mirrored when it is a new Service, whoever of both answers first", async () => {
    const refused = numbered("refused", 15);
    const stored = numbered("stored", 15);
    await bed.forgetWrites();

    const statuses = await Promise.all([
      ...refused.map((name) => post(service(bed.src.namespace, name), sibling.refused)),
      ...stored.map((name) => post(service(bed.src.namespace, name))),
    ]);
    const writes = await writesSince();

    expect(statuses).toEqual([...refused.map(() => 403), ...stored.map(() => 201)]);
    expect(writes.toSorted()).toEqual(stored.map((name) => `create services ${name}`).toSorted());
    expect(admissions(refused)).toBe(refused.length);
    expect(follower.logged("admitted")).not.toEqual([]);
  });

  it("changes no mirror, be it an update, a removal of the label or of the Service", async () => {
    const names = ["updated", "unlabelled", "flipped", "deleted"];
    const before = await mirrored(...names);
    const path = `/api/v1/namespaces/${bed.src.namespace}/services/deleted`;

    const statuses = await Promise.all([
      change("updated", { spec: { ports: [{ port: 81 }] } }, sibling.refused),
      change("unlabelled", { metadata: { labels: { sync: null } } }, sibling.refused),
      change("flipped", { metadata: { labels: { sync: "false" } } }, sibling.refused),
      sibling.refused.request("DELETE", path).then(({ status }) => status),
    ]);
    const writes = await writesSince();

    expect(statuses).toEqual([403, 403, 403, 403]);
    expect(writes).toEqual([]);
    expect(await Promise.all(names.map((name) => bed.dst.service(name)))).toEqual(before);
    expect(admissions(names)).toBe(2 * names.length);
  });
});

describe("what a quota refuses", () => {
  it("is never mirrored, and what it leaves room for is", async () => {
    await mirrored("grown");
    const { namespace } = bed.src;
    const quota = { namespace, name: "no-node-ports" };
    const hard = { "services.nodeports": "0" };
    await bed.src.apply({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: quota,
      spec: { hard },
    });
    await waitFor(
      async () => JSON.stringify((await bed.src.get("ResourceQuota", quota.name))?.["status"]),
      { what: "the usage of the quota" },
    );
    const nodePort = { type: "NodePort", ports: [{ port: 81 }] };

    const statuses = [
      await post(service(namespace, "too-many", { spec: nodePort })),
      await change("grown", { spec: nodePort }),
      await post(service(namespace, "room")),
    ];
    const writes = await writesSince();

    expect(statuses).toEqual([403, 403, 201]);
    expect(writes).toEqual(["create services room"]);
    expect(portsOf(await bed.dst.service("grown"))).toEqual([80]);
    expect(admissions(["too-many", "grown"])).toBe(3);
  });
});

describe("what comes too late", () => {
  it("is not mirrored: a whole object of an older version", async () => {
    await mirrored("late");
    const old = await bed.src.service("late");
    await change("late", { metadata: { annotations: { note: "newer" } } });

    const status = await replace(old, 82);

    expect(status).toBe(CONFLICT);
    expect(await writesSince()).toEqual([]);
  });

  it("is not mirrored: all but the first of those who replace one version at once", async () => {
    await mirrored("raced");
    const version = await bed.src.service("raced");
    const ports = [83, 84, 85, 86, 87, 88];

    const statuses = await Promise.all(ports.map((port) => replace(version, port)));
    const writes = await writesSince();
    const stored = await bed.src.service("raced");

    expect(statuses.toSorted()).toEqual([200, ...ports.slice(1).map(() => CONFLICT)]);
    expect(writes).toEqual(["patch services raced"]);
    const mirror = await bed.dst.service("raced");
    expect(portsOf(mirror)).toEqual(portsOf(stored));
    expect(mirror.metadata.annotations?.["svc-ferry.io/change-id"]).toBe(
      stored.metadata.annotations?.["svc-ferry.io/change-id"],
    );
  });
});

/** The id under which a webhook of ours let this pass. */
function changeIdOf({ annotations }: AuditedWrite): string | undefined {
  return Object.entries(annotations).find(([key]) => key.endsWith("svc-ferry.io/change-id"))?.[1];
}

/** The ids of the changes that the leader gave up, each as often as it said so. */
function abandoned(): readonly string[] {
  return leader.logged("abandoned").map((line) => String(line["changeId"]));
}

describe("the log", () => {
  it(
    "says of each change that was admitted and never stored that it was abandoned, and of no other",
    async () => {
      await bed.forgetWrites(); // the audit logs hold everything now
      const ours = trail.next().filter(({ namespace }) => namespace === bed.src.namespace);
      const idsOf = (holds: (status: number) => boolean): readonly string[] =>
        ours.filter(({ status }) => holds(status)).flatMap((write) => changeIdOf(write) ?? []);
      const refused = idsOf((status) => status === 403);
      // Only the last hint of a Service is followed up: of these one at most has a line.
      const outrun = idsOf((status) => status === CONFLICT);

      clock.goBy(HURRY);
      await waitFor(() => refused.every((id) => abandoned().includes(id)), {
        what: "everything that was refused to be abandoned",
        timeoutMs: ABANDONED_WITHIN_MS,
      });
      clock.goBy(1);

      expect(refused).toHaveLength(15 + 4 + 2);
      expect(outrun).not.toEqual([]);
      const others = abandoned().filter((id) => !refused.includes(id));
      expect(others.length).toBeLessThanOrEqual(1);
      expect(outrun).toEqual(expect.arrayContaining([...others]));
      const [first] = leader.logged("abandoned");
      expect(first).toMatchObject({ outcome: "abandoned", by: expect.stringMatching(/./) });
      expect(Number(first?.["sinceAdmissionMs"])).toBeGreaterThanOrEqual(65_000);
    },
    ABANDONED_WITHIN_MS + 60_000,
  );
});
