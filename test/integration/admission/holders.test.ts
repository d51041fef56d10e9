import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { AuditTrail, type AuditedWrite } from "../../harness/audit-trail.js";
import { service, slice } from "../../harness/manifests.js";
import { SliceWatch } from "../../harness/slice-watch.js";
import { sourceOf, spelled, TwoDoors } from "../../harness/two-doors.js";

let doors: TwoDoors;
const trail = new AuditTrail(inject("controlPlanes").auditLogPaths.source);

beforeAll(async () => {
  doors = await TwoDoors.open();
});
afterAll(async () => doors.close());
beforeEach(async () => doors.route());

describe("the one that has a name", () => {
  it("keeps it when an older Service joins later, with the webhook's word and without", async () => {
    const { bed, other } = doors;
    await bed.source.create(service(other.namespace, "kept", { labels: {} }));
    await bed.source.create(service(bed.src.namespace, "kept"));
    const before = await bed.dst.untilService("kept");
    await doors.settle();
    await bed.forgetWrites();

    const answer = await doors.label(other, "kept");
    bed.cutOff();
    const unasked = await doors.label(other, "kept");
    await (await doors.leader()).untilState(`${other.namespace}/kept`, "conflict", "name-taken");
    await other.untilEvent("kept", /^NameConflict: name-taken: /);
    await doors.settle();

    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).toContain("(name-taken)");
    expect(unasked.status).toBe(200);
    expect(await doors.written()).toEqual([]);
    expect(await bed.dst.service("kept")).toEqual(before);
  });

  it("leaves it to the next in less than a second when it goes", async () => {
    const { bed, other } = doors;
    const names = ["heir-0", "heir-1", "heir-2", "heir-3"];
    for (const name of names) await contest(name);
    await doors.settle();
    await bed.forgetWrites();
    trail.next();

    for (const name of names) await bed.src.remove("Service", name);
    const mirrors = await Promise.all(
      names.map((name) => bed.dst.untilService(name, isOf(`${other.namespace}/${name}`))),
    );
    await doors.settle();

    const writes = await doors.written();
    expect(spelled(writes)).toEqual(names.map((name) => `patch ${name}`));
    expect(Math.max(...delays(writes, sourceDeletions()))).toBeLessThan(1_000);
    expect(mirrors.map(sourceOf)).toEqual(names.map((name) => `${other.namespace}/${name}`));
    const applied = (await doors.leader()).logged("applied").slice(-names.length);
    expect(applied.map(({ outcome }) => outcome)).toEqual(names.map(() => "applied"));
    expect(Math.max(...applied.map(({ latencyMs }) => Number(latencyMs)))).toBeLessThan(1_000);
  });

  it("hands it over without a moment without endpoints to the one that says it takes over", async () => {
    const { bed } = doors;
    const { namespace } = bed.src;
    await bed.src.apply(slice(namespace, "shop", ["10.1.2.1"]), service(namespace, "shop"));
    const before = await bed.dst.untilService("shop");
    await bed.dst.untilAddresses("shop", ["10.1.2.1"]);
    const watch = await SliceWatch.open(bed.destination.connection, bed.dst.namespace, "shop");

    const annotations = {
      "svc-ferry.io/target-name": "shop",
      "svc-ferry.io/takeover": `${namespace}/shop`,
    };
    await bed.src.apply(slice(namespace, "shop-v2", ["10.1.2.2"]));
    const answer = await doors.post(service(namespace, "shop-v2", { annotations }));
    await bed.dst.untilAddresses("shop", ["10.1.2.2"]);
    await doors.settle();
    await watch.close();

    expect(answer.status).toBe(201);
    expect(watch.moments.filter((addresses) => addresses.length === 0)).toEqual([]);
    expect(watch.moments.at(-1)).toEqual(["10.1.2.2"]);
    const mirror = await bed.dst.service("shop");
    expect(mirror.metadata.uid).toBe(before.metadata.uid);
    expect(sourceOf(mirror)).toBe(`${namespace}/shop-v2`);
  });
});

describe("a Service of somebody else in the destination", () => {
  it("is never written, whoever wants its name, with the webhook's word and without", async () => {
    const { bed, views } = doors;
    const names = ["theirs-0", "theirs-1", "theirs-2"];
    const foreign = { labels: {}, spec: { ports: [{ port: 5 }] } };
    await bed.dst.apply(...names.map((name) => service(bed.dst.namespace, name, foreign)));
    await doors.settle();
    const before = await Promise.all(names.map((name) => bed.dst.service(name)));
    await bed.forgetWrites();
    const wishes = names.flatMap((name) => views.map((view) => service(view.namespace, name)));

    const asked = await Promise.all(wishes.map((wish) => doors.post(wish)));
    bed.cutOff();
    const unasked = await Promise.all(wishes.map((wish) => doors.post(wish)));
    await bed.src.untilEvent("theirs-2", /^NameConflict: name-/);
    await doors.settle();

    expect(asked.map(({ status }) => status)).toEqual(wishes.map(() => 403));
    expect(unasked.map(({ status }) => status)).toEqual(wishes.map(() => 201));
    expect(await doors.written()).toEqual([]);
    expect(await Promise.all(names.map((name) => bed.dst.service(name)))).toEqual(before);
  });
});

/** `src` has the name, and `other` wants it too and was told so. */
async function contest(name: string): Promise<void> {
  const { bed, other } = doors;
  await bed.source.create(service(bed.src.namespace, name));
  await bed.dst.untilService(name);
  bed.cutOff(); // else it would be refused
  await bed.source.create(service(other.namespace, name));
  await other.untilEvent(name, /^NameConflict: name-taken: /);
  await doors.route();
}

function isOf(source: string): (mirror: unknown) => boolean {
  return (mirror) => sourceOf(mirror) === source;
}

/** What the source's API server deleted in `src`. */
function sourceDeletions(): readonly AuditedWrite[] {
  const { namespace } = doors.bed.src;
  return trail.next().filter((write) => write.verb === "delete" && write.namespace === namespace);
}

/** From the one API server's answer to the other's, ms, of the same name. */
function delays(
  writes: readonly AuditedWrite[],
  causes: readonly AuditedWrite[],
): readonly number[] {
  return writes.map(({ name, answeredMs }) => {
    const cause = causes.find((one) => one.name === name && one.resource === "services");
    return answeredMs - (cause?.answeredMs ?? Number.NaN);
  });
}
