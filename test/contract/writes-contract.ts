/** The contract of get, create, patch, replace and delete. */
import { ENDPOINT_SLICES } from "../../src/ports/kube-resources.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS } from "../fakes/resources.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, objectOf, OTHER_UID, preconditionsOf } from "./contract-case.js";

export function writesContract(cluster: Cluster): void {
  describe("writing", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    it("answers a create with the object as it is stored", async () => {
      const created = await on.created(CONFIG_MAPS, { name: "w-create" }, { data: { a: "1" } });

      expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await on.get(CONFIG_MAPS, "w-create")).toEqual(created);
    });

    it("answers a get of an absent name with undefined", async () => {
      expect(await on.get(CONFIG_MAPS, "w-absent")).toBeUndefined();
    });

    it("refuses a create of a taken name and leaves what is there", async () => {
      const first = await on.created(CONFIG_MAPS, { name: "w-taken" });

      const second = await on.create(CONFIG_MAPS, { name: "w-taken" }, { data: { a: "2" } });

      expect(second).toEqual({ kind: "already-exists" });
      expect(await on.get(CONFIG_MAPS, "w-taken")).toEqual(first);
    });

    it("does not send what is no longer permitted", async () => {
      const object = { metadata: { name: "w-permit", namespace: on.namespace } };

      const write = on.api.create(CONFIG_MAPS, object, { signal: on.signal, permit: () => false });

      await expect(write).rejects.toMatchObject({ code: "FERRY-L001" });
      expect(await on.get(CONFIG_MAPS, "w-permit")).toBeUndefined();
    });

    it("merges a patch: values replace, null removes, the rest stays", async () => {
      const meta = { name: "w-merge", labels: { keep: "1", drop: "1" } };
      const seen = await on.created(CONFIG_MAPS, meta, { data: { a: "1", b: "1" } });

      const patched = await on.patched(CONFIG_MAPS, seen, {
        metadata: { labels: { drop: null } },
        data: { a: "2", b: null },
      });

      expect(patched.metadata.labels).toEqual({ keep: "1" });
      expect(patched).toMatchObject({ data: { a: "2" } });
      expect(patched).not.toHaveProperty("data.b");
      expect(patched.metadata.resourceVersion).not.toBe(seen.metadata.resourceVersion);
    });

    it("leaves out a map that became empty", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-empty", labels: { only: "1" } });

      const patched = await on.patched(CONFIG_MAPS, seen, { metadata: { labels: { only: null } } });

      expect(patched.metadata).not.toHaveProperty("labels");
    });

    it("keeps the resourceVersion when a patch changes nothing", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-noop", labels: { a: "1" } });

      const patched = await on.patched(CONFIG_MAPS, seen, {
        metadata: { labels: { a: "1", absent: null } },
      });

      expect(patched.metadata.resourceVersion).toBe(seen.metadata.resourceVersion);
    });

    it("keeps the resourceVersion when a replace changes nothing", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-noop-put" }, { data: { a: "1" } });

      const replaced = objectOf(await on.replace(CONFIG_MAPS, seen));

      expect(replaced.metadata.resourceVersion).toBe(seen.metadata.resourceVersion);
    });

    it("answers a patch of a changed object with conflict and changes nothing", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-stale" }, { data: { a: "1" } });
      const changed = await on.patched(CONFIG_MAPS, seen, { data: { a: "2" } });

      const result = await on.patch(CONFIG_MAPS, seen, { data: { a: "3" } });

      expect(result).toEqual({ kind: "conflict" });
      expect(await on.get(CONFIG_MAPS, "w-stale")).toEqual(changed);
    });

    it("answers a patch for another uid with conflict and changes nothing", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-uid" }, { data: { a: "1" } });

      const result = await on.patchIf(
        CONFIG_MAPS,
        "w-uid",
        { data: { a: "2" } },
        { uid: OTHER_UID },
      );

      expect(result).toEqual({ kind: "conflict" });
      expect(await on.get(CONFIG_MAPS, "w-uid")).toEqual(seen);
    });

    it("answers a patch of an object that was exchanged for another with conflict", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-exchanged" });
      await on.delete(CONFIG_MAPS, "w-exchanged", preconditionsOf(seen));
      await on.created(CONFIG_MAPS, { name: "w-exchanged" });

      const result = await on.patch(CONFIG_MAPS, seen, { data: { a: "2" } });

      expect(result).toEqual({ kind: "conflict" });
    });

    it("answers a patch of an absent object with not-found", async () => {
      const result = await on.patchIf(CONFIG_MAPS, "w-gone", { data: {} }, { uid: OTHER_UID });

      expect(result).toEqual({ kind: "not-found" });
    });

    it("answers a replace of a changed object with conflict", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-put-stale" }, { data: { a: "1" } });
      await on.patched(CONFIG_MAPS, seen, { data: { a: "2" } });

      expect(await on.replace(CONFIG_MAPS, seen)).toEqual({ kind: "conflict" });
    });

    it("answers a replace of an absent EndpointSlice with not-found", async () => {
      const metadata = { name: "w-put-slice", namespace: on.namespace, resourceVersion: "1" };
      const slice = { metadata, addressType: "IPv4", endpoints: [] };

      expect(await on.replace(ENDPOINT_SLICES, slice)).toEqual({ kind: "not-found" });
    });

    it("answers a replace of an object that was deleted with not-found and does not bring it back", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-put-deleted" });
      await on.delete(CONFIG_MAPS, "w-put-deleted", preconditionsOf(seen));

      expect(await on.replace(CONFIG_MAPS, seen)).toEqual({ kind: "not-found" });
      expect(await on.get(CONFIG_MAPS, "w-put-deleted")).toBeUndefined();
    });

    it("deletes the object that is meant", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-delete" });

      const result = await on.delete(CONFIG_MAPS, "w-delete", preconditionsOf(seen));

      expect(result).toEqual({ kind: "done", object: undefined });
      expect(await on.get(CONFIG_MAPS, "w-delete")).toBeUndefined();
    });

    it("does not delete another uid", async () => {
      await on.created(CONFIG_MAPS, { name: "w-delete-uid" });

      const result = await on.delete(CONFIG_MAPS, "w-delete-uid", { uid: OTHER_UID });

      expect(result).toEqual({ kind: "conflict" });
      expect(await on.get(CONFIG_MAPS, "w-delete-uid")).toBeDefined();
    });

    it("does not delete what changed since", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "w-delete-rv" }, { data: { a: "1" } });
      await on.patched(CONFIG_MAPS, seen, { data: { a: "2" } });

      const result = await on.delete(CONFIG_MAPS, "w-delete-rv", preconditionsOf(seen));

      expect(result).toEqual({ kind: "conflict" });
    });

    it("answers a delete of an absent object with not-found", async () => {
      const result = await on.delete(CONFIG_MAPS, "w-delete-gone", { uid: OTHER_UID });

      expect(result).toEqual({ kind: "not-found" });
    });

    it("only marks an object with finalizers, and takes it away with the last of them", async () => {
      const meta = { name: "w-final", finalizers: ["svc-ferry.io/test"] };
      const seen = await on.created(CONFIG_MAPS, meta);

      const deleted = await on.delete(CONFIG_MAPS, "w-final", preconditionsOf(seen));
      const marked = await on.get(CONFIG_MAPS, "w-final");
      const taken = await on.create(CONFIG_MAPS, { name: "w-final" });
      await on.patched(CONFIG_MAPS, marked ?? seen, { metadata: { finalizers: null } });

      expect(marked?.metadata.deletionTimestamp).toBeDefined();
      expect(deleted).toEqual({ kind: "done", object: marked });
      expect(taken).toEqual({ kind: "already-exists" });
      expect(await on.get(CONFIG_MAPS, "w-final")).toBeUndefined();
    });

    it("finds a label that no label can be invalid", async () => {
      const result = await on.create(CONFIG_MAPS, { name: "w-label", labels: { "a b": "1" } });

      expect(result).toMatchObject({ kind: "invalid" });
    });

    it("rejects a request whose signal is aborted", async () => {
      const get = on.api.get(
        CONFIG_MAPS,
        { namespace: on.namespace, name: "x" },
        AbortSignal.abort(),
      );

      await expect(get).rejects.toThrow();
    });
  });
}
