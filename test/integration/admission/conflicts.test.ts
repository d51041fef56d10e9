import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stored } from "../../harness/manifest.js";
import { service } from "../../harness/manifests.js";
import { sourceOf, spelled, TwoDoors } from "../../harness/two-doors.js";
import { waitFor } from "../../harness/wait-for.js";

const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
const ROUNDS = FULL ? 200 : 20;

let doors: TwoDoors;

beforeAll(async () => {
  doors = await TwoDoors.open();
});
afterAll(async () => doors.close());

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
}

/** One in each namespace, so one through each replica. */
async function bothAtOnce(name: string): Promise<readonly number[]> {
  const answers = await Promise.all(
    doors.views.map(({ namespace }) => doors.post(service(namespace, name))),
  );
  return answers.map(({ status }) => status);
}

/** Both were stored. Had a replica seen the other's Service before, it would have refused its own. */
function isContested(statuses: readonly number[] | undefined): boolean {
  return statuses?.join() === "201,201";
}

async function mirrors(names: readonly string[]): Promise<readonly Stored[]> {
  return Promise.all(names.map((name) => doors.bed.dst.untilService(name)));
}

describe("two new Services that want one name at once, through two replicas", () => {
  it(
    "leave it to the one that was written first",
    async () => {
      const names = numbered("both", ROUNDS);
      await doors.bed.forgetWrites();

      const statuses: (readonly number[])[] = [];
      for (const name of names) statuses.push(await bothAtOnce(name));
      const found = await mirrors(names);
      await doors.settle();

      const writes = await doors.written();
      expect(spelled(writes)).toEqual(names.map((name) => `create ${name}`).toSorted());
      const firstByName = new Map(writes.map(({ name, body }) => [name, sourceOf(body)]));
      expect(found.map(sourceOf)).toEqual(names.map((name) => firstByName.get(name)));
      const contested = names.filter((_, round) => isContested(statuses[round]));
      expect(contested.length).toBeGreaterThan(ROUNDS / 4);
      const { services } = await (await doors.leader()).status();
      const losers = services.filter(({ state }) => state === "conflict");
      expect(losers.map(({ target }) => target).toSorted()).toEqual(
        contested.map((name) => `${doors.bed.dst.namespace}/${name}`).toSorted(),
      );
    },
    ROUNDS * 3_000,
  );

  it("leave it to whom the rule names when nobody led until both were there", async () => {
    const names = numbered("paused", 8);
    await doors.bed.forgetWrites();
    await doors.pauseLeader();

    const statuses = await Promise.all(names.map(bothAtOnce));
    const expected = await Promise.all(names.map(oldest));
    for (const [index, name] of names.entries()) await untilBothKnow(name, expected[index]);
    await doors.resumeLeader();
    const found = await mirrors(names);
    await doors.settle();

    expect(statuses.filter(isContested).length).toBeGreaterThan(1);
    expect(found.map(sourceOf)).toEqual(expected);
    expect(spelled(await doors.written())).toEqual(names.map((name) => `create ${name}`));
  });
});

describe("an old Service and a new one that comes before it by name", () => {
  it("leave the name to the old one when nobody led until both were there", async () => {
    const [first, last] = doors.views.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
    if (first === undefined || last === undefined) throw new Error("two namespaces");
    const old = await doors.bed.source.create(service(last.namespace, "aged", { labels: {} }));
    await untilYounger(old);
    await doors.pauseLeader();

    await doors.bed.source.create(service(first.namespace, "aged"));
    doors.bed.cutOff(); // else its label would be refused
    await doors.label(last, "aged");
    await doors.route();
    await untilBothKnow("aged", `${last.namespace}/aged`);
    await doors.resumeLeader();
    const [mirror] = await mirrors(["aged"]);

    expect(sourceOf(mirror)).toBe(`${last.namespace}/aged`);
  });
});

/** Of the Services of that name the one to whom the rule gives it: by age, then by namespace. */
async function oldest(name: string): Promise<string> {
  const found = await Promise.all(doors.views.map((view) => view.get("Service", name)));
  const [first] = found
    .flatMap((one) => one?.metadata ?? [])
    .map((one) => `${one.creationTimestamp} ${String(one.namespace)}/${name}`)
    .toSorted();
  return first?.split(" ")[1] ?? "";
}

/** Resolves when both replicas would refuse a third one for the sake of this one: so their caches have it. */
async function untilBothKnow(name: string, source = ""): Promise<void> {
  const annotations = { "svc-ferry.io/target-name": name };
  for (const { namespace } of doors.views) {
    const third = service(namespace, "third", { annotations });
    await waitFor(
      async () => {
        const { body } = await doors.post(third, "?dryRun=All");
        return JSON.stringify(body).includes(`mirrors ${source} (created`);
      },
      { what: `${name} to be refused in ${namespace} because of ${source}` },
    );
  }
}

/** Creation times are in seconds: resolves in the API server's next one. */
async function untilYounger({ metadata }: Stored): Promise<void> {
  const probe = service(doors.bed.src.namespace, "clock", { labels: {} });
  await waitFor(
    async () => {
      const { body } = await doors.post(probe, "?dryRun=All");
      return (body as Stored).metadata.creationTimestamp > metadata.creationTimestamp;
    },
    { what: "the next second" },
  );
}
