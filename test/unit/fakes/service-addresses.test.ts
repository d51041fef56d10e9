import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/ports/kube-api.js";
import { NAMESPACES, SERVICES } from "../../../src/ports/kube-resources.js";
import { specOf } from "../../contract/contract-case.js";
import type { MemoryApiServer } from "../../fakes/memory-api-server.js";
import { SimulatedWorld } from "../../fakes/simulated-world.js";

const PORTS = { ports: [{ port: 80 }] };
const HEADLESS = { ...PORTS, clusterIP: "None" };
const REF = { namespace: "dual", name: "web" };

/** All expectations are what a dual-stack server of 1.36.3 answered; the shared test bed has IPv4 alone. */
const dualStack = (): MemoryApiServer => {
  const { source } = new SimulatedWorld(1, { sourceFamilies: ["IPv4", "IPv6"] });
  source.create(NAMESPACES, { metadata: { name: "dual" } });
  return source;
};

const service = (spec: object): KubeObject => {
  const object = { metadata: REF, spec };
  return object;
};

const families = (object: ReturnType<MemoryApiServer["get"]>): string => {
  const spec = specOf(object);
  return `${String(spec["ipFamilies"])} ${String(spec["ipFamilyPolicy"])}`;
};

describe("IP families on a dual-stack cluster", () => {
  it.each([
    ["nothing", PORTS, "IPv4 SingleStack"],
    [
      "PreferDualStack",
      { ...PORTS, ipFamilyPolicy: "PreferDualStack" },
      "IPv4,IPv6 PreferDualStack",
    ],
    [
      "RequireDualStack from IPv6 on",
      { ...PORTS, ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] },
      "IPv6,IPv4 RequireDualStack",
    ],
    ["IPv6", { ...PORTS, ipFamilies: ["IPv6"] }, "IPv6 SingleStack"],
    ["headless", HEADLESS, "IPv4,IPv6 RequireDualStack"],
    ["headless with a selector", { ...HEADLESS, selector: { a: "b" } }, "IPv4 SingleStack"],
    ["headless IPv6", { ...HEADLESS, ipFamilies: ["IPv6"] }, "IPv6,IPv4 RequireDualStack"],
  ])("completes a Service that asks for %s", (_what, spec, expected) => {
    const created = dualStack().create(SERVICES, service(spec));

    expect(families(created)).toBe(expected);
  });

  it("refuses two families without a policy", () => {
    const server = dualStack();
    const spec = { ...PORTS, ipFamilies: ["IPv4", "IPv6"] };

    expect(() => server.create(SERVICES, service(spec))).toThrow("ipFamilyPolicy");
  });

  it("adds the second family and its address in place, and takes both back", () => {
    const server = dualStack();
    const single = server.create(SERVICES, service(PORTS));

    const dual = server.patch(SERVICES, REF, { spec: { ipFamilyPolicy: "PreferDualStack" } });
    const back = server.patch(SERVICES, REF, { spec: { ipFamilyPolicy: "SingleStack" } });

    expect(families(dual)).toBe("IPv4,IPv6 PreferDualStack");
    expect(specOf(dual)["clusterIPs"]).toEqual([
      specOf(single)["clusterIP"],
      expect.stringContaining(":"),
    ]);
    expect(specOf(back)["clusterIPs"]).toEqual([specOf(single)["clusterIP"]]);
    expect(families(back)).toBe("IPv4 SingleStack");
  });

  it.each([[["IPv4"]], [["IPv4", "IPv6"]]])(
    "refuses %s for a Service whose first family is IPv6",
    (sent) => {
      const server = dualStack();
      const spec = { ...PORTS, ipFamilies: ["IPv6"], ipFamilyPolicy: "PreferDualStack" };
      server.create(SERVICES, service(spec));

      const change = (): unknown => server.patch(SERVICES, REF, { spec: { ipFamilies: sent } });

      expect(change).toThrow("as indicated by `ipFamilies[0]`");
    },
  );
});
