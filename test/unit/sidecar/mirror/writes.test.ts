import { describe, expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const AT = "configmaps/shop/a";

async function bedWith(...args: ConstructorParameters<typeof MirrorBed>): Promise<MirrorBed> {
  const bed = new MirrorBed(...args);
  await bed.putInto(bed.destination, "namespaces/shop");
  return bed;
}

describe("transactions on a live destination", () => {
  it("hold one object each, with its record: one revision, one object of a resource", async () => {
    const bed = await bedWith();
    for (let at = 0; at < 200; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    bed.destination.takeTxns();

    await bed.follow();

    const puts = bed.destination
      .takeTxns()
      .map(({ then }) => then.filter(({ kind }) => kind === "put").map(({ key }) => key))
      .filter((keys) => keys.some((key) => key.startsWith("/registry/")));
    expect(puts).toHaveLength(200);
    expect(puts.toSorted()[0]).toEqual([
      "/svc-ferry/east/own/configmaps/shop/c0",
      "/registry/configmaps/shop/c0",
    ]);
    expect(new Set(puts.map((keys) => keys.length))).toEqual(new Set([2]));
  });

  it("compare fence, object, record and Namespace, and read them all when one differs", async () => {
    const bed = await bedWith();
    await bed.put(AT, YES);
    bed.destination.takeTxns();

    await bed.follow();

    const txn = bed.destination
      .takeTxns()
      .find(({ then }) => then.length === 2 && then.some(({ kind }) => kind === "put"));
    const names = txn?.compare.map(({ key, target }) => `${target} ${key}`);
    expect(names).toEqual([
      "create /svc-ferry/east/fence",
      "mod /registry/configmaps/shop/a",
      "mod /svc-ferry/east/own/configmaps/shop/a",
      "mod /registry/namespaces/shop",
    ]);
    expect(txn?.otherwise.map((op) => op.key)).toEqual(txn?.compare.map(({ key }) => key));
  });

  it("go on past one that conflicts: what somebody else wrote meanwhile is read and not overwritten blindly", async () => {
    const bed = await bedWith({ hopMs: 5 });
    const process = await bed.follow();
    await bed.put(AT, { ...YES, data: "1" });
    await bed.put("configmaps/shop/b", { ...YES, data: "1" });
    await bed.clock.advance(7);

    await bed.putInto(bed.destination, AT, { data: "native" });
    await bed.settle();

    expect(bed.objects()).toMatchObject({ [AT]: "native", "configmaps/shop/b": "1" });
    expect(process.mirror.status.transactions.conflicted).toBeGreaterThan(0);
  });

  it("are looked up before they are sent again when no answer came", async () => {
    const bed = await bedWith();
    const { mirror } = await bed.follow();
    bed.takeWrites();

    bed.destination.faults.loseAnswers(1);
    await bed.put(AT, { ...YES, data: "1" });
    await bed.settle();
    bed.destination.faults.failNext(1, "unknown-outcome", "txn");
    await bed.put(AT, { ...YES, data: "2" });
    await bed.settle();

    expect(bed.takeWrites()).toEqual([`put ${AT}`, `put ${AT}`]);
    expect(bed.objects()).toMatchObject({ [AT]: "2" });
    expect(mirror.status.transactions.unknown).toBe(2);
  });

  it("wait while the destination is full, and are no debts", async () => {
    const bed = await bedWith();
    const { mirror } = await bed.follow();

    bed.destination.noSpace = true;
    await bed.put(AT, { ...YES, data: "1" });
    await bed.settle(5_000);
    const { paused, debts } = mirror.status;
    bed.destination.noSpace = false;
    await bed.settle(10_000);

    expect(paused).toMatchObject({ why: "no-space" });
    expect(Object.values(debts).every((count) => count === 0)).toBe(true);
    expect(bed.objects()).toMatchObject({ [AT]: "1" });
    expect(mirror.status.paused).toBeUndefined();
  });

  it("are no more than were asked for in a second", async () => {
    const bed = await bedWith({ policy: { maxWritesPerSecond: 50 } });
    for (let at = 0; at < 100; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    const startMs = bed.clock.monotonicMs();

    await bed.follow();

    const tookMs = bed.clock.monotonicMs() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(1_800);
    expect(tookMs).toBeLessThan(3_000);
  });
});

describe("the fence and the writer", () => {
  it("writes nothing after another process took the fence while this one was stopped, with a write on its way", async () => {
    const bed = await bedWith({ hopMs: 5, ttlSeconds: 5 });
    const stale = await bed.follow({ identity: "stale" });
    await bed.put(AT, { ...YES, data: "1" });
    await bed.clock.advance(7);
    stale.clock.freeze();
    const fresh = bed.start({ identity: "fresh" });
    await bed.clock.runUntil(() => fresh.mirror.status.activity === "following", 60_000);
    await bed.put(AT, { ...YES, data: "2" });
    await bed.settle();
    bed.takeWrites();

    stale.clock.thaw();
    await bed.settle(3_000);

    expect(bed.takeWrites()).toEqual([]);
    expect(bed.objects()).toMatchObject({ [AT]: "2" });
    expect(stale.mirror.status).toMatchObject({ activity: "waiting", fence: { holder: "fresh" } });
  });
});

describe("the checkpoint", () => {
  it("never passes a change that is not written", async () => {
    const bed = await bedWith();
    const { mirror } = await bed.follow();
    const held = bed.destination.faults.hold("txn");
    const first = await bed.put(AT, YES);
    await bed.put("configmaps/shop/b", { labels: {} });

    await bed.settle(0);
    const during = mirror.status;
    held.release();
    await bed.settle();

    expect(during.revisionApplied).toBe(first - 1n);
    expect(mirror.status.revisionApplied).toBe(bed.source.store.revision);
  });

  it("moves with the source's progress while nothing happens there", async () => {
    const bed = await bedWith();
    await bed.follow();
    await bed.write(bed.source, { kind: "put", key: "/elsewhere", value: Buffer.from("x") });

    await bed.settle(80_000);

    const state = JSON.parse(
      bed.destination.store.get("/svc-ferry/east/state")?.value.toString() ?? "",
    );
    expect(state.applied).toBe(String(bed.source.store.revision));
  });
});
