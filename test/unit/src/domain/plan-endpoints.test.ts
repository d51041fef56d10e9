import { describe, expect, it } from "vitest";
import {
  planEndpoints,
  type EndpointsPlanContext,
  type EndpointsView,
} from "../../../../src/domain/plan-endpoints.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { ownEndpoints, ownMirror, ownSlice } from "../../../fixtures/mirrors.js";
import { route } from "../../../fixtures/route.js";
import { LINK, service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const CONTEXT: EndpointsPlanContext = {
  link: LINK,
  mark: route().mark,
  marks: [route().mark, { key: "team", value: "x-external" }],
  cidrs: [],
  digest: sha256,
  mode: "both",
};
const mirror = ownMirror("prod/web", service("shop/web").ferried());
const one = rawSlice("shop/web-1", "web").address("10.0.0.1");
const two = rawSlice("shop/web-2", "web").address("10.0.0.2");
const OWNERS = [{ apiVersion: "v1", kind: "Service", name: "web", uid: mirror.uid }];

/** What is wanted and what is there agree, but for `more`. */
function view(more: Partial<EndpointsView> = {}): EndpointsView {
  return {
    target: "prod/web",
    source: "shop/web",
    mirrorUid: mirror.uid,
    headless: false,
    external: false,
    family: "IPv4",
    publishNotReadyAddresses: false,
    sourceSlices: [one.parsed(), two.parsed()],
    slices: [ownSlice(mirror, one), ownSlice(mirror, two)],
    foreignSlices: [],
    endpoints: ownEndpoints(mirror, "10.0.0.1", "10.0.0.2"),
    ...more,
  };
}

const plan = (more: Partial<EndpointsView>, context: Partial<EndpointsPlanContext> = {}) =>
  planEndpoints(view(more), { ...CONTEXT, ...context });
const foreign = (managedBy: string | undefined) => ({
  namespace: "prod",
  name: "web-x",
  uid: "uid-x",
  resourceVersion: "5",
  serviceName: "web",
  managedBy,
});

describe("planEndpoints", () => {
  it("writes nothing when nothing differs", () => {
    expect(plan({})).toEqual({
      slices: [],
      endpoints: [],
      deletions: [],
      sliceCount: 2,
      ready: 2,
      total: 2,
      dropped: 0,
      truncated: false,
      foreign: [],
    });
  });

  it("creates each slice, and the Endpoints, owned by the mirror", () => {
    const { slices, endpoints } = plan({ slices: [], endpoints: undefined });

    const { name, labels } = ownSlice(mirror, one);
    expect(slices).toHaveLength(2);
    expect(slices[0]).toEqual({
      verb: "create",
      resource: "endpointslices",
      ref: { namespace: "prod", name },
      why: ["created"],
      body: {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          namespace: "prod",
          name,
          labels,
          annotations: { "svc-ferry.io/source": "shop/web-1" },
          ownerReferences: OWNERS,
        },
        addressType: "IPv4",
        endpoints: one.endpoints,
        ports: one.ports,
      },
    });
    expect(endpoints).toMatchObject([
      {
        verb: "create",
        resource: "endpoints",
        ref: { namespace: "prod", name: "web" },
        body: {
          apiVersion: "v1",
          kind: "Endpoints",
          metadata: { ownerReferences: OWNERS },
          subsets: [
            {
              addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }],
              ports: [{ port: 8080, protocol: "TCP" }],
            },
          ],
        },
      },
    ]);
  });

  it("touches the one slice that changed, and nothing else of it than its content", () => {
    const changed = one.address("10.0.0.9");

    const { slices, endpoints } = plan({ sourceSlices: [changed.parsed(), two.parsed()] });

    const { name, uid } = ownSlice(mirror, one);
    expect(slices).toEqual([
      {
        verb: "patch",
        resource: "endpointslices",
        ref: { namespace: "prod", name },
        body: { endpoints: changed.endpoints, ports: changed.ports },
        uid,
        resourceVersion: "1",
        why: ["endpoints"],
      },
    ]);
    expect(endpoints).toMatchObject([{ verb: "patch", why: ["subsets"] }]);
  });

  it("writes Endpoints only when ready addresses change", () => {
    const draining = one.with({
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true, terminating: true } }],
    });

    const { slices, endpoints } = plan({ sourceSlices: [draining.parsed(), two.parsed()] });

    expect(slices).toHaveLength(1);
    expect(endpoints).toEqual([]);
  });

  it("gives everything to a mirror that was made anew", () => {
    const { slices, endpoints, deletions } = plan({ mirrorUid: "uid-new" });

    const ownerReferences = [{ ...OWNERS[0], uid: "uid-new" }];
    expect(slices.map(({ verb }) => verb)).toEqual(["patch", "patch"]);
    expect([...slices, ...endpoints].map((write) => "body" in write && write.body)).toEqual([
      { metadata: { ownerReferences } },
      { metadata: { ownerReferences } },
      { metadata: { ownerReferences } },
    ]);
    expect(deletions).toEqual([]);
  });

  it("leaves labels that others added, so that nobody and nothing fights over them", () => {
    const slices = view().slices.map((slice) => ({
      ...slice,
      labels: { ...slice.labels, team: "x", "policy.example/checked": "yes" },
    }));

    expect(plan({ slices }).slices).toEqual([]);
  });

  it("puts its labels back, and takes the mark of another route off", () => {
    const [first, second] = view().slices;
    const labels = { "kubernetes.io/service-name": "other", team: "x-external", odd: "yes" };
    const slices = [{ ...first, labels }, second].flatMap((slice) => slice ?? []);

    const repaired = plan({ slices: slices as EndpointsView["slices"] });

    expect(repaired.slices).toMatchObject([
      {
        verb: "patch",
        body: { metadata: { labels: { "kubernetes.io/service-name": "web", team: null } } },
      },
    ]);
    expect(repaired.slices[0]).not.toHaveProperty("body.metadata.labels.odd");
  });

  it("takes the mark of another route off Endpoints as well", () => {
    const ours = ownEndpoints(mirror, "10.0.0.1", "10.0.0.2");
    const endpoints = { ...ours, labels: { ...ours.labels, team: "x-external", odd: "yes" } };

    expect(plan({ endpoints }).endpoints).toMatchObject([
      { verb: "patch", body: { metadata: { labels: { team: null } } } },
    ]);
    const others = { ...ours, labels: { ...ours.labels, team: "x" } };
    expect(plan({ endpoints: others }).endpoints).toEqual([]);
  });

  it("labels slices headless as the mirror is, and takes that off again", () => {
    const headless = "service.kubernetes.io/headless";

    const on = plan({ headless: true }).slices;
    const labelled = view().slices.map((slice) => ({
      ...slice,
      labels: { ...slice.labels, [headless]: "" },
    }));
    const off = plan({ slices: labelled }).slices;

    expect(on.map((write) => "body" in write && write.body)).toEqual([
      { metadata: { labels: { [headless]: "" } } },
      { metadata: { labels: { [headless]: "" } } },
    ]);
    expect(off.map((write) => "body" in write && write.body)).toEqual([
      { metadata: { labels: { [headless]: null } } },
      { metadata: { labels: { [headless]: null } } },
    ]);
  });

  it("puts the name of its source back on a slice: that is asked about before it is deleted", () => {
    const slices = view().slices.map((slice) => ({ ...slice, source: undefined }));

    expect(plan({ slices }).slices).toMatchObject([
      { body: { metadata: { annotations: { "svc-ferry.io/source": "shop/web-1" } } } },
      { body: { metadata: { annotations: { "svc-ferry.io/source": "shop/web-2" } } } },
    ]);
  });

  it("deletes a slice that nothing wants last, and says what has to be proven first", () => {
    const { slices, deletions } = plan({ sourceSlices: [two.parsed()] });

    expect(slices).toEqual([]);
    expect(deletions).toMatchObject([
      {
        source: "shop/web-1",
        write: { verb: "delete", resource: "endpointslices", resourceVersion: "1" },
      },
    ]);
  });

  it("removes all of an ExternalName, which has no endpoints of its own, without any proof", () => {
    const { slices, endpoints, deletions, ready } = plan({ external: true, family: undefined });

    expect(slices).toEqual([]);
    expect(endpoints).toMatchObject([{ verb: "delete", resource: "endpoints" }]);
    expect(deletions.map(({ source }) => source)).toEqual([undefined, undefined]);
    expect(ready).toBe(0);
  });

  it("writes slices only, and takes its Endpoints away, when told so", () => {
    expect(plan({}, { mode: "slices" }).endpoints).toMatchObject([{ verb: "delete" }]);
    expect(plan({ endpoints: undefined }, { mode: "slices" }).endpoints).toEqual([]);
  });

  it("does not delete Endpoints of others, whatever it is told", () => {
    const { labels, ...rest } = ownEndpoints(mirror, "10.0.0.1");
    const theirs = { ...rest, labels: { ...labels, "svc-ferry.io/link": "other" } };

    expect(plan({ endpoints: theirs }, { mode: "slices" }).endpoints).toEqual([]);
  });

  it("writes Endpoints only, and takes its slices away, when told so", () => {
    const { slices, deletions, sliceCount } = plan({}, { mode: "endpoints" });

    expect(slices).toEqual([]);
    expect(deletions.map(({ source }) => source)).toEqual([undefined, undefined]);
    expect(sliceCount).toBe(0);
  });

  it("makes a predecessor's Endpoints ours, and takes the controller's own label off", () => {
    const theirs = {
      ...ownEndpoints(mirror, "10.0.0.1", "10.0.0.2"),
      labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller", app: "web" },
      ownerUid: undefined,
    };

    const [taken] = plan({ endpoints: theirs }).endpoints;

    expect(taken).toMatchObject({
      verb: "patch",
      body: {
        metadata: {
          labels: {
            "app.kubernetes.io/managed-by": "svc-ferry",
            "svc-ferry.io/link": LINK,
            sync: "true-external",
            "endpointslice.kubernetes.io/skip-mirror": "true",
            "endpoints.kubernetes.io/managed-by": null,
          },
          ownerReferences: OWNERS,
        },
      },
    });
  });

  it("says that it truncated, and takes that back", () => {
    const many = Array.from({ length: 1_001 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    const large = many.reduce((all, ip) => all.address(ip), rawSlice("shop/web-1", "web"));
    const over = { "endpoints.kubernetes.io/over-capacity": "truncated" };
    const before = ownEndpoints(mirror, "10.0.0.1", "10.0.0.2");

    const truncated = plan({ sourceSlices: [large.parsed()] });
    const back = plan({
      endpoints: { ...before, annotations: { ...before.annotations, ...over } },
    });

    expect(truncated).toMatchObject({ truncated: true, ready: 1_001 });
    expect(truncated.endpoints).toMatchObject([{ body: { metadata: { annotations: over } } }]);
    expect(back.endpoints).toMatchObject([
      { body: { metadata: { annotations: { "endpoints.kubernetes.io/over-capacity": null } } } },
    ]);
  });

  it("deletes what the destination's controller left when the mirror had a selector", () => {
    const { slices, foreign: strangers } = plan({
      foreignSlices: [foreign("endpointslice-controller.k8s.io")],
    });

    expect(slices).toEqual([
      {
        verb: "delete",
        resource: "endpointslices",
        ref: { namespace: "prod", name: "web-x" },
        uid: "uid-x",
        resourceVersion: "5",
        why: ["left by the endpoint slice controller"],
      },
    ]);
    expect(strangers).toEqual([]);
  });

  it.each([["somebody"], [undefined]])("reports slices of %s, and leaves them", (managedBy) => {
    const reported = plan({ foreignSlices: [foreign(managedBy)] });

    expect(reported.slices).toEqual([]);
    expect(reported.foreign).toEqual([foreign(managedBy)]);
  });

  it("does not call a slice foreign that only lost our link", () => {
    const stripped = { ...foreign("svc-ferry.io"), name: ownSlice(mirror, one).name };

    const { foreign: strangers, slices } = plan({
      slices: [ownSlice(mirror, two)],
      foreignSlices: [stripped],
    });

    expect(strangers).toEqual([]);
    expect(slices).toMatchObject([{ verb: "create", ref: { name: stripped.name } }]);
  });

  it("deletes one of ours that lost our link and that nothing wants, when its source slice is gone", () => {
    const lost = { ...foreign("svc-ferry.io"), lostSource: "shop/web-3" };

    const { deletions, foreign: strangers } = plan({ foreignSlices: [lost] });

    expect(deletions).toMatchObject([
      { write: { verb: "delete", ref: { name: "web-x" }, uid: "uid-x" }, source: "shop/web-3" },
    ]);
    expect(strangers).toEqual([]);
  });

  it("counts what it dropped", () => {
    const loopback = one.address("127.0.0.1");

    const { dropped, total, slices } = plan({ sourceSlices: [loopback.parsed(), two.parsed()] });

    expect(dropped).toBe(1);
    expect(total).toBe(2);
    expect(slices).toEqual([]);
  });
});
