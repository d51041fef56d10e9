import { describe, expect, it } from "vitest";
import type { Service } from "../../../src/domain/objects.js";
import { SERVICES } from "../../../src/ports/kube-resources.js";
import { Validator, type Verdict } from "../../../webhook/validator.js";
import { mappingContext } from "../../fixtures/installation.js";
import { newObject, ReconcileBed } from "../../fixtures/reconcile-bed.js";
import { kubeService } from "../../fixtures/kube-objects.js";
import { route } from "../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../fixtures/service.js";

const web = service("shop/web").ferried();
const TARGET_NAME = "svc-ferry.io/target-name";

function validatorBed() {
  const bed = new ReconcileBed();
  const state = { sourceSynced: true, isReachable: true };
  const validator = new Validator({
    clock: bed.clock,
    context: () => mappingContext(route()),
    views: {
      source: bed.source,
      get sourceSynced() {
        return state.sourceSynced;
      },
      destination: (name) => (name === "b" && state.isReachable ? bed.view : undefined),
    },
  });
  const admit = (
    before: Service | undefined,
    after: Service | undefined,
    dryRun = false,
  ): Verdict => validator.validate({ before, after, dryRun });
  /** A Service in the destination that is not ours. */
  const occupy = (one: ServiceBuilder): void => {
    bed.server.create(SERVICES, newObject(kubeService(one)));
    bed.catchUp();
  };
  return { bed, validator, admit, occupy, state };
}

/** What the source has: another Service with that name there. */
const rival = service("shop/old").ferried().annotation(TARGET_NAME, "web");
const ALLOWED: Verdict = { kind: "allowed", warnings: [] };

