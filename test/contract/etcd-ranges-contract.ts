import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EtcdCase, kindOf } from "./etcd-case.js";
import type { GetEtcd } from "./etcd-under-test.js";

export function etcdRangesContract(under: GetEtcd): void {
  describe("ranges", () => {
    let on: EtcdCase;
    beforeEach(() => {
      on = new EtcdCase(under);
    });
    afterEach(() => on.end());

    it("answers a key with its revisions and the number of its writes", async () => {
      const first = await on.put("a", "1");
      const second = await on.put("a", "2");

      const { header, kvs, more, count } = await on.etcd.range({ key: on.key("a") }, on.call);

      expect(header.revision).toBe(second);
      expect([more, count]).toEqual([false, 1n]);
      const revisions = { createRevision: first, modRevision: second, version: 2n, lease: 0n };
      expect(kvs).toEqual([{ key: on.key("a"), value: Buffer.from("2"), ...revisions }]);
    });

    it("answers nothing for a key that is not there", async () => {
      const { kvs, count } = await on.etcd.range({ key: on.key("none") }, on.call);

      expect([kvs, count]).toEqual([[], 0n]);
    });

    it("orders keys by their bytes, also where UTF-16 would order otherwise", async () => {
      for (const name of ["\u{1f680}", "\uffee", "é", "b", "a/b", "a"]) await on.put(name);

      const { kvs } = await on.etcd.range(on.all, on.call);

      expect(on.names(kvs)).toEqual(["a", "a/b", "b", "é", "\uffee", "\u{1f680}"]);
    });

    it("gives a page at a time, with the count of all", async () => {
      await on.run(on.putOp("a"), on.putOp("b"), on.putOp("c"));

      const page = await on.etcd.range({ ...on.all, limit: 2 }, on.call);
      const rest = await on.etcd.range({ ...on.all, key: on.key("b\0"), limit: 2 }, on.call);

      expect([on.names(page.kvs), page.more, page.count]).toEqual([["a", "b"], true, 3n]);
      expect([on.names(rest.kvs), rest.more, rest.count]).toEqual([["c"], false, 1n]);
    });

    it("gives a page of more than the 4 MiB that gRPC takes by default", async () => {
      const value = "x".repeat(1_400_000);
      for (const name of ["a", "b", "c", "d"]) await on.put(name, value);

      const { kvs } = await on.etcd.range(on.all, on.call);

      expect(kvs.map((kv) => kv.value.length)).toEqual(Array(4).fill(1_400_000));
    });

    it("leaves out values, or keys too, when asked to", async () => {
      await on.put("a", "long");

      const keys = await on.etcd.range({ ...on.all, keysOnly: true }, on.call);
      const count = await on.etcd.range({ ...on.all, countOnly: true }, on.call);

      expect(keys.kvs.map(({ value }) => value.length)).toEqual([0]);
      expect([count.kvs, count.count]).toEqual([[], 1n]);
    });

    it("keeps values byte by byte", async () => {
      const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await on.run({ kind: "put", key: on.key("bytes"), value });

      expect((await on.get("bytes"))?.value).toEqual(value);
    });

    it("reads an earlier revision as it was", async () => {
      const first = await on.put("a", "1");
      await on.run(on.putOp("a", "2"), on.putOp("b"));

      const then = await on.etcd.range({ ...on.all, revision: first }, on.call);
      const counted = { ...on.all, revision: first, countOnly: true };

      expect(then.kvs.map(({ value }) => value.toString())).toEqual(["1"]);
      expect(then.header.revision).toBe(first + 1n);
      expect((await on.etcd.range(counted, on.call)).count).toBe(1n);
    });

    it("refuses a revision that is not there yet, and one that is compacted away", async () => {
      const first = await on.put("a", "1");
      const second = await on.put("a", "2");
      const future = on.etcd.range({ ...on.all, revision: second + 1n }, on.call);
      expect(await kindOf(future)).toBe("future-revision");

      await on.etcd.compact(second, on.call);

      const gone = on.etcd.range({ ...on.all, revision: first }, on.call);
      expect(await kindOf(gone)).toBe("compacted");
      const kept = await on.etcd.range({ ...on.all, revision: second }, on.call);
      expect(on.names(kept.kvs)).toEqual(["a"]);
    });

    it("refuses to compact to where it is compacted already, or to what is not there yet", async () => {
      const revision = await on.put("a");
      await on.etcd.compact(revision, on.call);

      expect(await kindOf(on.etcd.compact(revision, on.call))).toBe("compacted");
      expect(await kindOf(on.etcd.compact(revision + 1n, on.call))).toBe("future-revision");
    });

    it("tells its revision and always the same cluster", async () => {
      const written = await on.run(on.putOp("a"));

      const header = await on.etcd.revision(on.call);

      expect(header).toEqual(written.header);
    });

    it("tells its members' versions", async () => {
      const [member, ...others] = await on.etcd.members(on.call);

      expect(others).toEqual([]);
      expect(member).toMatchObject({ isLearner: false, errors: [] });
      expect(member?.version).toMatch(/^3\.\d+\.\d+/);
      expect(member?.header.clusterId).toBe((await on.etcd.revision(on.call)).clusterId);
    });

    it("rejects with the signal's reason when the caller gives up", async () => {
      const reason = new Error("enough");

      const call = on.etcd.range(on.all, { signal: AbortSignal.abort(reason) });

      await expect(call).rejects.toBe(reason);
    });
  });
}
