import { describe, expect, it } from "vitest";
import {
  foreignService,
  isAdoptable,
  linkOf,
  whyForeign,
  type AdoptionEvidence,
  type ForeignService,
} from "../../../../src/domain/ownership.js";
import { LINK, service, type ServiceBuilder } from "../../../fixtures/service.js";

const MARK = { key: "sync", value: "true-external" };
const theirs = service("prod/web").label("sync", "true-external");
const foreign = (one: ServiceBuilder, owned = false): ForeignService =>
  foreignService(one, owned, [MARK]);

describe("linkOf", () => {
  it("finds the link by the annotation when somebody removed the label", () => {
    const healed = service("prod/web").annotation("svc-ferry.io/link", LINK);

    expect(linkOf(healed)).toBe(LINK);
    expect(linkOf(healed.label("svc-ferry.io/link", "other"))).toBe("other");
    expect(linkOf(service("prod/web"))).toBeUndefined();
  });
});

describe("whyForeign", () => {
  it.each([
    ["svc-ferry did not create it", theirs],
    ["it is managed by kustomize", theirs.label("app.kubernetes.io/managed-by", "kustomize")],
    [
      "it belongs to Helm release shop",
      theirs
        .label("app.kubernetes.io/managed-by", "Helm")
        .annotation("meta.helm.sh/release-name", "shop"),
    ],
  ])("says that the name is occupied: %s", (owner, one) => {
    const reason = whyForeign("prod/web", foreign(one));

    expect(reason.code).toBe("name-occupied");
    expect(reason.message).toContain(`since 2026-01-01T00:00:00Z: ${owner}`);
  });

  it("names source and link of another installation's mirror", () => {
    const reason = whyForeign(
      "prod/web",
      foreign(service("prod/web").mirrorOf("cart/web", "theirs")),
    );

    expect(reason.code).toBe("held-by-other-link");
    expect(reason.message).toContain(
      "the mirror of cart/web by another installation (link theirs)",
    );
  });

  it("takes what is managed by svc-ferry for a mirror, though its link is gone", () => {
    const stripped = theirs.label("app.kubernetes.io/managed-by", "svc-ferry");

    expect(whyForeign("prod/web", foreign(stripped)).code).toBe("held-by-other-link");
  });
});

describe("isAdoptable", () => {
  const evidence: AdoptionEvidence = {
    mark: MARK,
    targetNamespaceIsRoutes: true,
    existingAddresses: ["10.0.0.1", "10.0.0.2"],
    sourceAddresses: ["10.0.0.2"],
  };

  it("takes over what k8s-svc-sync left", () => {
    expect(isAdoptable(foreign(theirs), evidence)).toBe(true);
    expect(isAdoptable(foreign(theirs), { ...evidence, existingAddresses: [] })).toBe(true);
  });

  it.each([
    ["a Service without the mark", service("prod/web")],
    ["another mark", service("prod/web").label("sync", "other")],
    ["one with a selector", theirs.withSpec({ selector: { app: "web" } })],
    ["one that somebody manages", theirs.label("app.kubernetes.io/managed-by", "Helm")],
    ["another installation's mirror", service("prod/web").mirrorOf("a/b", "theirs")],
  ])("never takes over %s", (_, one) => {
    expect(isAdoptable(foreign(one), evidence)).toBe(false);
  });

  it("never takes over one with an owner", () => {
    expect(isAdoptable(foreign(theirs, true), evidence)).toBe(false);
  });

  it.each([
    ["outside the route's own namespace", { targetNamespaceIsRoutes: false }],
    ["with other addresses than the source's", { sourceAddresses: ["10.0.0.9"] }],
  ])("never takes over one %s", (_, more) => {
    expect(isAdoptable(foreign(theirs), { ...evidence, ...more })).toBe(false);
  });
});
