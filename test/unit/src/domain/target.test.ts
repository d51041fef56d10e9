import { describe, expect, it } from "vitest";
import { fill, mappings, type Mapping } from "../../../../src/domain/target.js";
import { mappingContext } from "../../../fixtures/installation.js";
import { route, type RouteBuilder } from "../../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";

const web = service("shop/web").ferried();
const named = (name: string): ServiceBuilder => web.annotation("svc-ferry.io/target-name", name);
const into = (namespace: string): ServiceBuilder =>
  web.annotation("svc-ferry.io/target-namespace", namespace);

/** "b prod/web" or "b refused prod/web: code". */
function told(one: ServiceBuilder, ...routes: readonly RouteBuilder[]): readonly string[] {
  return mappings(one, mappingContext(...routes)).map(spelled);
}

function spelled(mapping: Mapping): string {
  const { route: by, target } = mapping;
  return mapping.kind === "target"
    ? `${by.destination} ${target}`
    : `${by.destination} refused ${target}: ${mapping.reason.code}`;
}

describe("fill", () => {
  it.each([
    ["{name}", "web"],
    ["{namespace}-{name}", "shop-web"],
    ["{name}-{name}", "web-web"],
    ["prod", "prod"],
    ["{Name}", "{Name}"],
  ])("makes %s to %s", (template, expected) => {
    expect(fill(template, { namespace: "shop", name: "web" })).toBe(expected);
  });

  it("takes a name as it is, whatever replacement patterns it looks like", () => {
    expect(fill("a-{name}", { namespace: "shop", name: "$&" })).toBe("a-$&");
  });
});

