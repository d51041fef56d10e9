import { describe, expect, it } from "vitest";
import { leaseNamespace, targetNamespaces } from "../../../../src/domain/namespaces.js";
import { route } from "../../../fixtures/route.js";

describe("targetNamespaces", () => {
  it.each([
    ["what a literal template says", [route().fromAll().to("prod")], ["prod"]],
    ["one for each source namespace", [route().from("a", "b").to("p-{namespace}")], ["p-a", "p-b"]],
    ["what overrides may name as well", [route().allowing("team", "prod")], ["prod", "team"]],
    ["each once, over all routes", [route("a"), route("b").from("x")], ["prod"]],
    [
      "all when a template needs every source namespace",
      [route().fromAll().to("{namespace}")],
      "all",
    ],
    ["all when a template needs the Service's name", [route().to("x-{name}")], "all"],
  ])("gives %s", (_, routes, expected) => {
    expect(targetNamespaces(routes)).toEqual(expected);
  });
});

describe("leaseNamespace", () => {
  it("is the first namespace that is written to", () => {
    expect(leaseNamespace([route().from("a", "b").to("p-{namespace}")])).toBe("p-a");
  });

  it("is default while that is not known", () => {
    expect(leaseNamespace([route().fromAll().to("{namespace}")])).toBe("default");
  });
});
