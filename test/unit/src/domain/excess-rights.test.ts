import { describe, expect, it } from "vitest";
import { excessRights, type GrantedRule } from "../../../../src/domain/excess-rights.js";
import { sourceRights } from "../../../../src/domain/needed-rights.js";
import { route } from "../../../fixtures/route.js";

const NEEDED = sourceRights({
  routes: [route().from("shop")],
  endpoints: "both",
  lease: { namespace: "k8s-sync", name: "leader" },
  webhook: { on: true, certsMode: "self", configuration: "svc-ferry", secret: "tls" },
  kubeconfigSecret: undefined,
  account: undefined,
});

/** "verbs group/resource names": "get,list /secrets tls". */
function rule(text: string): GrantedRule {
  const [verbs = "", full = "", names = ""] = text.split(" ");
  const [group = "", ...resource] = full.split("/");
  const words = (list: string): readonly string[] => list.split(",").filter((word) => word !== "");
  return {
    verbs: words(verbs),
    apiGroups: [group],
    resources: [resource.join("/")],
    resourceNames: words(names),
  };
}

describe("excessRights", () => {
  it.each([
    ["get,list,watch /services", []],
    ["get,list,watch,update /secrets tls", []],
    ["get,update coordination.k8s.io/leases leader", []],
    ["create coordination.k8s.io/leases", []],
    ["create authorization.k8s.io/selfsubjectaccessreviews", []],
    ["delete,get /services", ["delete services"]],
    ["get /secrets", ["get secrets of any name"]],
    ["get /secrets tls,admin-password", ["get secrets admin-password"]],
    ["get /services/proxy", ["get services/proxy"]],
    ["update coordination.k8s.io/leases", ["update leases.coordination.k8s.io of any name"]],
    ["* */*", ["* *.*"]],
    ["* /services", ["* services"]],
  ])("of %j", (granted, expected) => {
    expect(excessRights([rule(granted)], NEEDED)).toEqual(expected);
  });

  it("holds its tongue of a name that is not known yet", () => {
    const unknown = NEEDED.map((one) =>
      one.name === "leader" ? { ...one, name: undefined } : one,
    );

    expect(excessRights([rule("get coordination.k8s.io/leases some")], unknown)).toEqual([]);
  });

  it("names once what several rules grant", () => {
    const twice = [rule("delete /services"), rule("delete /services")];

    expect(excessRights(twice, NEEDED)).toEqual(["delete services"]);
  });
});