describe("mappings", () => {
  it.each([
    ["the route's namespace and the Service's name", route(), web, "b prod/web"],
    ["a namespace template", route().to("prod-{namespace}"), web, "b prod-shop/web"],
    ["a name template", route().to("prod", "{namespace}-{name}"), web, "b prod/shop-web"],
    ["the name that the Service asks for", route(), named("shop-web"), "b prod/shop-web"],
    ["an allowed namespace", route().allowing("team"), into("team"), "b team/web"],
    ["the route's own namespace, spelled out", route(), into("prod"), "b prod/web"],
    [
      "kube-system when the route spells it out",
      route().to("kube-system"),
      web,
      "b kube-system/web",
    ],
    [
      "kube-public when it is allowed",
      route().allowing("kube-public"),
      into("kube-public"),
      "b kube-public/web",
    ],
    [
      "the installation's own namespace when spelled out",
      route().to("k8s-sync"),
      web,
      "b k8s-sync/web",
    ],
    ["a name of 63 characters", route(), named("a".repeat(63)), `b prod/${"a".repeat(63)}`],
    ["a name that begins with a digit", route(), named("1a"), "b prod/1a"],
    ["a namespace that begins with a digit", route().to("1prod"), web, "b 1prod/web"],
  ])("gives %s", (_, by, one, expected) => {
    expect(told(one, by)).toEqual([expected]);
  });

  it.each([
    [
      "a namespace outside its targets",
      route(),
      into("team"),
      "b refused team/web: target-not-allowed",
    ],
    [
      "a system namespace",
      route(),
      into("kube-system"),
      "b refused kube-system/web: target-not-allowed",
    ],
    [
      "a system namespace that a template gives",
      route().from("shop", "kube-system").to("{namespace}"),
      service("kube-system/web").ferried(),
      "b refused kube-system/web: target-not-allowed",
    ],
    [
      "the installation's own namespace that a template gives",
      route().from("k8s-sync").to("{namespace}"),
      service("k8s-sync/web").ferried(),
      "b refused k8s-sync/web: target-not-allowed",
    ],
    [
      "a namespace that is no name",
      route(),
      into("Prod!"),
      "b refused Prod!/web: invalid-namespace",
    ],
    ["an empty namespace", route(), into(""), "b refused /web: invalid-namespace"],
    ["a namespace with a slash", route(), into("a/b"), "b refused a/b/web: invalid-namespace"],
    [
      "a namespace that the template makes too long",
      route().to(`${"p".repeat(60)}-{namespace}`),
      web,
      `b refused ${"p".repeat(60)}-shop/web: invalid-namespace`,
    ],
    [
      "a name of 64 characters",
      route(),
      named("a".repeat(64)),
      `b refused prod/${"a".repeat(64)}: name-too-long`,
    ],
    ["a name with a dot", route(), named("a.b"), "b refused prod/a.b: invalid-name"],
    ["a name that ends with a dash", route(), named("a-"), "b refused prod/a-: invalid-name"],
    ["a name in capitals", route(), named("Web"), "b refused prod/Web: invalid-name"],
    ["an empty name", route(), named(""), "b refused prod/: invalid-name"],
  ])("refuses %s", (_, by, one, expected) => {
    expect(told(one, by)).toEqual([expected]);
  });

  it("gives one mapping for each route that selects the Service", () => {
    const routes = [route("a"), route("b").into("c"), route("d").to("other"), route("e").from("x")];

    expect(told(web, ...routes)).toEqual(["b prod/web", "c prod/web", "b other/web"]);
  });

  it("counts two routes with the same target once, the first of the configuration", () => {
    const [mapping, ...others] = mappings(web, mappingContext(route("first"), route("second")));

    expect(mapping?.route.name).toBe("first");
    expect(others).toEqual([]);
  });

  it("lets the route that allows a target have it, though an earlier one refuses it", () => {
    const routes = [route("strict"), route("open").allowing("team")];

    expect(told(into("team"), ...routes)).toEqual(["b team/web"]);
  });

  it("refuses a mirror that a person relabelled, and passes over ordinary ones in silence", () => {
    const mirror = service("shop/web").mirrorOf("cart/web");
    const exists = route().selecting("sync");

    expect(told(mirror, exists)).toEqual([]);
    expect(told(mirror.label("sync", "true"), exists)).toEqual(["b refused prod/web: is-a-mirror"]);
  });

  it.each([
    [
      "the annotation, for a name that it asks for",
      route(),
      named("a."),
      '"a." is no Service name (lower-case letters, digits, "-"); correct svc-ferry.io/target-name',
    ],
    [
      "to set the annotation, for a name that the route gives",
      route().to("prod", "{name}."),
      web,
      '"web." is no Service name (lower-case letters, digits, "-"); set svc-ferry.io/target-name to another name',
    ],
    [
      "to set the annotation, for a name that the route makes too long",
      route().to("prod", `${"x".repeat(61)}{name}`),
      web,
      `"${"x".repeat(61)}web" has 64 characters, a Service's name at most 63; set svc-ferry.io/target-name to another name`,
    ],
    [
      "the annotation, for a namespace that it asks for",
      route().to("prod-{namespace}"),
      into("Prod!"),
      '"Prod!" is no namespace name (lower-case letters, digits, "-", at most 63); correct svc-ferry.io/target-namespace',
    ],
    [
      "the route, for a namespace that its template gives",
      route("team").to("{namespace}-{name}-"),
      web,
      '"shop-web-" is no namespace name (lower-case letters, digits, "-", at most 63); correct the target namespace "{namespace}-{name}-" of route team',
    ],
    [
      "to remove the annotation or widen the route, for a namespace that it asks for",
      route().allowing("prod-x"),
      into("team"),
      "route default may not write to namespace team; allowed: prod, prod-x; remove svc-ferry.io/target-namespace or ask the platform team to add it to the route's targets",
    ],
    [
      "to widen the route, for a namespace that its template gives",
      route().from("kube-system").to("{namespace}"),
      service("kube-system/web").ferried(),
      "route default may not write to namespace kube-system; allowed: none; ask the platform team to add it to the route's targets",
    ],
    [
      "no reserved namespace, though the route gives one",
      route().from("kube-system").to("{namespace}").allowing("prod-x"),
      service("kube-system/web").ferried().annotation("svc-ferry.io/target-namespace", "team"),
      "route default may not write to namespace team; allowed: prod-x; remove svc-ferry.io/target-namespace or ask the platform team to add it to the route's targets",
    ],
  ])("says what to correct: %s", (_, by, one, message) => {
    const [mapping] = mappings(one, mappingContext(by));

    expect(mapping?.kind === "refused" && mapping.reason.message).toBe(message);
  });

  it("does not offer the namespace that it has just refused", () => {
    const system = service("kube-system/web").ferried();
    const by = route().from("kube-system").to("{namespace}").allowing("team");

    const [mapping] = mappings(system, mappingContext(by));

    expect(mapping?.kind === "refused" && mapping.reason.message).toContain("allowed: team;");
  });
});
