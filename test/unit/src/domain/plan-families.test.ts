import { describe, expect, it } from "vitest";
import type { IpFamily } from "../../../../src/domain/objects.js";
import type { Ownership } from "../../../../src/domain/ownership.js";
import { planService, type ServicePlan } from "../../../../src/domain/plan.js";
import type { Write } from "../../../../src/domain/writes.js";
import { planContext } from "../../../fixtures/installation.js";
import { ownMirror } from "../../../fixtures/mirrors.js";
import { route } from "../../../fixtures/route.js";
import { service, type ServiceBuilder } from "../../../fixtures/service.js";

const FOUR_SIX = ["IPv4", "IPv6"] as const;
const SIX_FOUR = ["IPv6", "IPv4"] as const;

const web = service("shop/web").ferried();
const four = ownMirror("prod/web", web);
const six = ownMirror("prod/web", web.families(...SIX_FOUR), route(), FOUR_SIX);
const headless = ownMirror("prod/web", web.headless().families(...SIX_FOUR), route(), FOUR_SIX);

function plan(
  source: ServiceBuilder,
  families: readonly IpFamily[],
  existing: Ownership,
): ServicePlan {
  const candidates = [{ service: source, route: route() }];
  const view = { target: "prod/web", candidates, existing, destinationPaused: false } as const;
  return planService(view, planContext([route()], { families }));
}

function writesOf(planned: ServicePlan): readonly Write[] {
  return planned.kind === "wanted" ? planned.writes : [];
}

/** The first family of a mirror that is created; "as it is": none is. */
function created(planned: ServicePlan): string {
  if (planned.kind === "refused") return planned.reason.code;
  const creation = writesOf(planned).find(({ verb }) => verb === "create");
  return /IPv\d/.exec(JSON.stringify(creation) ?? "")?.[0] ?? "as it is";
}

describe("the primary IP family of a mirror", () => {
  it.each<[string, readonly IpFamily[], readonly IpFamily[], ServiceBuilder | undefined, string]>([
    ["is the source's first when it is new", SIX_FOUR, FOUR_SIX, undefined, "IPv6"],
    ["stays when a better one is learnt later", SIX_FOUR, FOUR_SIX, four, "as it is"],
    ["stays when the source changes the order", FOUR_SIX, FOUR_SIX, six, "as it is"],
    ["stays when the source has no other any more", ["IPv4"], FOUR_SIX, four, "as it is"],
    ["is another when the source lost it", ["IPv6"], FOUR_SIX, four, "IPv6"],
    ["is another when the destination lost it", SIX_FOUR, ["IPv4"], six, "IPv4"],
    ["stays when none is common", ["IPv6"], ["IPv4"], four, "no-common-ip-family"],
  ])("%s", (_, source, destination, there, expected) => {
    const existing: Ownership =
      there === undefined ? { kind: "absent" } : { kind: "ours", service: there };

    expect(created(plan(web.families(...source), destination, existing))).toBe(expected);
  });

  it.each<[string, readonly IpFamily[], string]>([
    ["stays though no Service shows any more that the destination has it", SIX_FOUR, "as it is"],
    ["is another when the source lost it", ["IPv4"], "IPv4"],
  ])("of a headless one %s", (_, source, expected) => {
    const one = web.headless().families(...source);

    expect(created(plan(one, ["IPv4"], { kind: "ours", service: headless }))).toBe(expected);
  });

  it("stays while the policy follows the source", () => {
    const existing = { kind: "ours", service: four } as const;

    expect(writesOf(plan(web.families(...SIX_FOUR), FOUR_SIX, existing))).toMatchObject([
      { verb: "patch", body: { spec: { ipFamilyPolicy: "PreferDualStack" } } },
    ]);
  });

  it("stays when a mirror is adopted, but not on its own word", () => {
    const adopted = plan(web.families(...SIX_FOUR), FOUR_SIX, { kind: "adoptable", service: four });
    const one = web.headless().families(...SIX_FOUR);
    const unshown = plan(one, ["IPv4"], { kind: "adoptable", service: headless });

    expect([created(adopted), created(unshown)]).toEqual(["as it is", "IPv4"]);
  });
});
