/** The contract of Leases. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LEASES } from "../fakes/resources.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, objectOf, preconditionsOf, specOf } from "./contract-case.js";

export function leasesContract(cluster: Cluster): void {
  describe("Leases", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    const held = {
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.123456Z",
    };

    it("stores what is sent, without a generation", async () => {
      const created = await on.created(LEASES, { name: "h-store" }, { spec: held });

      expect(specOf(created)).toEqual(held);
      expect(created.metadata).not.toHaveProperty("generation");
    });

    it("lets one of two that replace the same version win", async () => {
      const seen = await on.created(LEASES, { name: "h-race" }, { spec: held });
      const by = (holderIdentity: string): object => ({ spec: { ...held, holderIdentity } });

      const results = await Promise.all([
        on.replace(LEASES, { ...seen, ...by("b") }),
        on.replace(LEASES, { ...seen, ...by("c") }),
      ]);

      expect(results.map(({ kind }) => kind).toSorted()).toEqual(["conflict", "done"]);
    });

    it("takes an empty holder, as a release writes it", async () => {
      const seen = await on.created(LEASES, { name: "h-release" }, { spec: held });

      const spec = { ...held, holderIdentity: "", leaseDurationSeconds: 1 };
      const release = { ...seen, spec };
      const released = objectOf(await on.replace(LEASES, release));

      expect(specOf(released)["holderIdentity"]).toBe("");
    });

    it("does not send a replace without resourceVersion", async () => {
      const seen = await on.created(LEASES, { name: "h-blind" }, { spec: held });

      const { resourceVersion: _rv, ...metadata } = seen.metadata;
      const write = on.replace(LEASES, { ...seen, metadata });

      await expect(write).rejects.toMatchObject({ code: "FERRY-K011" });
    });

    it("creates on a replace of an absent Lease without uid, and refuses one with the uid of a deleted one", async () => {
      const seen = await on.created(LEASES, { name: "h-back" }, { spec: held });
      await on.delete(LEASES, "h-back", preconditionsOf(seen));

      const withUid = await on.replace(LEASES, seen);
      const { uid: _uid, ...metadata } = seen.metadata;
      const without = await on.replace(LEASES, { ...seen, metadata });

      expect(withUid).toEqual({ kind: "conflict" });
      expect(without).toMatchObject({ kind: "done" });
    });

    it.each([
      ["a duration of 0", "h-bad-1", { leaseDurationSeconds: 0 }],
      ["negative transitions", "h-bad-2", { leaseTransitions: -1 }],
    ])("finds %s invalid", async (_what, name, change) => {
      const spec = { ...held, ...change };

      expect(await on.create(LEASES, { name }, { spec })).toMatchObject({ kind: "invalid" });
    });

    it.each(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z"])(
      "finds the renew time %s invalid: six digits are needed",
      async (renewTime) => {
        const seen = await on.created(
          LEASES,
          { name: `h-time-${renewTime.length}` },
          { spec: held },
        );

        expect(await on.patch(LEASES, seen, { spec: { renewTime } })).toMatchObject({
          kind: "invalid",
        });
      },
    );
  });
}
