import { describe, expect, it } from "vitest";
import { Standby } from "../../../../sidecar/standby/standby.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { BooksBed, told } from "../../../fixtures/books-bed.js";

const A = "configmaps/shop/a";
const B = "configmaps/shop/b";
const NAMES = { paths: [A, B], uids: ["uid-a", "uid-b"] };
const FOREVER = new AbortController().signal;

async function stoodBy(hopMs?: number): Promise<BooksBed> {
  const bed = new BooksBed(hopMs);
  await bed.record(A, { sourceRevision: 7n });
  await bed.owe(A);
  await bed.gone("uid-a");
  await bed.standBy();
  return bed;
}

describe("Standby", () => {
  it("hands over what is read when nobody has stood by, and reads nothing again", async () => {
    const bed = await stoodBy();
    await bed.record(B, { sourceRevision: 9n, owners: [A] });
    await bed.delete(bed.keys.own(A));
    await bed.delete(bed.keys.debt(A));
    await bed.gone("uid-b");
    await bed.clock.advance(60_000);

    const { followed, read } = await bed.takeOver();

    expect(followed && (await told(followed, NAMES))).toEqual(await told(read, NAMES));
    expect(followed?.index.has(B)).toBe(true);
    expect(bed.asked.takePages()).toEqual([]);
  });

  it("sees a record that was written after it has read, and until the fence was lost", async () => {
    const bed = await stoodBy(50);
    await bed.record(B);

    const { followed } = await bed.takeOver();

    expect(followed?.index.has(B)).toBe(true);
  });

  it("sees what was folded when the fence was ours", async () => {
    const bed = await stoodBy(50);
    await bed.batch(1, [B]);
    await bed.clock.advance(1_000);

    const { followed, read } = await bed.takeOver({
      // What is folded comes behind the fence.
      before: () => bed.clock.sleep(60, FOREVER),
    });

    expect(followed && (await told(followed, NAMES))).toEqual(await told(read, NAMES));
    expect(followed?.index.has(B)).toBe(true);
  });

  it("changes nothing of the books that it has handed over", async () => {
    const bed = await stoodBy(50);

    const { followed } = await bed.takeOver({
      // It is on its way to the standby, behind the fence, when that hands over.
      before: async () => {
        await bed.clock.sleep(60, FOREVER);
        await bed.record(B);
      },
      after: async () => {
        await bed.delete(bed.keys.own(A));
        await bed.clock.sleep(1_000, FOREVER);
      },
    });

    expect([A, B].map((path) => followed?.index.has(path))).toEqual([true, false]);
  });

  it("begins only when another process holds the fence, once", async () => {
    const bed = new BooksBed();
    await bed.state();
    await bed.clock.advance(10_000);
    const before = bed.asked.takePages();

    bed.standby.start();
    bed.standby.start();
    await bed.clock.advance(10_000);

    expect(before).toEqual([]);
    const { ownPrefix, debtPrefix, gonePrefix } = bed.keys;
    expect(bed.asked.takePages()).toEqual([ownPrefix, debtPrefix, gonePrefix]);
  });

  it("reads a fifth of the time, and faster when a compaction was faster", async () => {
    const bed = new BooksBed(10);
    for (let at = 0; at < 3_000; at += 1) await bed.record(`configmaps/shop/c${at}`);
    await bed.state();
    await bed.hold("other");
    const pages = async (ms: number): Promise<number> => {
      await bed.clock.advance(ms);
      return bed.asked.takePages().filter((key) => key.startsWith(bed.keys.ownPrefix)).length;
    };

    bed.standby.start();
    const calm = [await pages(45), await pages(90), await pages(10)];
    await bed.record(A);
    await bed.etcd.compact(bed.etcd.store.revision, { signal: FOREVER });
    await pages(2_000);
    const again = [await pages(50), await pages(50), await pages(10)];

    expect(calm).toEqual([1, 0, 1]);
    expect(again).toEqual([1, 0, 1]);
  });

  it("reads nothing of a link that is sealed, until it is resumed", async () => {
    const bed = new BooksBed();
    await bed.state({ phase: "sealed" });
    bed.standby.start();
    await bed.clock.advance(60_000);
    const sealed = bed.asked.takePages();

    await bed.state();
    await bed.clock.advance(3_000);

    expect(sealed).toEqual([]);
    expect(bed.asked.takePages()).toContain(bed.keys.ownPrefix);
  });
});

describe("Standby, when the mirror has a defect", () => {
  it("tells it to whoever stops it", async () => {
    const { etcd, clock, keys } = new BooksBed();
    const defect = new TypeError("a defect");
    const epochIn = (): string => {
      throw defect;
    };
    const standby = new Standby({ etcd, clock, log: SILENT_LOG, keys, epochIn });

    standby.start();
    await clock.advance(10);

    await expect(standby.stop()).rejects.toBe(defect);
  });
});

