import { describe, expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const COLD = { policy: { destinationIsCold: true } };

async function filled(count: number): Promise<MirrorBed> {
  const bed = new MirrorBed(COLD);
  await bed.putInto(bed.destination, "namespaces/shop");
  for (let at = 0; at < count; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
  bed.destination.takeTxns();
  return bed;
}

/** ConfigMaps in each transaction that was done. */
function sizes(bed: MirrorBed): readonly number[] {
  return bed.destination
    .takeTxns()
    .filter(({ succeeded }) => succeeded)
    .map(({ then }) => then.filter(({ key }) => key.startsWith("/registry/configmaps/")).length)
    .filter((size) => size > 0);
}

describe("bulk writes into a cold destination", () => {
  it("hold as many objects as etcd's limits allow, and leave single records behind", async () => {
    const bed = await filled(300);

    const { mirror } = await bed.follow();

    expect(sizes(bed)).toEqual([125, 125, 50]);
    expect(bed.owned()).toHaveLength(300);
    expect(
      bed.destination.store.range({
        key: "/svc-ferry/east/batch/",
        rangeEnd: "/svc-ferry/east/batch0",
      }).kvs,
    ).toEqual([]);
    expect(mirror.status.mode).toBe("cold");
  });

  it("are over for good as soon as an API server announces itself, and all arrives one by one", async () => {
    const bed = await filled(300);
    await bed.putInto(bed.destination, "masterleases/10.0.0.1");

    const { mirror } = await bed.follow();

    expect(new Set(sizes(bed))).toEqual(new Set([1]));
    expect(bed.owned()).toHaveLength(300);
    expect(mirror.status.mode).toBe("live");
  });

  it("leave no more under way than a live destination gets, once they are over", async () => {
    const bed = await filled(300);
    await bed.putInto(bed.destination, "masterleases/10.0.0.1");
    await bed.follow();
    for (let at = 0; at < 300; at += 1)
      await bed.put(`configmaps/shop/c${at}`, { ...YES, data: "2" });

    const held = bed.destination.faults.hold("txn");
    await bed.settle(2_000);
    const { waiting } = held;
    held.release();
    await bed.settle(2_000);

    expect(waiting).toBeGreaterThan(60);
    expect(waiting).toBeLessThan(80);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/c299": "2" });
  });

  it("go on without the one that is in the way", async () => {
    const bed = await filled(100);
    await bed.putInto(bed.destination, "configmaps/shop/c7", { data: "native" });

    await bed.follow();

    expect(bed.owned()).toHaveLength(99);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/c7": "native" });
    expect(bed.debts()).toEqual({ "configmaps/shop/c7": "occupied" });
  });

  it("are known again after a crash in the middle: nothing of ours is foreign, nothing is written twice", async () => {
    const bed = await filled(600);
    const first = bed.start({ hopMs: 5 });
    await bed.clock.runUntil(() => Object.keys(bed.objects()).length > 300);
    first.kill();
    const before = Object.keys(bed.objects()).length;
    await bed.clock.advance(20_000);
    bed.takeWrites();

    await bed.follow();
    await bed.settle(5_000);

    expect(bed.takeWrites().filter((write) => write.startsWith("put")).length).toBe(601 - before);
    expect([bed.owned().length, bed.debts()]).toEqual([600, {}]);
  });

  it("are looked up by their batch when no answer came", async () => {
    const bed = await filled(100);
    bed.start();
    await bed.clock.runUntil(
      () => bed.destination.store.get("/svc-ferry/east/state") !== undefined,
    );
    bed.destination.faults.loseAnswers(2);

    await bed.settle(5_000);

    expect(sizes(bed).length).toBe(1);
    expect([bed.owned().length, bed.debts()]).toEqual([100, {}]);
  });

  it("take fewer operations where the server takes fewer", async () => {
    const bed = new MirrorBed(COLD);
    await bed.putInto(bed.destination, "namespaces/shop");
    for (let at = 0; at < 100; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    Object.assign(bed.destination, { options: { maxTxnOps: 32 } });

    await bed.follow();

    expect(Math.max(...sizes(bed))).toBeLessThanOrEqual(32);
    expect(bed.owned()).toHaveLength(100);
  });
});

describe("a cold destination", () => {
  it("gets no more writes in a second than the operator allows", async () => {
    const policy = { destinationIsCold: true, maxWritesPerSecond: 10 };
    const bed = new MirrorBed({ policy });
    await bed.putInto(bed.destination, "namespaces/shop");
    const { mirror } = await bed.follow();

    for (let at = 0; at < 100; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    await bed.settle(2_000);

    expect(mirror.status.objects.put).toBeLessThan(30);
  });
});
