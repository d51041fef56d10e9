import { describe, expect, it } from "vitest";
import { decodeState, type LinkState } from "../../../../sidecar/link/state.js";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const FOREVER = new AbortController().signal;

function stateOf(bed: MirrorBed): LinkState {
  const kv = bed.destination.store.get("/svc-ferry/east/state");
  if (kv === undefined) throw new Error("the link has no state");
  return decodeState(kv.value);
}

/** 400 objects that take 40 s to write, of which the first was deleted while nobody ran, and which the source has forgotten. */
async function inTheMiddleOfACopy(): Promise<MirrorBed> {
  const bed = new MirrorBed({ hopMs: 1, ttlSeconds: 5, policy: { maxWritesPerSecond: 10 } });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put("configmaps/shop/a-gone", { ...YES, data: "1" });
  const first = await bed.follow();
  await bed.settle(15_000);
  first.kill();
  await bed.delete("configmaps/shop/a-gone");
  for (let at = 100; at < 500; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
  await bed.source.compact(bed.source.store.revision, { signal: FOREVER });

  const second = bed.start();
  await bed.clock.runUntil(() => (stateOf(bed).pass?.lastPath ?? "") !== "");
  second.kill();
  return bed;
}

describe("a copy that was interrupted", () => {
  it("goes on where it was, and a whole pass beside the tail removes what the first part would have", async () => {
    const bed = await inTheMiddleOfACopy();
    const { lastPath } = stateOf(bed).pass ?? {};
    bed.takeWrites();

    const { mirror } = bed.start();
    await bed.settle(90_000);

    expect(lastPath).toMatch(/^configmaps\/shop\/c/);
    expect(mirror.status.passes).toMatchObject({
      resumed: 1,
      requested: 1,
      first: 0,
      compacted: 0,
    });
    expect(bed.objects()).not.toHaveProperty("configmaps/shop/a-gone");
    expect(bed.owned()).toHaveLength(400);
  });

  it("removes nothing on the word of its second half", async () => {
    const bed = await inTheMiddleOfACopy();

    const { mirror } = bed.start();
    await bed.clock.runUntil(() => mirror.status.activity === "following");

    expect(mirror.status.objects.deleted).toBe(0);
    expect(bed.objects()).toHaveProperty(["configmaps/shop/a-gone"]);
  });
});

describe("the status of a copy", () => {
  it("tells how many objects of the source are to be read, and of a resumed one how many are left", async () => {
    const bed = await inTheMiddleOfACopy();
    const before = 400 - Number(stateOf(bed).pass?.lastPath.slice(-3)) + 99;

    const { mirror } = bed.start();
    await bed.clock.runUntil(() => mirror.status.pass !== undefined);

    expect(mirror.status.pass).toMatchObject({ cause: "resumed", expected: before });
  });

  it("says that the destination is too slow, and both rates, when passes do not shrink", async () => {
    const bed = new MirrorBed({ hopMs: 1, policy: { maxWritesPerSecond: 10 } });
    await bed.putInto(bed.destination, "namespaces/shop");
    const change = async (round: string): Promise<void> => {
      for (let at = 100; at < 200; at += 1) {
        await bed.put(`configmaps/shop/c${at}`, { ...YES, data: round });
      }
      await bed.source.compact(bed.source.store.revision, { signal: FOREVER });
    };
    await change("first");
    const { mirror } = bed.start();

    for (const round of ["second", "third", "fourth"]) {
      await bed.settle(8_000);
      await change(round);
    }
    await bed.clock.runUntil(() => mirror.status.passes.compacted >= 2);

    expect(mirror.status.destinationTooSlow).toBe(true);
    expect(mirror.status.rates?.destinationPerSecond).toBeCloseTo(10, -1);
  });
});
