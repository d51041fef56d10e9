import { describe, expect, it } from "vitest";
import { desired, type DesiredMirror } from "../../../../src/domain/desired.js";
import type { Service } from "../../../../src/domain/objects.js";
import { createSpec, mapDiff, serviceDiff } from "../../../../src/domain/service-diff.js";
import type { IpFamily } from "../../../../src/domain/objects.js";
import { planContext } from "../../../fixtures/installation.js";
import { route } from "../../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";

const DUAL: readonly IpFamily[] = ["IPv4", "IPv6"];
const web = service("shop/web").ferried().label("app", "web");

function wantedOf(one: Service): DesiredMirror {
  const wanted = desired(one, route(), planContext([route()], { families: DUAL }));
  if ("refused" in wanted) throw new Error(wanted.refused.message);
  return wanted;
}

/** The mirror of `one` as it lies in the destination when nobody touched it. */
function mirrorOf(one: Service): ServiceBuilder {
  const { labels, annotations, spec } = wantedOf(one);
  return service("prod/web").with({ labels, annotations, spec: createSpec(spec) });
}

describe("serviceDiff", () => {
  it("finds a mirror equal that is just what it has to be", () => {
    expect(serviceDiff(mirrorOf(web), wantedOf(web))).toEqual({ kind: "equal" });
  });

  it("leaves alone what others added", () => {
    const mirror = mirrorOf(web)
      .label("team", "x")
      .annotation("example.com/note", "y")
      .withSpec({ clusterIP: "10.96.0.7" });

    expect(serviceDiff(mirror, wantedOf(web))).toEqual({ kind: "equal" });
  });

  it.each([
    ["a label", mirrorOf(web).label("app", "other"), { metadata: { labels: { app: "web" } } }],
    [
      "the link",
      mirrorOf(web).with({ labels: {} }),
      { metadata: { labels: wantedOf(web).labels } },
    ],
    [
      "an annotation of ours",
      mirrorOf(web).annotation("svc-ferry.io/source", "a/b"),
      { metadata: { annotations: { "svc-ferry.io/source": "shop/web" } } },
    ],
    [
      "a port",
      mirrorOf(web).port(81),
      { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 80 }] } },
    ],
    ["the type", mirrorOf(web).withSpec({ type: "NodePort" }), { spec: { type: "ClusterIP" } }],
    [
      "a selector",
      mirrorOf(web).withSpec({ selector: { app: "x" } }),
      { spec: { selector: null } },
    ],
    [
      "session affinity",
      mirrorOf(web).withSpec({ sessionAffinity: "ClientIP" }),
      { spec: { sessionAffinity: "None", sessionAffinityConfig: null } },
    ],
    [
      "publishNotReadyAddresses",
      mirrorOf(web).withSpec({ publishNotReadyAddresses: true }),
      { spec: { publishNotReadyAddresses: false } },
    ],
    [
      "a second family",
      mirrorOf(web).families("IPv4", "IPv6"),
      { spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] } },
    ],
  ])("repairs %s with nothing but that", (_, mirror, patch) => {
    expect(serviceDiff(mirror, wantedOf(web))).toMatchObject({ kind: "patch", patch });
    expect(Object.keys(patch)).toEqual(Object.keys(bodyOf(serviceDiff(mirror, wantedOf(web)))));
  });

  it("takes away, by an explicit null, the keys that it wrote and no longer wants", () => {
    const before = mirrorOf(web.label("tier", "front")).label("mine", "stays");

    const diff = serviceDiff(before, wantedOf(web));

    expect(diff).toMatchObject({
      kind: "patch",
      patch: {
        metadata: {
          labels: { tier: null },
          annotations: { "svc-ferry.io/keys": "l:app,l:sync" },
        },
      },
      fields: ["metadata.labels[tier]", "metadata.annotations[svc-ferry.io/keys]"],
    });
  });

  it("does not call what a dual-stack destination added by itself a difference", () => {
    const dual = web.families("IPv4", "IPv6");
    const added = mirrorOf(dual).families("IPv4", "IPv6");

    expect(serviceDiff(added, wantedOf(dual))).toEqual({ kind: "equal" });
  });

  it.each([
    ["ClusterIP to headless", web, web.headless(), ["spec.clusterIP"]],
    ["headless to ClusterIP", web.headless(), web, ["spec.clusterIP"]],
    ["another primary family", web, web.families("IPv6"), ["spec.ipFamilies[0]"]],
  ])("makes the mirror anew for %s", (_, before, after, fields) => {
    expect(serviceDiff(mirrorOf(before), wantedOf(after))).toEqual({ kind: "recreate", fields });
  });

  it.each([
    ["ClusterIP to ExternalName", web, web.external("db.example.com")],
    ["ExternalName to ClusterIP", web.external("db.example.com"), web],
    ["headless to ExternalName", web.headless(), web.external("db.example.com")],
    ["ExternalName to headless", web.external("db.example.com"), web.headless()],
    [
      "NodePort to ClusterIP and a port renamed",
      web.withSpec({ type: "NodePort" }),
      web.port(80, { name: "x" }),
    ],
    ["one family to two", web, web.families("IPv4", "IPv6")],
    ["two families to one", web.families("IPv4", "IPv6"), web],
  ])("changes %s in place", (_, before, after) => {
    expect(serviceDiff(mirrorOf(before), wantedOf(after)).kind).toBe("patch");
  });

  it("sends None as the address when an ExternalName becomes headless", () => {
    const diff = serviceDiff(mirrorOf(web.external("db.example.com")), wantedOf(web.headless()));

    expect(diff).toMatchObject({
      patch: { spec: { type: "ClusterIP", externalName: null, clusterIP: "None" } },
    });
  });
});

describe("mapDiff", () => {
  it.each([
    ["sets what is missing", {}, { a: "1" }, [], { a: "1" }],
    ["sets what differs", { a: "2" }, { a: "1" }, [], { a: "1" }],
    ["leaves what is equal", { a: "1" }, { a: "1" }, ["a"], {}],
    ["takes away what was ours", { a: "1", b: "2" }, {}, ["a"], { a: null }],
    ["does not take away what is gone already", {}, {}, ["a"], {}],
    [
      "takes away a key that every object of JavaScript has",
      { constructor: "1" },
      {},
      ["constructor"],
      { constructor: null },
    ],
  ])("%s", (_, actual, wanted, ours, expected) => {
    const patch = mapDiff(actual as Record<string, string>, wanted as Record<string, string>, ours);

    expect(Object.entries(patch)).toEqual(Object.entries(expected));
  });
});

function bodyOf(diff: ReturnType<typeof serviceDiff>): Readonly<Record<string, unknown>> {
  return diff.kind === "patch" ? diff.patch : {};
}
