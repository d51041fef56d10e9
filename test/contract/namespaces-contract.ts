/** The contract of namespaces: missing ones, ones that are being deleted, and what every cluster has. */
import { NAMESPACES, SERVICES } from "../../src/ports/kube-resources.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_MAPS } from "../fakes/resources.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, preconditionsOf, specOf } from "./contract-case.js";

export function namespacesContract(cluster: Cluster): void {
  describe("namespaces", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    it("answers a create in a missing namespace with not-found", async () => {
      const result = await on.create(CONFIG_MAPS, { name: "a", namespace: "n-no-such-namespace" });

      expect(result).toEqual({ kind: "not-found" });
    });

    it("prefers not-found to invalid", async () => {
      const meta = { name: "INVALID", namespace: "n-no-such-namespace" };

      expect(await on.create(SERVICES, meta)).toEqual({ kind: "not-found" });
    });

    it("answers a create in a namespace that is being deleted with terminating", async () => {
      const name = `${on.namespace}-terminating`;
      const write = { signal: on.signal };
      await on.api.create(NAMESPACES, { metadata: { name } }, write);
      const meta = { name: "stays", namespace: name, finalizers: ["svc-ferry.io/test"] };
      await on.created(CONFIG_MAPS, meta);
      const namespace = await on.api.get(NAMESPACES, { name }, on.signal);

      const uid = namespace?.metadata.uid ?? "";
      await on.api.delete(NAMESPACES, { name }, { uid }, write);
      const result = await on.create(CONFIG_MAPS, { name: "late", namespace: name });
      const stays = await on.api.get(CONFIG_MAPS, { name: "stays", namespace: name }, on.signal);
      const changed = await on.api.patch(
        CONFIG_MAPS,
        { name: "stays", namespace: name },
        { metadata: { finalizers: null } },
        preconditionsOf(stays ?? { metadata: meta }),
        write,
      );

      expect(result).toMatchObject({ kind: "terminating" });
      expect(changed).toMatchObject({ kind: "done" });
    });

    it("identifies the cluster by the uid of kube-system", async () => {
      const namespace = await on.api.get(NAMESPACES, { name: "kube-system" }, on.signal);

      expect(namespace?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    });

    it("shows the cluster's IP families on default/kubernetes", async () => {
      const ref = { namespace: "default", name: "kubernetes" };

      const kubernetes = await on.api.get(SERVICES, ref, on.signal);

      expect(specOf(kubernetes)["ipFamilies"]).toEqual(["IPv4"]);
    });
  });
}
