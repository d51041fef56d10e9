import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EtcdCase, kindOf } from "./etcd-case.js";
import type { GetEtcd } from "./etcd-under-test.js";

export function etcdLeasesContract(under: GetEtcd): void {
  describe("leases", () => {
    let on: EtcdCase;
    beforeEach(() => {
      on = new EtcdCase(under);
    });
    afterEach(() => on.end());

    it("are granted for two seconds at least", async () => {
      const brief = await on.etcd.grantLease(1, on.call);
      const long = await on.etcd.grantLease(60, on.call);

      expect([brief.ttlSeconds, long.ttlSeconds]).toEqual([2, 60]);
      expect(brief.id).not.toBe(long.id);
    });

    it("take their keys with them when they are revoked, all at one revision", async () => {
      const { id } = await on.etcd.grantLease(60, on.call);
      const { header } = await on.run(on.putOp("a", "", id), on.putOp("b", "", id));
      expect((await on.get("a"))?.lease).toBe(id);

      await on.etcd.revokeLease(id, on.call);

      const after = await on.etcd.range(on.all, on.call);
      expect([after.kvs, after.header.revision]).toEqual([[], header.revision + 1n]);
    });

    it("expire with their keys when nobody keeps them alive", async () => {
      const { id } = await on.etcd.grantLease(2, on.call);
      const written = await on.put("a", "1", id);

      await under().pass(4_000);

      const watch = on.watch(written + 1n);
      expect(await watch.events(1)).toEqual(["delete a"]);
      expect(await on.etcd.keepAlive(id, on.call)).toBe(0);
    });

    it("last as long as they are kept alive", async () => {
      const { id } = await on.etcd.grantLease(2, on.call);
      await on.put("a", "1", id);

      for (let beat = 0; beat < 3; beat++) {
        await under().pass(1_000);
        expect(await on.etcd.keepAlive(id, on.call)).toBe(2);
      }

      expect(await on.get("a")).toBeDefined();
    });

    it("let go of a key that is written without them", async () => {
      const { id } = await on.etcd.grantLease(60, on.call);
      await on.put("a", "1", id);
      await on.put("a", "2");

      await on.etcd.revokeLease(id, on.call);

      expect(await on.get("a")).toMatchObject({ lease: 0n, version: 2n });
    });

    it("must exist for a key to be put or for a revocation", async () => {
      const put = on.run(on.putOp("a", "", 12345n));

      expect(await kindOf(put)).toBe("lease-not-found");
      expect(await kindOf(on.etcd.revokeLease(12345n, on.call))).toBe("lease-not-found");
      expect(await on.get("a")).toBeUndefined();
    });
  });
}
