/** The contract of list: order, selectors, pages. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeList } from "../../src/ports/kube-api.js";
import { CONFIG_MAPS } from "../fakes/resources.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, preconditionsOf } from "./contract-case.js";

export function listsContract(cluster: Cluster): void {
  describe("listing", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    /** Three objects of one suite label; colours red, blue, none. */
    const paint = async (suite: string): Promise<void> => {
      await on.created(CONFIG_MAPS, { name: `${suite}-c`, labels: { suite } });
      await on.created(CONFIG_MAPS, { name: `${suite}-b`, labels: { suite, colour: "blue" } });
      await on.created(CONFIG_MAPS, { name: `${suite}-a`, labels: { suite, colour: "red" } });
    };
    const select = async (labelSelector: string): Promise<readonly string[]> =>
      namesOf(await on.list(CONFIG_MAPS, { labelSelector }));

    it("gives the objects in the order of their names", async () => {
      await paint("l-order");

      expect(await select("suite=l-order")).toEqual(["l-order-a", "l-order-b", "l-order-c"]);
    });

    it("takes = and == for equal", async () => {
      await paint("l-eq");

      expect(await select("suite=l-eq,colour==red")).toEqual(["l-eq-a"]);
    });

    it("lets != match objects without the label", async () => {
      await paint("l-ne");

      expect(await select("suite=l-ne,colour!=red")).toEqual(["l-ne-b", "l-ne-c"]);
    });

    it("takes a set with in", async () => {
      await paint("l-in");

      expect(await select("suite=l-in,colour in (red, blue)")).toEqual(["l-in-a", "l-in-b"]);
    });

    it("lets notin match objects without the label", async () => {
      await paint("l-ni");

      expect(await select("suite=l-ni,colour notin (red)")).toEqual(["l-ni-b", "l-ni-c"]);
    });

    it("takes a key for existence and !key for absence", async () => {
      await paint("l-ex");

      expect(await select("suite=l-ex,colour")).toEqual(["l-ex-a", "l-ex-b"]);
      expect(await select("suite=l-ex,!colour")).toEqual(["l-ex-c"]);
    });

    it("refuses a selector that is none", async () => {
      const list = on.list(CONFIG_MAPS, { labelSelector: "a===b" });

      await expect(list).rejects.toMatchObject({ code: "FERRY-K011" });
    });

    it("finds one object by its name", async () => {
      await paint("l-name");

      const list = await on.list(CONFIG_MAPS, { fieldSelector: "metadata.name=l-name-b" });

      expect(namesOf(list)).toEqual(["l-name-b"]);
    });

    it("lists all namespaces when none is given", async () => {
      await paint("l-all");

      const list = await on.list(CONFIG_MAPS, {
        namespace: undefined,
        labelSelector: "suite=l-all",
      });

      expect(list.items.map(({ metadata }) => metadata.namespace)).toContain(on.namespace);
    });

    it("finds nothing in a namespace that does not exist", async () => {
      const list = await on.list(CONFIG_MAPS, { namespace: "l-no-such-namespace" });

      expect(list.items).toEqual([]);
    });

    it("gives pages that together are the list at the first page's revision", async () => {
      await paint("l-pages");
      const query = { labelSelector: "suite=l-pages", limit: 2 };

      const first = await on.list(CONFIG_MAPS, query);
      const leaving = await on.get(CONFIG_MAPS, "l-pages-c");
      await on.delete(
        CONFIG_MAPS,
        "l-pages-c",
        preconditionsOf(leaving ?? { metadata: { name: "" } }),
      );
      await on.created(CONFIG_MAPS, { name: "l-pages-d", labels: { suite: "l-pages" } });
      const second = await on.list(CONFIG_MAPS, { ...query, continueToken: first.continueToken });

      expect(namesOf(first)).toEqual(["l-pages-a", "l-pages-b"]);
      expect(namesOf(second)).toEqual(["l-pages-c"]);
      expect(second.resourceVersion).toBe(first.resourceVersion);
      expect(second.continueToken).toBeUndefined();
    });

    it("shows metadata alone when asked to", async () => {
      const meta = { name: "l-partial", labels: { a: "1" } };
      const created = await on.created(CONFIG_MAPS, meta, { data: { secret: "x" } });

      const list = await on.list(CONFIG_MAPS, {
        fieldSelector: "metadata.name=l-partial",
        metadataOnly: true,
      });

      expect(list.items[0]?.metadata.uid).toBe(created.metadata.uid);
      expect(list.items[0]?.metadata.labels).toEqual({ a: "1" });
      expect(list.items[0]).not.toHaveProperty("data");
    });

    it("says that a continue token is too old once its revision is compacted", async ({ skip }) => {
      const { compact } = cluster();
      if (compact === undefined) return skip();
      await paint("l-gone");
      const first = await on.list(CONFIG_MAPS, { limit: 1 });
      await on.created(CONFIG_MAPS, { name: "l-gone-d" });

      await compact();

      const next = on.list(CONFIG_MAPS, { limit: 1, continueToken: first.continueToken });
      await expect(next).rejects.toMatchObject({ code: "FERRY-K008" });
    });
  });
}

function namesOf(list: KubeList): readonly string[] {
  return list.items.map(({ metadata }) => metadata.name);
}
