import { describe, expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const NO = { labels: { mirror: "no" } };

describe("Mirror", () => {
  it("copies what a rule wants, and nothing else", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    await bed.put("configmaps/shop/web", { ...YES, data: "1" });
    await bed.put("configmaps/shop/other", NO);

    await bed.follow();

    expect(bed.objects()).toEqual({ "namespaces/shop": undefined, "configmaps/shop/web": "1" });
    expect(bed.owned()).toEqual(["configmaps/shop/web", "namespaces/shop"]);
  });

  it("follows changes, removals and objects that leave the rules", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    await bed.put("configmaps/shop/b", { ...YES, data: "1" });
    await bed.follow();

    await bed.put("configmaps/shop/a", { ...YES, data: "2" });
    await bed.put("configmaps/shop/b", { ...NO, data: "1" });
    await bed.put("configmaps/shop/c", { ...YES, data: "3" });
    await bed.settle();

    expect(bed.objects()).toEqual({
      "namespaces/shop": undefined,
      "configmaps/shop/a": "2",
      "configmaps/shop/c": "3",
    });
  });

  it("writes no data when it starts again and nothing has changed", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    await bed.put("configmaps/shop/a", { ...YES, data: "1" });
    const first = await bed.follow();
    await first.stop();
    bed.takeWrites();

    await bed.follow();
    await bed.settle(70_000);

    expect(bed.takeWrites()).toEqual([]);
  });
});