describe("Validator", () => {
  it("lets a name pass that is free, and every Service that nobody syncs", () => {
    const { admit } = validatorBed();

    expect(admit(undefined, web)).toEqual(ALLOWED);
    expect(admit(undefined, service("shop/other"))).toEqual(ALLOWED);
    expect(admit(service("shop/other"), service("shop/other").port(81))).toEqual(ALLOWED);
  });

  it.each([
    ["Not_A_Name", "invalid-name", `metadata.annotations[${TARGET_NAME}]`],
    ["n".repeat(64), "name-too-long", `metadata.annotations[${TARGET_NAME}]`],
  ])("refuses the name %s with its reason and the field", (name, code, field) => {
    const { admit } = validatorBed();

    const verdict = admit(undefined, web.annotation(TARGET_NAME, name));

    expect(verdict).toMatchObject({ kind: "refused", code, field });
    expect(verdict.kind === "refused" && verdict.message).toContain("shop/web");
  });

  it("refuses a namespace that the route does not allow", () => {
    const { admit } = validatorBed();

    expect(
      admit(undefined, web.annotation("svc-ferry.io/target-namespace", "kube-system")),
    ).toMatchObject({
      kind: "refused",
      code: "target-not-allowed",
      field: "metadata.annotations[svc-ferry.io/target-namespace]",
    });
  });

  it("refuses the sync label on a mirror", () => {
    const { admit } = validatorBed();
    const mirror = service("shop/web").label("app.kubernetes.io/managed-by", "svc-ferry");

    expect(admit(mirror, mirror.ferried())).toMatchObject({
      kind: "refused",
      code: "is-a-mirror",
      field: "metadata.labels",
    });
  });

  it("refuses a name that another source Service has, and says whose it is since when", async () => {
    const { bed, admit } = validatorBed();
    bed.create(rival);
    await bed.reconcile();
    bed.catchUp();

    const verdict = admit(undefined, web.created(1_000_000));

    expect(verdict).toMatchObject({ kind: "refused", code: "name-taken", field: "metadata.name" });
    expect(verdict.kind === "refused" && verdict.message).toMatch(/mirrors shop\/old \(created 20/);
  });

  it("refuses a name that a stranger's Service has in the destination", () => {
    const { admit, occupy } = validatorBed();
    occupy(service("prod/web").label("app.kubernetes.io/managed-by", "Helm"));

    const verdict = admit(undefined, web);

    expect(verdict).toMatchObject({ kind: "refused", code: "name-occupied" });
    expect(verdict.kind === "refused" && verdict.message).toContain("managed by Helm");
  });

  it("allows with a warning what lost its name before: an innocent edit must not fail", async () => {
    const { bed, admit } = validatorBed();
    bed.create(rival);
    await bed.reconcile();
    const loser = web.created(1_000_000);

    const verdict = admit(loser, loser.port(81));

    expect(verdict).toMatchObject({ kind: "allowed" });
    expect(verdict.kind === "allowed" && verdict.warnings.join()).toContain("not synced: ");
  });

  it("refuses nothing that takes something away", () => {
    const { admit, occupy } = validatorBed();
    occupy(service("prod/web"));

    expect(admit(web, undefined)).toEqual(ALLOWED);
    expect(admit(web, service("shop/web"))).toEqual(ALLOWED);
    expect(admit(web, web.with({ deleting: true }))).toEqual(ALLOWED);
  });

  it("gives a name to the first of two that ask at once", () => {
    const { admit } = validatorBed();

    const first = admit(undefined, web);
    const second = admit(undefined, rival);
    const again = admit(undefined, web);

    expect([first, again]).toEqual([ALLOWED, ALLOWED]);
    expect(second).toMatchObject({ kind: "refused", code: "name-taken" });
  });

  it("lets go of a name whose Service was not stored", async () => {
    const { bed, admit } = validatorBed();
    admit(undefined, web);

    await bed.clock.advance(10_001);

    expect(admit(undefined, rival)).toEqual(ALLOWED);
  });

  it("lets go of a name at once that its Service gives up or is deleted with, but not on a dry run", () => {
    const { admit } = validatorBed();
    admit(undefined, web);

    admit(web, undefined, true);
    const dry = admit(undefined, rival);
    admit(web, undefined);
    const deleted = admit(undefined, rival);
    admit(rival, rival.annotation(TARGET_NAME, "elsewhere"));
    const given = admit(undefined, web);

    expect([dry.kind, deleted, given]).toEqual(["refused", ALLOWED, ALLOWED]);
  });

  it("says since when a name is another's also when that one was asked about a moment ago", async () => {
    const { bed, admit } = validatorBed();
    admit(undefined, web);
    bed.create(web);
    await bed.reconcile();
    bed.catchUp();

    expect(admit(undefined, rival)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("mirrors shop/web (created 20"),
    });
  });

  it("reserves nothing on a dry run, and reports the conflict all the same", () => {
    const { admit } = validatorBed();

    expect(admit(undefined, web, true)).toEqual(ALLOWED);
    expect(admit(undefined, rival)).toEqual(ALLOWED);
    expect(admit(undefined, web, true)).toMatchObject({ kind: "refused", code: "name-taken" });
  });

  it("lets the one that is told to take over have the name, in its namespace", async () => {
    const { bed, admit } = validatorBed();
    bed.create(web);
    await bed.reconcile();
    bed.catchUp();
    const next = service("shop/web-2").ferried().annotation(TARGET_NAME, "web").created(1_000_000);

    expect(admit(undefined, next)).toMatchObject({ kind: "refused", code: "name-taken" });
    expect(admit(undefined, next.annotation("svc-ferry.io/takeover", "shop/web"))).toEqual(ALLOWED);
  });

  it("lets one take over, and no second, what the holder was promised a moment ago", async () => {
    const { bed, admit } = validatorBed();
    admit(undefined, web);
    bed.create(web);
    await bed.reconcile();
    bed.catchUp();
    const successor = (name: "shop/web-2" | "shop/web-3"): ServiceBuilder =>
      service(name)
        .ferried()
        .annotation(TARGET_NAME, "web")
        .annotation("svc-ferry.io/takeover", "shop/web")
        .created(1_000_000);

    expect(admit(undefined, successor("shop/web-2"))).toEqual(ALLOWED);
    const second = admit(undefined, successor("shop/web-3"));
    expect(second).toMatchObject({ kind: "refused", code: "name-taken" });
  });

  it.each(["sourceSynced", "isReachable"] as const)(
    "allows with a warning what it cannot tell yet (%s)",
    (what) => {
      const { admit, occupy, state } = validatorBed();
      occupy(service("prod/web"));
      state[what] = false;

      const verdict = admit(undefined, web);

      expect(verdict).toMatchObject({ kind: "allowed" });
      expect(verdict.kind === "allowed" && verdict.warnings).toHaveLength(1);
    },
  );

  it("promises nothing to one that lost its name before: another may be told to take it over", async () => {
    const { bed, admit } = validatorBed();
    bed.create(rival);
    await bed.reconcile();
    bed.catchUp();
    const loser = web.created(1_000_000);

    admit(loser, loser.port(81));

    const next = service("shop/next").ferried().created(2_000_000).annotation(TARGET_NAME, "web");
    expect(admit(undefined, next.annotation("svc-ferry.io/takeover", "shop/old"))).toEqual(ALLOWED);
  });

  it("promises a name no longer than until the source shows who has it", () => {
    const { bed, validator, admit } = validatorBed();
    admit(undefined, web);
    bed.create(web);
    validator.observed(web);
    bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "web" });
    bed.catchUp();

    expect(admit(undefined, rival)).toEqual(ALLOWED);
  });

  it("promises nothing to a Service that the source shows already", () => {
    const { bed, admit } = validatorBed();
    bed.create(web);

    admit(web, web.port(81));
    bed.sourceServer.delete(SERVICES, { namespace: "shop", name: "web" });
    bed.catchUp();

    expect(admit(undefined, rival)).toEqual(ALLOWED);
  });

  it("leaves it to the core whether k8s-svc-sync made what is there", () => {
    const { admit, occupy } = validatorBed();
    occupy(service("prod/web").label("sync", "true-external"));

    const verdict = admit(undefined, web);

    expect(verdict.kind === "allowed" && verdict.warnings.join()).toContain("adopted");
  });

  it("warns of what becomes less over there, when it begins and not at every edit", () => {
    const { admit } = validatorBed();
    const balanced = web.withSpec({ type: "LoadBalancer" });

    const begins = admit(undefined, balanced);
    const edited = admit(balanced, balanced.port(81));

    expect(begins.kind === "allowed" && begins.warnings.join()).toContain("ClusterIP");
    expect(edited).toEqual(ALLOWED);
  });
});