describe("Standby has nothing to hand over", () => {
  it("when it has not read to the end", async () => {
    const bed = new BooksBed(100);
    await bed.state();
    bed.standby.start();
    await bed.clock.advance(500);

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when the watch is too far behind, and then it waits no longer than 2 s", async () => {
    const bed = new BooksBed(2_500);
    await bed.state();
    await bed.hold("other");
    bed.standby.start();
    await bed.clock.advance(60_000);
    const startMs = bed.clock.monotonicMs();

    const { followed } = await bed.takeOver();

    expect(followed).toBeUndefined();
    expect(bed.clock.monotonicMs() - startMs).toBeLessThan(2_100);
  });

  it("when its rules are others by then", async () => {
    const bed = await stoodBy();
    bed.rules = "other";

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when another history begins with the take-over", async () => {
    const bed = await stoodBy();

    expect((await bed.takeOver({ epoch: "2.0123456789" })).followed).toBeUndefined();
  });

  it("when the source is in another history than the records were judged by", async () => {
    const bed = await stoodBy();
    await bed.state({ history: 2 });

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when the destination was restored from a backup, and goes on as if it had not been", async () => {
    const bed = await stoodBy();
    await bed.clock.advance(1_000);
    const backup = bed.etcd.backup();
    await bed.record(A, { sourceRevision: 100n });
    await bed.clock.advance(1_000);
    bed.etcd.restore(backup);
    await bed.record(A, { sourceRevision: 200n });
    await bed.record(B);
    await bed.hold("another");

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when the destination was restored to where only a deletion is missing", async () => {
    const bed = await stoodBy();
    await bed.record(A, { sourceRevision: 100n });
    const backup = bed.etcd.backup();
    await bed.delete(bed.keys.debt(A));
    await bed.clock.advance(1_000);
    bed.etcd.restore(backup);
    await bed.clock.advance(10);
    await bed.record(B);
    await bed.hold("another");

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when so many records have gone that the newest ones left are not known", async () => {
    const bed = new BooksBed();
    for (let at = 0; at < 300; at += 1) {
      await bed.record(`configmaps/shop/c${at}`, { sourceRevision: BigInt(at) });
    }
    await bed.standBy();
    for (let at = 299; at > 100; at -= 1) await bed.delete(bed.keys.own(`configmaps/shop/c${at}`));
    await bed.clock.advance(1_000);

    expect((await bed.takeOver()).followed).toBeUndefined();
  });

  it("when a newer version has written the books", async () => {
    const bed = await stoodBy();
    await bed.put(bed.keys.own(A), "2 something else");
    await bed.clock.advance(1_000);
    await bed.delete(bed.keys.own(A));

    expect((await bed.takeOver()).followed).toBeUndefined();
  });
});

describe("Standby begins anew", () => {
  it.each<[string, (bed: BooksBed) => Promise<void>]>([
    [
      "the watch has lost what was compacted",
      async ({ etcd }) => {
        etcd.cutWatches();
        await etcd.compact(etcd.store.revision, { signal: FOREVER });
      },
    ],
    [
      "there are other rules",
      async (bed) => {
        bed.rules = "other";
      },
    ],
    [
      "there were no rules for a while",
      async (bed) => {
        const { rules } = bed;
        bed.rules = undefined;
        await bed.record(A);
        await bed.clock.advance(10_000);
        bed.rules = rules;
      },
    ],
    ["the source is in another history", (bed) => bed.state({ history: 2 })],
    [
      "the destination was out of reach",
      async ({ etcd, clock }) => {
        etcd.setOutage(true);
        await clock.advance(30_000);
        etcd.setOutage(false);
      },
    ],
    [
      "the destination was restored from a backup",
      async (bed) => {
        const backup = bed.etcd.backup();
        await bed.record(A, { sourceRevision: 100n });
        await bed.clock.advance(1_000);
        bed.etcd.restore(backup);
      },
    ],
    [
      "what a newer version has written is gone",
      async (bed) => {
        await bed.put(bed.keys.own(A), "2 something else");
        await bed.clock.advance(10_000);
        await bed.delete(bed.keys.own(A));
      },
    ],
  ])("when %s", async (_, happens) => {
    const bed = await stoodBy();
    await happens(bed);
    await bed.record(B);
    await bed.clock.advance(10_000);

    const { followed, read } = await bed.takeOver();

    expect(followed && (await told(followed, NAMES))).toEqual(await told(read, NAMES));
  });
});
