import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WatchCompacted } from "../../sidecar/etcd/etcd.js";
import { EtcdCase } from "./etcd-case.js";
import type { GetEtcd } from "./etcd-under-test.js";

export function etcdWatchesContract(under: GetEtcd): void {
  describe("watches", () => {
    let on: EtcdCase;
    beforeEach(() => {
      on = new EtcdCase(under);
    });
    afterEach(() => on.end());

    it("give the history from a revision on, then what happens", async () => {
      await on.put("a", "0");
      const from = await on.put("a", "1");
      await on.run(on.deleteOp("a"));
      const watch = on.watch(from);

      expect(await watch.events(2)).toEqual(["put a=1", "delete a"]);
      await on.put("b", "2");

      expect(await watch.events(1)).toEqual(["put b=2"]);
    });

    it("give whole keys for puts, and the deletion's revision for deletions", async () => {
      const { id } = await on.etcd.grantLease(60, on.call);
      const from = await on.put("a", "1", id);
      const { header } = await on.run(on.deleteOp("a"));
      const watch = on.watch(from);

      const events = [];
      while (events.length < 2) {
        const item = await watch.next();
        if (item?.kind === "events") events.push(...item.events);
      }

      const key = on.key("a");
      const revisions = { createRevision: from, modRevision: from, version: 1n };
      expect(events).toEqual([
        { kind: "put", kv: { key, value: Buffer.from("1"), lease: id, ...revisions } },
        {
          kind: "delete",
          kv: {
            key,
            value: Buffer.alloc(0),
            lease: 0n,
            createRevision: 0n,
            modRevision: header.revision,
            version: 0n,
          },
        },
      ]);
    });

    it("never split a revision between two items", async () => {
      const from = (await on.etcd.revision(on.call)).revision + 1n;
      const watch = on.watch(from);
      const reading = watch.next();
      const ops = Array.from({ length: 128 }, (_, at) => on.putOp(`k${at}`, "x".repeat(8_000)));

      await on.run(...ops);

      const item = await reading;
      expect(item?.kind === "events" ? item.events.length : item).toBe(128);
    });

    it("deliver no event of another prefix and none below the wanted revision", async () => {
      const other = new EtcdCase(under);
      const before = await on.put("a", "early");
      const watch = on.watch(before + 3n);

      await other.put("a", "foreign");
      await on.put("a", "still too early");
      await on.put("a", "wanted");

      expect(await watch.events(1)).toEqual(["put a=wanted"]);
      other.end();
    });

    it("end with WatchCompacted when the wanted revision is gone, and tell the oldest that is left", async () => {
      const first = await on.put("a", "1");
      await on.put("a", "2");
      const last = await on.put("a", "3");
      await on.etcd.compact(last, on.call);

      const reading = on.watch(first).next();

      await expect(reading).rejects.toThrow(WatchCompacted);
      await expect(reading).rejects.toMatchObject({ compactRevision: last });
    });

    it("go on from the revision to which the history was compacted", async () => {
      await on.put("a", "1");
      const last = await on.put("a", "2");
      await on.etcd.compact(last, on.call);

      expect(await on.watch(last).events(1)).toEqual(["put a=2"]);
    });

    it("are not ended by a compaction of what they have delivered", async () => {
      const from = await on.put("a", "1");
      const watch = on.watch(from);
      expect(await watch.events(1)).toEqual(["put a=1"]);
      const reading = watch.events(1);
      const other = new EtcdCase(under);
      const foreign = await other.put("a");

      await on.etcd.compact(foreign, on.call);
      await on.put("a", "2");

      expect(await reading).toEqual(["put a=2"]);
      other.end();
    });

    it("end without an error when the caller gives up", async () => {
      const watch = on.watch((await on.etcd.revision(on.call)).revision + 1n);
      const reading = watch.next();

      on.end();

      expect(await reading).toBeUndefined();
    });
  });
}
