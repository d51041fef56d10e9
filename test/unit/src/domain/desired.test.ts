import { describe, expect, it } from "vitest";
import { desired, type DesiredMirror } from "../../../../src/domain/desired.js";
import type { PlanContext } from "../../../../src/domain/plan.js";
import { planContext, SOURCE_CLUSTER } from "../../../fixtures/installation.js";
import { route, type RouteBuilder } from "../../../fixtures/route.js";
import { LINK, service, type ServiceBuilder } from "../../../fixtures/service.js";

/** @throws when the Service is refused */
function mirror(
  one: ServiceBuilder,
  by: RouteBuilder = route(),
  more: Partial<PlanContext> = {},
): DesiredMirror {
  const wanted = desired(one, by, planContext([by], more));
  if ("refused" in wanted) throw new Error(wanted.refused.message);
  return wanted;
}

describe("desired", () => {
  it("says whose the mirror is and where it comes from", () => {
    const one = service("shop/web").ferried().label("app", "web");

    const { labels, annotations } = mirror(one);

    expect(labels).toEqual({
      app: "web",
      "app.kubernetes.io/managed-by": "svc-ferry",
      "svc-ferry.io/link": LINK,
      sync: "true-external",
    });
    expect(annotations).toEqual({
      "svc-ferry.io/link": LINK,
      "svc-ferry.io/source-cluster": SOURCE_CLUSTER,
      "svc-ferry.io/source": "shop/web",
      "svc-ferry.io/source-uid": "uid-shop-web",
      "svc-ferry.io/route": expect.stringMatching(/^default@[0-9a-f]{8}$/) as string,
      "svc-ferry.io/keys": "l:app,l:sync",
    });
  });

  it("copies the annotations that the route names, and records their keys", () => {
    const one = service("shop/web")
      .ferried()
      .annotation("example.com/owner", "team")
      .annotation("example.com/other", "x")
      .annotation("svc-ferry.io/paused", "false");
    const by = route().with({ copyAnnotations: ["example.com/owner", "svc-ferry.io/paused"] });

    const { annotations } = mirror(one, by);

    expect(annotations["example.com/owner"]).toBe("team");
    expect(annotations["example.com/other"]).toBeUndefined();
    expect(annotations["svc-ferry.io/paused"]).toBeUndefined();
    expect(annotations["svc-ferry.io/keys"]).toBe("a:example.com/owner,l:sync");
  });

  it("writes out every default of a plain Service", () => {
    const one = service("shop/web").withSpec({ ports: [{ port: 80 }] });

    expect(mirror(one).spec).toEqual({
      type: "ClusterIP",
      headless: false,
      externalName: undefined,
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      sessionAffinity: "None",
      affinityTimeout: undefined,
      publishNotReadyAddresses: false,
      family: "IPv4",
      familyPolicy: "SingleStack",
    });
  });

  it("copies names, protocols and target ports, and nothing else of a port", () => {
    const http = { name: "http", appProtocol: "kubernetes.io/h2c", targetPort: "web" };
    const one = service("shop/web").port(443, { ...http, nodePort: 30_443 } as object);

    expect(mirror(one).spec.ports).toEqual([{ ...http, port: 443, protocol: "TCP" }]);
  });

  it.each(["NodePort", "LoadBalancer"])("makes %s a ClusterIP, and says so", (type) => {
    const { spec, remarks } = mirror(service("shop/web").withSpec({ type }));

    expect(spec.type).toBe("ClusterIP");
    expect(remarks.map(({ code }) => code)).toEqual(["type-reduced"]);
  });

  it("keeps headless headless", () => {
    const { spec } = mirror(
      service("shop/web").headless().withSpec({ publishNotReadyAddresses: true }),
    );

    expect(spec).toMatchObject({
      type: "ClusterIP",
      headless: true,
      publishNotReadyAddresses: true,
    });
  });

  it("takes an ExternalName over with its name, without families or affinity", () => {
    const one = service("shop/db").external("db.example.com");

    const { spec, remarks } = mirror(one.withSpec({ sessionAffinity: "ClientIP" }));

    expect(spec).toMatchObject({
      type: "ExternalName",
      headless: false,
      externalName: "db.example.com",
      ports: [],
      sessionAffinity: "None",
      family: undefined,
      familyPolicy: undefined,
    });
    expect(remarks).toEqual([]);
  });

  it.each(["db.shop.svc", "db.shop.svc.cluster.local", "db.shop.svc.cluster.local."])(
    "warns that %s means another Service in the destination",
    (externalName) => {
      const { remarks } = mirror(service("shop/db").external(externalName));

      expect(remarks.map(({ code }) => code)).toEqual(["cluster-local-external-name"]);
    },
  );

  it("gives session affinity with the API's own default time", () => {
    const sticky = service("shop/web").withSpec({ sessionAffinity: "ClientIP" });
    const timed = sticky.withSpec({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } });

    expect(mirror(sticky).spec).toMatchObject({
      sessionAffinity: "ClientIP",
      affinityTimeout: 10_800,
    });
    expect(mirror(timed).spec).toMatchObject({ sessionAffinity: "ClientIP", affinityTimeout: 60 });
  });

  it.each([
    [["IPv4"], ["IPv4"], "IPv4", "SingleStack"],
    [["IPv6"], ["IPv4", "IPv6"], "IPv6", "SingleStack"],
    [["IPv4", "IPv6"], ["IPv4"], "IPv4", "PreferDualStack"],
    [["IPv4", "IPv6"], ["IPv6"], "IPv6", "PreferDualStack"],
    [["IPv6", "IPv4"], ["IPv4", "IPv6"], "IPv6", "PreferDualStack"],
    [[], ["IPv6"], "IPv6", "SingleStack"],
  ] as const)("of %j in a destination with %j makes %s, %s", (has, there, family, familyPolicy) => {
    const one = service("shop/web").families(...has);

    expect(mirror(one, route(), { families: there }).spec).toMatchObject({ family, familyPolicy });
  });

  it("refuses a Service without an IP family in common, and names both sides", () => {
    const one = service("shop/web").families("IPv6");

    const refused = desired(one, route(), planContext());

    expect(refused).toMatchObject({ refused: { code: "no-common-ip-family" } });
    expect("refused" in refused && refused.refused.message).toContain(
      "the source has IPv6, the destination IPv4",
    );
  });
});
