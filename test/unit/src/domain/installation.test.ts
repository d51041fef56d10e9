import { describe, expect, it } from "vitest";
import {
  installation,
  madeByKnownRoute,
  type InstallationFacts,
} from "../../../../src/domain/installation.js";
import { isLabelValue } from "../../../../src/config/names.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { SOURCE_CLUSTER } from "../../../fixtures/installation.js";
import { route } from "../../../fixtures/route.js";

const FACTS: InstallationFacts = {
  routes: [route("shop")],
  link: undefined,
  lease: { namespace: "k8s-sync", name: "k8s-svc-sync-leader" },
  sourceCluster: SOURCE_CLUSTER,
  digest: sha256,
};

describe("installation", () => {
  it("makes the link of the Lease and the source's identity", () => {
    expect(installation(FACTS).link).toBe("k8s-sync.k8s-svc-sync-leader.0123abcd");
  });

  it("takes the link that it is given", () => {
    expect(installation({ ...FACTS, link: "mine" }).link).toBe("mine");
  });

  it.each([
    [50, 50],
    [63, 200],
    [63, 1],
    [53, 1],
    [54, 1],
  ])("keeps the link a label value with a Lease of %i and %i characters", (namespace, name) => {
    const lease = { namespace: "n".repeat(namespace), name: `a.${"-b".repeat(name)}` };

    const { link } = installation({ ...FACTS, lease });

    expect(isLabelValue(link)).toBe(true);
    expect(link.endsWith(".0123abcd")).toBe(true);
  });

  it("tells routes apart by what they select and where they go, not by how they are written", () => {
    const record = (one: ReturnType<typeof route>): string | undefined =>
      installation({ ...FACTS, routes: [one] }).routeRecords.get("shop");
    const one = route("shop").from("a", "b");

    expect(record(one)).toMatch(/^shop@[0-9a-f]{8}$/);
    expect(record(route("shop").from("b", "a"))).toBe(record(one));
    expect(record(one.with({ paused: true, copyAnnotations: ["x"] }))).toBe(record(one));
    expect(record(one.into("c"))).not.toBe(record(one));
    expect(record(one.to("other"))).not.toBe(record(one));
    expect(record(one.selecting("sync=yes"))).not.toBe(record(one));
    expect(record(one.fromAll())).not.toBe(record(one));
  });

  it("knows the paused routes and the parsed ranges of each", () => {
    const routes = [
      route("a").with({ paused: true }),
      route("b").with({ addressCidrs: ["10.0.0.0/8"] }),
    ];

    const { pausedRoutes, cidrs } = installation({ ...FACTS, routes });

    expect([...pausedRoutes]).toEqual(["a"]);
    expect(cidrs.get("a")).toEqual([]);
    expect(cidrs.get("b")).toEqual([{ bits: 32, base: 10, prefix: 8 }]);
  });
});

describe("madeByKnownRoute", () => {
  const { routes, routeRecords } = installation({
    ...FACTS,
    routes: [route("shop").from("shop").into("b"), route("team").from("team").into("c")],
  });
  const known = (annotations: Record<string, string>, namespace: string, destination: string) =>
    madeByKnownRoute({ routes, routeRecords }, { annotations }, { namespace, destination });

  it("goes by the digest, whatever the route is called now", () => {
    const digest = routeRecords.get("shop")?.split("@")[1] ?? "";

    expect(known({ "svc-ferry.io/route": `renamed@${digest}` }, "shop", "b")).toBe(true);
    expect(known({ "svc-ferry.io/route": "shop@00000000" }, "shop", "b")).toBe(false);
  });

  it.each([
    ["shop", "b", true],
    ["shop", "c", false],
    ["team", "b", false],
    ["team", "c", true],
  ])("judges one without a record by where it came from: %s to %s", (namespace, to, expected) => {
    expect(known({}, namespace, to)).toBe(expected);
    expect(known({ "svc-ferry.io/route": "" }, namespace, to)).toBe(expected);
  });
});
