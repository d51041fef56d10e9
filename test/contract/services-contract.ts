/** The contract of Services: defaults and what is refused. */
import { SERVICES } from "../../src/ports/kube-resources.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, specOf } from "./contract-case.js";

export function servicesContract(cluster: Cluster): void {
  describe("Services", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    const web = { ports: [{ port: 80 }] };

    it("completes a Service that gives a port alone", async () => {
      const created = await on.created(SERVICES, { name: "s-defaults" }, { spec: web });

      const { clusterIP, clusterIPs, ...spec } = specOf(created);
      expect(clusterIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(clusterIPs).toEqual([clusterIP]);
      expect(spec).toEqual({
        type: "ClusterIP",
        ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
        sessionAffinity: "None",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
      });
      expect(created.metadata).not.toHaveProperty("generation");
    });

    it("completes session affinity", async () => {
      const spec = { ...web, sessionAffinity: "ClientIP" };
      const created = await on.created(SERVICES, { name: "s-affinity" }, { spec });

      const back = await on.patched(SERVICES, created, { spec: { sessionAffinity: "None" } });

      expect(specOf(created)["sessionAffinityConfig"]).toEqual({
        clientIP: { timeoutSeconds: 10_800 },
      });
      expect(specOf(back)).not.toHaveProperty("sessionAffinityConfig");
    });

    it("removes a selector that is patched to null, and nothing the second time", async () => {
      const spec = { ...web, selector: { app: "web" } };
      const created = await on.created(SERVICES, { name: "s-selector" }, { spec });

      const without = await on.patched(SERVICES, created, { spec: { selector: null } });
      const again = await on.patched(SERVICES, without, { spec: { selector: null } });

      expect(specOf(without)).not.toHaveProperty("selector");
      expect(again.metadata.resourceVersion).toBe(without.metadata.resourceVersion);
    });

    it("leaves out publishNotReadyAddresses when it is false", async () => {
      const spec = { ...web, publishNotReadyAddresses: true };
      const created = await on.created(SERVICES, { name: "s-unready" }, { spec });

      const back = await on.patched(SERVICES, created, {
        spec: { publishNotReadyAddresses: false },
      });

      expect(specOf(created)["publishNotReadyAddresses"]).toBe(true);
      expect(specOf(back)).not.toHaveProperty("publishNotReadyAddresses");
    });

    it("keeps the cluster IP when a replace leaves it out", async () => {
      const created = await on.created(SERVICES, { name: "s-put" }, { spec: web });

      const sent = { metadata: created.metadata, spec: web };
      const result = await on.replace(SERVICES, sent);

      expect(result).toEqual({ kind: "done", object: created });
    });

    it("gives node ports and takes them back with the type", async () => {
      const spec = { ...web, type: "NodePort" };
      const created = await on.created(SERVICES, { name: "s-node" }, { spec });

      const back = await on.patched(SERVICES, created, { spec: { type: "ClusterIP" } });

      expect(created).toHaveProperty("spec.ports.0.nodePort");
      expect(specOf(created)["externalTrafficPolicy"]).toBe("Cluster");
      expect(back).not.toHaveProperty("spec.ports.0.nodePort");
      expect(specOf(back)).not.toHaveProperty("externalTrafficPolicy");
    });

    it("takes a name of 63 characters", async () => {
      const name = "a".repeat(63);

      expect(await on.create(SERVICES, { name }, { spec: web })).toMatchObject({ kind: "done" });
    });

    it("takes a name that begins with a digit from 1.36 on, and finds it invalid before", async () => {
      const kind = cluster().minor >= 36 ? "done" : "invalid";

      expect(await on.create(SERVICES, { name: "1s" }, { spec: web })).toMatchObject({ kind });
    });

    it.each([
      ["a name of 64 characters", "a".repeat(64), web],
      ["a name with a dot", "s-a.b", web],
      ["a name with capitals", "S-A", web],
      ["no port", "s-bad-1", {}],
      ["port 0", "s-bad-2", { ports: [{ port: 0 }] }],
      ["two ports without names", "s-bad-3", { ports: [{ port: 80 }, { port: 81 }] }],
      [
        "two ports of one name",
        "s-bad-4",
        {
          ports: [
            { name: "a", port: 80 },
            { name: "a", port: 81 },
          ],
        },
      ],
      [
        "one port twice",
        "s-bad-5",
        {
          ports: [
            { name: "a", port: 80 },
            { name: "b", port: 80 },
          ],
        },
      ],
      ["an unknown protocol", "s-bad-6", { ports: [{ port: 80, protocol: "XXX" }] }],
      ["an unknown type", "s-bad-7", { ...web, type: "Ferry" }],
      ["an unknown affinity", "s-bad-8", { ...web, sessionAffinity: "Moon" }],
      ["a port name with capitals", "s-bad-9", { ports: [{ port: 80, name: "A_b" }] }],
      ["a long target name", "s-bad-10", { ports: [{ port: 80, targetPort: "sixteen-letters-" }] }],
    ])("finds %s invalid", async (_what, name, spec) => {
      expect(await on.create(SERVICES, { name }, { spec })).toMatchObject({ kind: "invalid" });
    });
  });
}
