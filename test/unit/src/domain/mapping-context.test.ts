import { describe, expect, it } from "vitest";
import { mappingContext } from "../../../../src/domain/mapping-context.js";
import { route } from "../../../fixtures/route.js";

const ROUTES = [route().to("prod"), route("other").into("c").to("stage")];
const FACTS = { routes: ROUTES, ownNamespace: "k8s-sync" };

describe("mappingContext", () => {
  it("knows the installation's own namespace", () => {
    const context = mappingContext({ ...FACTS, selfDestinations: new Set() });

    expect(context.ownNamespaces).toEqual(new Set(["k8s-sync"]));
    expect(context.ownTargetNamespaces).toEqual(new Set());
  });

  it("never takes for a source what lies where it writes in the source itself", () => {
    const context = mappingContext({ ...FACTS, selfDestinations: new Set(["c"]) });

    expect(context.ownTargetNamespaces).toEqual(new Set(["stage"]));
  });

  it("leaves it to labels and annotations where everything may be a target", () => {
    const routes = [route().fromAll().to("{namespace}")];

    const context = mappingContext({ ...FACTS, routes, selfDestinations: new Set(["b"]) });

    expect(context.ownTargetNamespaces).toEqual(new Set());
  });
});
