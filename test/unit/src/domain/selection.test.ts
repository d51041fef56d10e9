import { describe, expect, it } from "vitest";
import {
  matches,
  selectingRoutes,
  selectorKeys,
  isOrdinaryMirror,
  whyMirror,
} from "../../../../src/domain/selection.js";
import { mappings } from "../../../../src/domain/target.js";
import { mappingContext } from "../../../fixtures/installation.js";
import { route, selector } from "../../../fixtures/route.js";
import { service } from "../../../fixtures/service.js";

describe("matches", () => {
  it.each([
    ["sync=true", { sync: "true" }, true],
    ["sync=true", { sync: "false" }, false],
    ["sync=true", {}, false],
    ["sync==true", { sync: "true" }, true],
    ["sync=", { sync: "" }, true],
    ["sync=", {}, false],
    ["sync!=true", { sync: "false" }, true],
    // As the API server: inequality also selects what has no such label.
    ["sync!=true", {}, true],
    ["sync!=true", { sync: "true" }, false],
    ["env in (a,b)", { env: "b" }, true],
    ["env in (a,b)", { env: "c" }, false],
    ["env in (a,b)", {}, false],
    ["env notin (a,b)", { env: "c" }, true],
    ["env notin (a,b)", { env: "a" }, false],
    ["env notin (a,b)", {}, true],
    ["sync", { sync: "" }, true],
    ["sync", {}, false],
    ["!sync", {}, true],
    ["!sync", { sync: "" }, false],
    ["sync=true,!legacy", { sync: "true" }, true],
    ["sync=true,!legacy", { sync: "true", legacy: "1" }, false],
    // Names that every object of JavaScript has.
    ["constructor", {}, false],
    ["!constructor", {}, true],
    ["toString=a", { toString: "a" }, true],
  ])("reads %s on %j as the API server does: %s", (text, labels, expected) => {
    expect(matches(selector(text), labels as Record<string, string>)).toBe(expected);
  });
});

describe("whyMirror", () => {
  const bare = service("shop/web").ferried();

  it.each([
    ["is managed by svc-ferry", bare.label("app.kubernetes.io/managed-by", "svc-ferry")],
    ["carries the label svc-ferry.io/link", bare.label("svc-ferry.io/link", "other")],
    ["carries svc-ferry.io/source", bare.annotation("svc-ferry.io/source", "a/b")],
    ["carries svc-ferry.io/source", bare.annotation("svc-ferry.io/source-uid", "1")],
    ["carries svc-ferry.io/source", bare.annotation("svc-ferry.io/source-cluster", "1")],
    ["carries the mark sync=true-external", bare.label("sync", "true-external")],
  ])("says that it %s", (what, mirror) => {
    const reason = whyMirror(mirror, mappingContext());

    expect(reason?.code).toBe("is-a-mirror");
    expect(reason?.message).toContain(`it ${what}`);
  });

  it("takes what lies where a route of the same cluster writes to for a mirror", () => {
    const context = { ...mappingContext(), ownTargetNamespaces: new Set(["shop"]) };

    const reason = whyMirror(bare, context);

    expect(reason?.message).toContain("which a route of this installation writes to");
  });

  it("leaves a Service alone that another tool manages", () => {
    const helm = bare.label("app.kubernetes.io/managed-by", "Helm");

    expect(whyMirror(helm, mappingContext())).toBeUndefined();
  });
});

describe("a Service goes nowhere", () => {
  it.each([
    ["without the label", service("shop/web")],
    ["in another namespace", service("cart/web").ferried()],
    ["that is being deleted", service("shop/web").ferried().with({ deleting: true })],
    ["that is a mirror", service("shop/web").ferried().mirrorOf("a/b").label("sync", "true")],
  ])("%s", (_, one) => {
    expect(mappings(one, mappingContext()).filter(({ kind }) => kind === "target")).toEqual([]);
  });

  it("when a person set the selector's label on a mirror", () => {
    const relabelled = service("prod/web").mirrorOf("shop/web").label("sync", "true");

    expect(whyMirror(relabelled, mappingContext(route().from("prod")))?.code).toBe("is-a-mirror");
  });
});

describe("selectingRoutes", () => {
  it("names every route that selects a Service", () => {
    const chosen = route("all").fromAll();

    expect(selectingRoutes(service("shop/web").ferried(), mappingContext(chosen))).toEqual([
      chosen,
    ]);
  });
});

describe("selectorKeys", () => {
  it("names the keys and marks of all routes", () => {
    const routes = [
      route("a").selecting("sync=true,!legacy"),
      route("b").with({ mark: { key: "mirror", value: "yes" } }),
    ];

    expect([...selectorKeys(routes)].sort()).toEqual(["legacy", "mirror", "sync"]);
  });
});

describe("isOrdinaryMirror", () => {
  it("knows a mirror as we made it from one that a person relabelled", () => {
    const mirror = service("prod/web").mirrorOf("shop/web");

    expect(isOrdinaryMirror(mirror, [route()])).toBe(true);
    expect(isOrdinaryMirror(mirror.label("sync", "true"), [route()])).toBe(false);
  });
});
