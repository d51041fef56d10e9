import { describe, expect, it } from "vitest";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const TEAM = { labels: { team: "yes" } };
const BY_NAMESPACE = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespaceSelectors: [{ matchLabels: { team: "yes" } }] }
`;
/** Every ConfigMap, whatever its labels are. */
const ALL = BY_NAMESPACE.replace(/, namespaceSelectors.* \}$/m, " }");
const LAST = "configmaps/shop/z";

/** A page is read at once, and takes seconds to be written. */
async function slowBed(perSecond: number, rules: string): Promise<MirrorBed> {
  const policy = { maxWritesPerSecond: perSecond };
  const bed = new MirrorBed({ rules, hopMs: 1, policy });
  await bed.putInto(bed.destination, "namespaces/shop");
  return bed;
}

async function fill(bed: MirrorBed, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await bed.put(`configmaps/shop/c${at}`);
}

describe("what goes from the source while a page that still holds it waits to be written", () => {
  it("is not made by a re-scan that was the first to see it", async () => {
    const bed = await slowBed(50, BY_NAMESPACE);
    await bed.put("namespaces/shop");
    await fill(bed, 200);
    await bed.put(LAST);
    await bed.follow();

    await bed.put("namespaces/shop", TEAM);
    await bed.settle(500);
    await bed.delete(LAST);
    await bed.settle(30_000);

    expect(bed.objects()).not.toHaveProperty([LAST]);
    expect(bed.owned()).toHaveLength(200);
  });

  it("is not made by a re-scan when it is there and no rule wants it any more", async () => {
    const labels = ", labelSelectors: [{ matchLabels: { mirror: yes } }], namespaceSelectors";
    const bed = await slowBed(50, BY_NAMESPACE.replace(", namespaceSelectors", labels));
    await bed.put("namespaces/shop");
    for (let at = 0; at < 200; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    await bed.put(LAST, YES);
    await bed.follow();

    await bed.put("namespaces/shop", TEAM);
    await bed.settle(500);
    await bed.put(LAST, {});
    await bed.settle(30_000);

    expect(bed.objects()).not.toHaveProperty([LAST]);
    expect(bed.owned()).toHaveLength(200);
  });

  it("is not brought back by a pass, though the checkpoint has long passed its removal", async () => {
    const bed = await slowBed(10, LABELLED);
    await bed.put(LAST, YES);
    const { mirror } = await bed.follow();
    await fill(bed, 400);
    await bed.settle(5_000);

    mirror.useRules(rulesetOf(ALL));
    await bed.settle(3_000);
    await bed.delete(LAST);
    await bed.settle(90_000);

    expect(bed.objects()).not.toHaveProperty([LAST]);
    expect(bed.owned()).toHaveLength(400);
  });

  it("stays held when the brake has held it", async () => {
    const bed = await slowBed(10, LABELLED);
    for (let at = 0; at < 60; at += 1) await bed.put(`configmaps/shop/z${at}`, YES);
    const { mirror } = await bed.follow();
    await fill(bed, 100);
    await bed.settle(5_000);

    mirror.useRules(rulesetOf(ALL));
    await bed.settle(1_000);
    for (let at = 0; at < 60; at += 1) await bed.delete(`configmaps/shop/z${at}`);
    await bed.settle(50_000);
    const { held } = mirror.status.brake;
    mirror.releaseBrake();
    await bed.settle(30_000);

    expect(held).toBeGreaterThan(5);
    expect(bed.owned()).toHaveLength(100);
    expect(bed.debts()).toEqual({});
  });
});

describe("what left the rules and comes back into them", () => {
  it("is made again though nothing below the prefix has changed in the source meanwhile", async () => {
    const bed = new MirrorBed({ policy: { allowMassDelete: true } });
    await bed.putInto(bed.destination, "namespaces/shop");
    await bed.put("configmaps/shop/a", YES);
    const { mirror } = await bed.follow();
    mirror.useRules(rulesetOf(LABELLED.replaceAll('mirror: "yes"', 'other: "yes"')));
    await bed.settle(5 * 60_000 - 100);
    // Its revision goes on, of which the watch hears later.
    await bed.write(bed.source, { kind: "put", key: "compact_rev_key", value: Buffer.from("1") });
    await bed.clock.runUntil(() => mirror.status.objects.deleted === 1);

    mirror.useRules(rulesetOf(LABELLED));
    await bed.settle(5_000);

    expect(bed.objects()).toHaveProperty(["configmaps/shop/a"]);
  });
});
