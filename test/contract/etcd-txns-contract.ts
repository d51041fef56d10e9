import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Compare, Txn, TxnOp } from "../../sidecar/etcd/etcd.js";
import { EtcdCase, kindOf } from "./etcd-case.js";
import type { GetEtcd } from "./etcd-under-test.js";

export function etcdTxnsContract(under: GetEtcd): void {
  describe("transactions", () => {
    let on: EtcdCase;
    beforeEach(() => {
      on = new EtcdCase(under);
    });
    afterEach(() => on.end());

    type Named<T> = T extends Compare ? Omit<T, "key"> & { readonly name: string } : never;
    const holds = async ({ name, ...rest }: Named<Compare>) => {
      const txn: Txn = { compare: [{ key: on.key(name), ...rest }], then: [], otherwise: [] };
      return (await on.etcd.txn(txn, on.call)).succeeded;
    };

    it("write all keys at one revision, the next one", async () => {
      const before = (await on.etcd.revision(on.call)).revision;

      const { header, succeeded, results } = await on.run(on.putOp("a"), on.putOp("b"));

      expect([succeeded, header.revision]).toEqual([true, before + 1n]);
      expect(results).toEqual([{ kind: "put" }, { kind: "put" }]);
      const { kvs } = await on.etcd.range(on.all, on.call);
      expect(kvs.map(({ modRevision }) => modRevision)).toEqual([before + 1n, before + 1n]);
    });

    it("make no revision when nothing changes", async () => {
      const before = (await on.etcd.revision(on.call)).revision;

      const { header, results } = await on.run(on.deleteOp("none"));

      expect(header.revision).toBe(before);
      expect(results).toEqual([{ kind: "delete", deleted: 0n }]);
    });

    it("run the other branch when a comparison fails, and answer what it read", async () => {
      await on.put("a", "1");
      const compare: Compare = { key: on.key("a"), target: "create", is: "=", value: 0n };

      const { succeeded, results } = await on.etcd.txn(
        {
          compare: [compare],
          then: [on.putOp("a", "2")],
          otherwise: [{ kind: "get", key: on.key("a") }],
        },
        on.call,
      );

      expect(succeeded).toBe(false);
      expect(results).toMatchObject([{ kind: "get", more: false, kvs: [{ key: on.key("a") }] }]);
      expect((await on.get("a"))?.value.toString()).toBe("1");
    });

    it("compare all four numbers, each in four ways", async () => {
      const created = await on.put("a");
      const modified = await on.put("a");
      const numbers = { create: created, mod: modified, version: 2n, lease: 0n } as const;

      for (const target of ["create", "mod", "version", "lease"] as const) {
        const value = numbers[target];
        expect(await holds({ name: "a", target, is: "=", value })).toBe(true);
        expect(await holds({ name: "a", target, is: "!=", value })).toBe(false);
        expect(await holds({ name: "a", target, is: "<", value: value + 1n })).toBe(true);
        expect(await holds({ name: "a", target, is: ">", value })).toBe(false);
        expect(await holds({ name: "a", target, is: ">", value: value - 1n })).toBe(true);
      }
    });

    it("compare a key that is not there as one of zeros", async () => {
      expect(await holds({ name: "none", target: "create", is: "=", value: 0n })).toBe(true);
      expect(await holds({ name: "none", target: "mod", is: "<", value: 1n })).toBe(true);
      expect(await holds({ name: "none", target: "version", is: ">", value: 0n })).toBe(false);
    });

    it("compare a value byte by byte, and hold for none of a key that is not there", async () => {
      await on.put("a", "b");
      const value = (text: string) => ({ target: "value", value: Buffer.from(text) }) as const;

      expect(await holds({ name: "a", is: "=", ...value("b") })).toBe(true);
      expect(await holds({ name: "a", is: "=", ...value("bb") })).toBe(false);
      expect(await holds({ name: "a", is: "!=", ...value("") })).toBe(true);
      expect(await holds({ name: "a", is: "<", ...value("c") })).toBe(true);
      expect(await holds({ name: "a", is: ">", ...value("c") })).toBe(false);
      expect(await holds({ name: "none", is: "=", ...value("") })).toBe(false);
      expect(await holds({ name: "none", is: "!=", ...value("b") })).toBe(false);
    });

    it("compare every key of a range; an empty range compares as one key of zeros", async () => {
      const rangeEnd = on.all.rangeEnd;
      const first = await on.put("a");
      await on.put("b");

      expect(await holds({ name: "", rangeEnd, target: "version", is: "=", value: 1n })).toBe(true);
      expect(await holds({ name: "", rangeEnd, target: "mod", is: "=", value: first })).toBe(false);
      expect(await holds({ name: "", rangeEnd, target: "create", is: "=", value: 0n })).toBe(false);
      const empty = { name: "x", rangeEnd, target: "create", value: 0n } as const;
      expect(await holds({ ...empty, is: "=" })).toBe(true);
      expect(await holds({ ...empty, is: ">" })).toBe(false);
    });

    it("see in a later operation what an earlier one wrote", async () => {
      const { header, results } = await on.run(on.putOp("a", "new"), {
        kind: "get",
        key: on.key("a"),
      });

      const kv = { value: Buffer.from("new"), modRevision: header.revision };
      expect(results[1]).toMatchObject({ kind: "get", kvs: [kv] });
    });

    it("delete ranges and count what went", async () => {
      await on.run(on.putOp("a"), on.putOp("b"), on.putOp("c"));

      const { results } = await on.run({
        kind: "delete",
        key: on.key("a"),
        rangeEnd: on.key("c"),
      });

      expect(results).toEqual([{ kind: "delete", deleted: 2n }]);
      expect(on.names((await on.etcd.range(on.all, on.call)).kvs)).toEqual(["c"]);
    });

    it("begin a key's life anew after it was deleted", async () => {
      await on.put("a");
      await on.run(on.deleteOp("a"));

      const revision = await on.put("a");

      expect(await on.get("a")).toMatchObject({ createRevision: revision, version: 1n });
    });

    it("refuse two puts of one key, and a put of a key that they delete", async () => {
      const twice = kindOf(on.run(on.putOp("a"), on.putOp("a")));
      const both = kindOf(on.run(on.putOp("a"), { kind: "delete", ...on.all }));

      expect(await Promise.all([twice, both])).toEqual(["invalid", "invalid"]);
      expect(await on.get("a")).toBeUndefined();
    });

    it("take 128 operations in each list, and no more in any", async () => {
      const puts = Array.from({ length: 129 }, (_, at): TxnOp => on.putOp(`k${at}`));
      const compares = puts.map(({ key }): Compare => ({
        key,
        target: "create",
        is: "=",
        value: 0n,
      }));
      const gets = puts.map(({ key }): TxnOp => ({ kind: "get", key }));
      const some = <T>(list: readonly T[]): readonly T[] => list.slice(0, 128);

      for (const [compare, then, otherwise] of [
        [compares, [], []],
        [[], puts, []],
        [[], [], gets],
      ] as const) {
        const tooMany = on.etcd.txn({ compare, then, otherwise }, on.call);
        expect(await kindOf(tooMany)).toBe("too-many-ops");
      }
      const full = { compare: some(compares), then: some(puts), otherwise: some(gets) };
      const { succeeded, results } = await on.etcd.txn(full, on.call);
      expect([succeeded, results.length]).toEqual([true, 128]);
    });

    it("refuse what is larger than 1.5 MiB", async () => {
      const putting = async (bytes: number): Promise<string> =>
        kindOf(on.run({ kind: "put", key: on.key("large"), value: Buffer.alloc(bytes) }));

      // The first is refused by etcd, the second by the server's gRPC layer.
      expect(await putting(1_600_000)).toBe("too-large");
      expect(await putting(5_000_000)).toBe("too-large");
    });
  });
}
