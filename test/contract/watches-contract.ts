/** The contract of watch: which events, what they carry, how it ends. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS } from "../fakes/resources.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, preconditionsOf } from "./contract-case.js";

export function watchesContract(cluster: Cluster): void {
  describe("watching", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    const now = async (): Promise<string> => (await on.list(CONFIG_MAPS)).resourceVersion;

    it("delivers creation, change and deletion in order", async () => {
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now() });

      const created = await on.created(CONFIG_MAPS, { name: "v-life" }, { data: { a: "1" } });
      const changed = await on.patched(CONFIG_MAPS, created, { data: { a: "2" } });
      await on.delete(CONFIG_MAPS, "v-life", preconditionsOf(changed));
      await watch.until("deleted", "v-life");

      expect(watch.lines).toEqual(["added v-life", "modified v-life", "deleted v-life"]);
      expect(watch.objects[0]?.object).toEqual(created);
      expect(watch.objects[1]?.object).toEqual(changed);
    });

    it("delivers what happened between the list and the watch", async () => {
      const resourceVersion = await now();
      const created = await on.created(CONFIG_MAPS, { name: "v-gap" });

      const watch = on.watch(CONFIG_MAPS, { resourceVersion });

      expect(await watch.until("added", "v-gap")).toEqual(created);
    });

    it("gives a deleted object its last content and a revision of its own", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "v-last" }, { data: { a: "1" } });
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now() });

      await on.delete(CONFIG_MAPS, "v-last", preconditionsOf(seen));
      const deleted = await watch.until("deleted", "v-last");

      expect(deleted).toMatchObject({ metadata: { uid: seen.metadata.uid }, data: { a: "1" } });
      expect(deleted.metadata.resourceVersion).not.toBe(seen.metadata.resourceVersion);
    });

    it("turns a change away from the selector into deleted, with the previous content and the new revision", async () => {
      const meta = { name: "v-leave", labels: { sync: "v-leave" } };
      const seen = await on.created(CONFIG_MAPS, meta, { data: { a: "1" } });
      const resourceVersion = await now();
      const watch = on.watch(CONFIG_MAPS, { resourceVersion, labelSelector: "sync=v-leave" });

      const left = await on.patched(CONFIG_MAPS, seen, {
        metadata: { labels: { sync: null } },
        data: { a: "2" },
      });
      const deleted = await watch.until("deleted", "v-leave");

      expect(deleted.metadata.labels).toEqual({ sync: "v-leave" });
      expect(deleted).toMatchObject({ data: { a: "1" } });
      expect(deleted.metadata.resourceVersion).toBe(left.metadata.resourceVersion);
    });

    it("turns a change towards the selector into added", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "v-join" });
      const resourceVersion = await now();
      const watch = on.watch(CONFIG_MAPS, { resourceVersion, labelSelector: "sync in (v-join)" });

      const joined = await on.patched(CONFIG_MAPS, seen, {
        metadata: { labels: { sync: "v-join" } },
      });

      expect(await watch.until("added", "v-join")).toEqual(joined);
    });

    it("says nothing about objects that the selector never matched", async () => {
      const resourceVersion = await now();
      const watch = on.watch(CONFIG_MAPS, { resourceVersion, labelSelector: "sync=v-only" });

      const other = await on.created(CONFIG_MAPS, { name: "v-other" });
      await on.delete(CONFIG_MAPS, "v-other", preconditionsOf(other));
      await on.created(CONFIG_MAPS, { name: "v-only", labels: { sync: "v-only" } });
      await watch.until("added", "v-only");

      expect(watch.lines).toEqual(["added v-only"]);
    });

    it("says nothing about a write that changed nothing", async () => {
      const seen = await on.created(CONFIG_MAPS, { name: "v-noop" }, { data: { a: "1" } });
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now() });

      await on.patched(CONFIG_MAPS, seen, { data: { a: "1" } });
      await on.created(CONFIG_MAPS, { name: "v-noop-after" });
      await watch.until("added", "v-noop-after");

      expect(watch.lines).toEqual(["added v-noop-after"]);
    });

    it("watches one name", async () => {
      const resourceVersion = await now();
      const watch = on.watch(CONFIG_MAPS, {
        resourceVersion,
        fieldSelector: "metadata.name=v-one",
      });

      await on.created(CONFIG_MAPS, { name: "v-not-one" });
      await on.created(CONFIG_MAPS, { name: "v-one" });
      await watch.until("added", "v-one");

      expect(watch.lines).toEqual(["added v-one"]);
    });

    it("shows metadata alone when asked to", async () => {
      const resourceVersion = await now();
      const watch = on.watch(CONFIG_MAPS, { resourceVersion, metadataOnly: true });

      const created = await on.created(CONFIG_MAPS, { name: "v-partial" }, { data: { a: "1" } });
      const seen = await watch.until("added", "v-partial");

      expect(seen.metadata.uid).toBe(created.metadata.uid);
      expect(seen).not.toHaveProperty("data");
    });

    it("shows a finalizer's wait as modified and the end as deleted", async () => {
      const meta = { name: "v-final", finalizers: ["svc-ferry.io/test"] };
      const seen = await on.created(CONFIG_MAPS, meta);
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now() });

      await on.delete(CONFIG_MAPS, "v-final", preconditionsOf(seen));
      const marked = await watch.until("modified", "v-final");
      await on.patched(CONFIG_MAPS, marked, { metadata: { finalizers: null } });
      await watch.until("deleted", "v-final");

      expect(marked.metadata.deletionTimestamp).toBeDefined();
      expect(watch.lines).toEqual(["modified v-final", "deleted v-final"]);
    });

    it("opens on a revision of the future and stays silent until that is passed", async () => {
      const first = await on.created(CONFIG_MAPS, { name: "v-future-0" });
      // Others write to a shared server meanwhile: so far ahead that they do not get there before the second object.
      const future = Number(first.metadata.resourceVersion) + 50;
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: String(future) });

      const second = await on.created(CONFIG_MAPS, { name: "v-future-1" });
      let last = second;
      for (let number = 2; Number(last.metadata.resourceVersion) <= future; number += 1) {
        last = await on.created(CONFIG_MAPS, { name: `v-future-${number}` });
      }
      await watch.until("added", last.metadata.name);

      expect(Number(second.metadata.resourceVersion)).toBeLessThanOrEqual(future);
      expect(watch.lines).not.toContain("added v-future-1");
    });

    // NB: whether bookmarks come in so short a time is up to the server; it promises none.
    it("ends in good order after timeoutSeconds", async () => {
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now(), timeoutSeconds: 1 });

      await expect(watch.ended()).resolves.toBeUndefined();
    });

    it("resolves when it is aborted", async () => {
      const watch = on.watch(CONFIG_MAPS, { resourceVersion: await now() });
      await on.created(CONFIG_MAPS, { name: "v-abort" });
      await watch.until("added", "v-abort");

      on.end();

      await expect(watch.ended()).resolves.toBeUndefined();
    });

    it("passes on what onEvent throws", async () => {
      const options = {
        namespace: on.namespace,
        resourceVersion: await now(),
        timeoutSeconds: 60,
        stallMs: 90_000,
      };
      const thrown = new Error("on purpose");
      const watch = on.api.watch(
        CONFIG_MAPS,
        options,
        () => {
          throw thrown;
        },
        on.signal,
      );

      const [ended] = await Promise.allSettled([
        watch,
        on.created(CONFIG_MAPS, { name: "v-throw" }),
      ]);

      expect(ended).toEqual({ status: "rejected", reason: thrown });
    });

    it("says that a revision is too old once it is compacted", async ({ skip }) => {
      const { compact } = cluster();
      if (compact === undefined) return skip();
      const resourceVersion = await now();
      await on.created(CONFIG_MAPS, { name: "v-old" });

      await compact();

      const watch = on.watch(CONFIG_MAPS, { resourceVersion });
      await expect(watch.ended()).rejects.toMatchObject({ code: "FERRY-K008" });
    });
  });
}
