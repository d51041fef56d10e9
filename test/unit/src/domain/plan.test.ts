import { describe, expect, it } from "vitest";
import type { Ownership } from "../../../../src/domain/ownership.js";
import { planService, sourceOf, whyLost, type TargetView } from "../../../../src/domain/plan.js";
import type { Route } from "../../../../src/domain/route.js";
import { planContext } from "../../../fixtures/installation.js";
import { ownMirror } from "../../../fixtures/mirrors.js";
import { route } from "../../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";

const web = service("shop/web").ferried();
const mirror = ownMirror("prod/web", web);
const ours = (one: ServiceBuilder): Ownership => ({ kind: "ours", service: one });

function view(more: Partial<TargetView> = {}): TargetView {
  const candidates = [{ service: web, route: route() }];
  const existing: Ownership = { kind: "absent" };
  return { target: "prod/web", candidates, existing, destinationPaused: false, ...more };
}

function plan(more: Partial<TargetView>, routes: readonly Route[] = [route()]) {
  return planService(view(more), planContext(routes));
}

describe("planService", () => {
  it("has nothing to do where nothing is and nobody wants anything", () => {
    expect(plan({ candidates: [] })).toEqual({ kind: "nothing" });
    expect(plan({ candidates: [], destinationPaused: true })).toEqual({ kind: "nothing" });
  });

  it("creates the mirror, whole, with one write", () => {
    const created = plan({});

    expect(created).toMatchObject({ kind: "wanted", change: "create" });
    expect(writesOf(created)).toEqual([
      {
        verb: "create",
        resource: "services",
        ref: { namespace: "prod", name: "web" },
        why: ["created"],
        body: {
          apiVersion: "v1",
          kind: "Service",
          metadata: {
            namespace: "prod",
            name: "web",
            labels: mirror.labels,
            annotations: mirror.annotations,
          },
          spec: {
            type: "ClusterIP",
            ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
            sessionAffinity: "None",
            ipFamilies: ["IPv4"],
            ipFamilyPolicy: "SingleStack",
          },
        },
      },
    ]);
  });

  it("writes nothing when nothing differs", () => {
    const same = plan({ existing: ours(mirror) });

    expect(same).toMatchObject({ kind: "wanted", change: "none", writes: [] });
  });

  it("patches what differs, if the mirror is still the one that was seen", () => {
    const drifted = mirror.with({ resourceVersion: "9" }).withSpec({ selector: { app: "web" } });

    const repaired = plan({ existing: ours(drifted) });

    expect(repaired).toMatchObject({ kind: "wanted", change: "update" });
    expect(writesOf(repaired)).toEqual([
      {
        verb: "patch",
        resource: "services",
        ref: { namespace: "prod", name: "web" },
        body: { spec: { selector: null } },
        uid: "uid-prod-web",
        resourceVersion: "9",
        why: ["spec.selector"],
      },
    ]);
  });

  it("deletes and creates where the API forbids the change in place", () => {
    const candidates = [{ service: web.headless(), route: route() }];

    const anew = plan({ candidates, existing: ours(mirror) });

    expect(anew).toMatchObject({ kind: "wanted", change: "recreate" });
    expect(writesOf(anew).map(({ verb, why }) => [verb, why])).toEqual([
      ["delete", ["spec.clusterIP"]],
      ["create", ["created"]],
    ]);
    expect(writesOf(anew)[0]).toMatchObject({ uid: "uid-prod-web", resourceVersion: "1" });
  });

  it("takes over what may be adopted with a patch", () => {
    const theirs = service("prod/web").label("sync", "true-external");

    const adopted = plan({ existing: { kind: "adoptable", service: theirs } });

    expect(adopted).toMatchObject({ kind: "wanted", change: "adopt" });
    expect(writesOf(adopted)).toMatchObject([{ verb: "patch", uid: "uid-prod-web" }]);
  });

  it("refuses a name that somebody else has, with whose it is", () => {
    const reason = { code: "name-occupied", message: "theirs" } as const;

    const refused = plan({ existing: { kind: "foreign", reason } });

    expect(refused).toMatchObject({ kind: "refused", reason });
  });

  it("refuses a Service that the destination has no IP family for, and leaves its mirror", () => {
    const candidates = [{ service: web.families("IPv6"), route: route() }];

    const refused = plan({ candidates, existing: ours(mirror) });

    expect(refused).toMatchObject({ kind: "refused", reason: { code: "no-common-ip-family" } });
  });

  it("finds a mirror unwanted that nobody wants, and says which one to delete", () => {
    const unwanted = plan({ candidates: [], existing: ours(mirror) });

    expect(unwanted).toEqual({
      kind: "unwanted",
      mirror,
      write: {
        verb: "delete",
        resource: "services",
        ref: { namespace: "prod", name: "web" },
        uid: "uid-prod-web",
        resourceVersion: "1",
        why: ["nobody wants it"],
      },
    });
  });

  describe("while what is there is being deleted and waits for its finalizers", () => {
    const going = mirror.with({ deleting: true });

    it("does not delete it once more", () => {
      expect(plan({ candidates: [], existing: ours(going) })).toEqual({ kind: "nothing" });
    });

    it.each(["ours", "adoptable"] as const)("writes nothing that would go with it: %s", (kind) => {
      const changed = going.withSpec({ ports: [] });

      const waiting = plan({ existing: { kind, service: changed } });

      expect(waiting).toMatchObject({ kind: "refused", reason: { code: "mirror-terminating" } });
    });

    it.each([
      ["its own", going, true],
      ["another source's", going.mirrorOf("cart/web"), false],
      [
        "one whose dependents the garbage collector deletes",
        going.with({ losesDependents: true }),
        false,
      ],
    ])("names the mirror whose endpoints are still to be kept right: %s", (_, there, expected) => {
      const waiting = plan({ existing: ours(there) });

      expect("leaving" in waiting).toBe(expected);
    });
  });

  it("never touches a foreign Service that nobody wants", () => {
    const reason = { code: "name-occupied", message: "theirs" } as const;

    expect(plan({ candidates: [], existing: { kind: "foreign", reason } })).toEqual({
      kind: "nothing",
    });
  });

  it("leaves the name with the source that the mirror names, though another is older", () => {
    const older = { service: service("cart/web").ferried().created(-10), route: route() };
    const candidates = [older, { service: web, route: route() }];

    expect(plan({ candidates, existing: ours(mirror) })).toMatchObject({
      kind: "wanted",
      change: "none",
      winner: { service: web },
    });
    expect(plan({ candidates })).toMatchObject({ change: "create", winner: older });
  });

  describe("while something is paused", () => {
    const paused = route().with({ paused: true });
    const stopped = web.annotation("svc-ferry.io/paused", "true");

    it.each([
      ["the destination", { destinationPaused: true }, [route()]],
      ["route default", { candidates: [{ service: web, route: paused }] }, [paused]],
      ["the source Service", { candidates: [{ service: stopped, route: route() }] }, [route()]],
      [
        "the mirror",
        {
          existing: ours(mirror.annotation("svc-ferry.io/paused", "true").withSpec({ ports: [] })),
        },
        [route()],
      ],
      [
        "the mirror",
        {
          candidates: [],
          existing: ours(mirror.annotation("svc-ferry.io/paused", "true")),
        },
        [route()],
      ],
      ["route default", { candidates: [], existing: ours(mirror) }, [paused]],
    ])("holds everything: %s", (what, more, routes) => {
      const held = plan(more, routes);

      expect(held).toMatchObject({ kind: "hold", reason: { code: "paused" } });
      expect(held.kind === "hold" && held.reason.message).toContain(`${what} is paused`);
    });

    it.each(["false", "", "yes"])("takes %j for not paused", (value) => {
      const candidates = [
        { service: web.annotation("svc-ferry.io/paused", value), route: route() },
      ];

      expect(plan({ candidates }).kind).toBe("wanted");
    });
  });
});

describe("sourceOf", () => {
  it("is what the mirror names, if that is a name", () => {
    expect(sourceOf(mirror)).toBe("shop/web");
    expect(sourceOf(mirror.annotation("svc-ferry.io/source", "nonsense"))).toBeUndefined();
    expect(sourceOf(service("prod/web"))).toBeUndefined();
  });
});

describe("whyLost", () => {
  it("names who has the name, since when, and the way out", () => {
    const loser = { service: service("cart/web"), route: route() };

    expect(whyLost(loser, { service: web, route: route() }, "prod/web")).toEqual({
      code: "name-taken",
      message:
        "prod/web mirrors shop/web (created 2026-01-01T00:00:00Z); give cart/web another svc-ferry.io/target-name, or remove that one",
    });
  });
});

function writesOf(planned: ReturnType<typeof planService>) {
  return planned.kind === "wanted" ? planned.writes : [];
}
