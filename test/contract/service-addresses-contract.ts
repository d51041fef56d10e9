/** The contract of a Service's type, cluster IPs and IP families, on a cluster that has IPv4 alone. */
import { SERVICES } from "../../src/ports/kube-resources.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase, specOf } from "./contract-case.js";

const PORTS = { ports: [{ port: 80 }] };
const HEADLESS = { ...PORTS, clusterIP: "None" };
const EXTERNAL = { type: "ExternalName", externalName: "web.example.com" };

export function serviceAddressesContract(cluster: Cluster): void {
  describe("addresses of Services", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    const created = (name: string, spec: object): Promise<KubeObject> =>
      on.created(SERVICES, { name }, { spec });

    it("gives a headless Service without selector both families, even on an IPv4 cluster", async () => {
      const spec = specOf(await created("a-headless", HEADLESS));

      expect(spec["clusterIPs"]).toEqual(["None"]);
      expect(spec["ipFamilies"]).toEqual(["IPv4", "IPv6"]);
      expect(spec["ipFamilyPolicy"]).toBe("RequireDualStack");
    });

    it("gives a headless Service with a selector the cluster's family", async () => {
      const spec = specOf(await created("a-pods", { ...HEADLESS, selector: { app: "web" } }));

      expect(spec["ipFamilies"]).toEqual(["IPv4"]);
      expect(spec["ipFamilyPolicy"]).toBe("SingleStack");
    });

    it("takes the families that are sent for a headless Service, also a foreign one, and their change", async () => {
      const sent = { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" };
      const seen = await created("a-foreign", { ...HEADLESS, ...sent });

      const changed = await on.patched(SERVICES, seen, { spec: { ipFamilies: ["IPv4"] } });

      expect(specOf(seen)["ipFamilies"]).toEqual(["IPv6"]);
      expect(specOf(changed)["ipFamilies"]).toEqual(["IPv4"]);
    });

    it.each([
      ["ClusterIP to headless", PORTS, { clusterIP: "None" }],
      ["another cluster IP", PORTS, { clusterIP: "10.96.250.250" }],
      ["another primary family", PORTS, { ipFamilies: ["IPv6"] }],
    ])("refuses the change %s", async (what, spec, patch) => {
      const seen = await created(`a-${what.replaceAll(" ", "-").toLowerCase()}`, spec);

      const result = await on.patch(SERVICES, seen, { spec: patch });

      expect(result).toMatchObject({ kind: "invalid", message: expect.stringContaining("spec.") });
      expect(await on.get(SERVICES, seen.metadata.name)).toEqual(seen);
    });

    it("leaves a headless Service headless when its cluster IP is patched away", async () => {
      const seen = await created("a-stays", HEADLESS);

      const patched = await on.patched(SERVICES, seen, { spec: { clusterIP: null } });

      expect(specOf(patched)["clusterIP"]).toBe("None");
    });

    it("names the field when a cluster IP may not change", async () => {
      const seen = await created("a-message", PORTS);

      const result = await on.patch(SERVICES, seen, { spec: { clusterIP: "None" } });

      expect(result).toMatchObject({
        message: expect.stringMatching(/spec\.clusterIPs\[0\].*may not change once set/),
      });
    });

    it("takes an ExternalName Service without ports or addresses", async () => {
      const spec = specOf(await created("a-external", EXTERNAL));

      expect(spec).toEqual({ ...EXTERNAL, sessionAffinity: "None" });
    });

    it.each([
      ["no external name", "a-bad-1", { type: "ExternalName" }],
      ["IP families of an ExternalName", "a-bad-2", { ...EXTERNAL, ipFamilies: ["IPv4"] }],
      ["a cluster IP of an ExternalName", "a-bad-3", { ...EXTERNAL, clusterIP: "10.96.3.3" }],
      ["a family that the cluster lacks", "a-bad-4", { ...PORTS, ipFamilies: ["IPv6"] }],
      [
        "two stacks where there is one",
        "a-bad-5",
        { ...PORTS, ipFamilyPolicy: "RequireDualStack" },
      ],
      [
        "two families of one stack",
        "a-bad-6",
        { ...HEADLESS, ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "SingleStack" },
      ],
    ])("finds %s invalid", async (_what, name, spec) => {
      expect(await on.create(SERVICES, { name }, { spec })).toMatchObject({ kind: "invalid" });
    });

    it("prefers two stacks without insisting", async () => {
      const spec = specOf(
        await created("a-prefer", { ...PORTS, ipFamilyPolicy: "PreferDualStack" }),
      );

      expect(spec["ipFamilies"]).toEqual(["IPv4"]);
      expect(spec["ipFamilyPolicy"]).toBe("PreferDualStack");
    });

    it.each([
      ["ClusterIP", "a-to-external-1", PORTS],
      ["headless", "a-to-external-2", HEADLESS],
    ])("takes %s to ExternalName and drops its addresses", async (_what, name, spec) => {
      const seen = await created(name, spec);

      const external = specOf(await on.patched(SERVICES, seen, { spec: EXTERNAL }));

      expect(external).not.toHaveProperty("clusterIP");
      expect(external).not.toHaveProperty("clusterIPs");
      expect(external).not.toHaveProperty("ipFamilies");
      expect(external).not.toHaveProperty("ipFamilyPolicy");
      expect(external).not.toHaveProperty("internalTrafficPolicy");
    });

    it("takes ExternalName to ClusterIP with a new address", async () => {
      const seen = await created("a-from-external", EXTERNAL);

      const patch = { type: "ClusterIP", externalName: null, ...PORTS };
      const spec = specOf(await on.patched(SERVICES, seen, { spec: patch }));

      expect(spec["clusterIP"]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(spec["ipFamilies"]).toEqual(["IPv4"]);
    });

    it("takes ExternalName to headless", async () => {
      const seen = await created("a-to-headless", EXTERNAL);

      const patch = { type: "ClusterIP", externalName: null, clusterIP: "None", ...PORTS };
      const spec = specOf(await on.patched(SERVICES, seen, { spec: patch }));

      expect(spec["clusterIPs"]).toEqual(["None"]);
    });

    it("refuses a cluster IP that is taken", async () => {
      const first = await created("a-first", PORTS);
      const { clusterIP } = specOf(first);

      const second = await on.create(
        SERVICES,
        { name: "a-second" },
        { spec: { ...PORTS, clusterIP } },
      );

      expect(second).toMatchObject({ kind: "invalid" });
    });
  });
}
