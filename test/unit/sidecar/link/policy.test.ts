import { describe, expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };

describe("what the operator decides", () => {
  it("compares everything as often as asked for", async () => {
    const bed = new MirrorBed({ policy: { verifyEveryMs: 60_000 } });
    await bed.put("namespaces/shop", YES);
    const process = await bed.follow();

    await bed.settle(150_000);

    expect(process.mirror.status.passes.verify).toBe(2);
  });

  it("sends no more operations in one bulk transaction than asked for", async () => {
    const bed = new MirrorBed({ policy: { destinationIsCold: true, maxTxnOps: 8 } });
    await bed.put("namespaces/shop", YES);
    for (let at = 0; at < 40; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);

    await bed.follow();

    const copied = bed.destination
      .takeTxns()
      .filter(({ then }) => then.some(({ key }) => key.startsWith("/registry/configmaps/")));
    const sizes = copied.map(({ compare, then }) => Math.max(compare.length, then.length));
    expect(Object.keys(bed.objects())).toHaveLength(41);
    expect(sizes.some((size) => size > 4)).toBe(true);
    expect(sizes.filter((size) => size > 8)).toEqual([]);
  });
});
