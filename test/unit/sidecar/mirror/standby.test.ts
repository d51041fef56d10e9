import { describe, expect, it } from "vitest";
import { ReadLog } from "../../../fakes/read-log.js";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";

const YES = { labels: { mirror: "yes" } };
const OTHER = { labels: { other: "yes" } };
const OTHERS = rulesetOf(LABELLED.replaceAll('mirror: "yes"', 'other: "yes"'));

async function filled(): Promise<MirrorBed> {
  const bed = new MirrorBed({ policy: { allowMassDelete: true } });
  await bed.putInto(bed.destination, "namespaces/shop");
  for (const name of ["a", "b", "c"]) await bed.put(`configmaps/shop/${name}`, YES);
  return bed;
}

describe("a mirror that stands by", () => {
  it("takes over without reading the ledger, and knows what was written meanwhile", async () => {
    const bed = await filled();
    const first = await bed.follow();
    const destination = new ReadLog(bed.destination, bed.clock, 1);
    const { mirror } = bed.start({ destination });
    await bed.settle();
    await bed.put("configmaps/shop/d", YES);
    await bed.delete("configmaps/shop/a");
    await bed.settle();
    destination.takePages();
    bed.takeWrites();

    await first.stop();
    await bed.settle();
    await bed.delete("configmaps/shop/d");
    await bed.settle();

    expect(mirror.status).toMatchObject({ activity: "following", owned: 2 });
    const pages = destination.takePages();
    expect(pages.filter((key) => key.startsWith("/svc-ferry/east/own/"))).toEqual([]);
    expect(bed.takeWrites()).toEqual(["delete configmaps/shop/d"]);
  });

  it("takes over with the rules that came while it stood by", async () => {
    const bed = await filled();
    const first = await bed.follow();
    const second = bed.start();
    await bed.settle();
    for (const { mirror } of [first, second]) mirror.useRules(OTHERS);
    await bed.put("configmaps/shop/other", OTHER);
    await bed.settle(10_000);

    await first.stop();
    await bed.settle();
    await bed.put("configmaps/shop/another", OTHER);
    await bed.put("configmaps/shop/d", YES);
    await bed.settle();

    expect(second.mirror.status.rulesHash).toBe(OTHERS.hash);
    expect(second.mirror.status.passes.reload).toBe(0);
    expect(bed.objects()).toHaveProperty(["configmaps/shop/another"]);
    expect(bed.objects()).not.toHaveProperty(["configmaps/shop/d"]);
  });

  it("writes nothing when there are no rules any more at the moment of its take-over", async () => {
    const bed = await filled();
    const first = await bed.follow();
    const second = bed.start();
    await bed.settle();
    second.mirror.useRules(undefined);
    bed.takeWrites();

    await first.stop();
    await bed.put("configmaps/shop/d", YES);
    await bed.settle(10_000);

    expect(second.mirror.status.activity).toBe("no-rules");
    expect(bed.takeWrites()).toEqual([]);
  });
});

describe("rules that come while a first copy runs", () => {
  it("are in force when it ends", async () => {
    const bed = await filled();
    const { mirror } = bed.start({ policy: { maxWritesPerSecond: 1 } });
    await bed.clock.runUntil(() => mirror.status.pass !== undefined);

    mirror.useRules(OTHERS);
    await bed.settle(60_000);
    await bed.put("configmaps/shop/other", OTHER);
    await bed.settle(10_000);

    expect(mirror.status.rulesHash).toBe(OTHERS.hash);
    expect(bed.objects()).toHaveProperty(["configmaps/shop/other"]);
  });
});
