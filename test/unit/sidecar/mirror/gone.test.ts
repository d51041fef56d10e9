import { describe, expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const AT = "configmaps/shop/a";
const DAY_MS = 24 * 3_600_000;

/** `removed` uids whose objects were taken away so many days ago; of the two objects in the source one had such a uid. */
async function bedWith(removed: Readonly<Record<string, number>>): Promise<MirrorBed> {
  const bed = new MirrorBed();
  await bed.putInto(bed.destination, "namespaces/shop");
  for (const [uid, days] of Object.entries(removed)) {
    const value = Buffer.from(String(bed.clock.now() - days * DAY_MS));
    await bed.write(bed.destination, { kind: "put", key: `/svc-ferry/east/gone/${uid}`, value });
  }
  await bed.put(AT, { ...YES, metadata: { uid: "u" } });
  return bed;
}

function remembered(bed: MirrorBed): readonly string[] {
  const range = { key: "/svc-ferry/east/gone/", rangeEnd: "/svc-ferry/east/gone0" };
  return bed.destination.store.range(range).kvs.map(({ key }) => key.slice(range.key.length));
}

function uid(bed: MirrorBed): unknown {
  const metadata = bed.object(AT)?.["metadata"];
  return Object(metadata)["uid"];
}

describe("uids that were removed", () => {
  it("do not come back for 30 days", async () => {
    const bed = await bedWith({ u: 29 });

    await bed.follow();

    expect(uid(bed)).not.toBe("u");
    expect(remembered(bed)).toEqual(["u"]);
  });

  it("are forgotten after 30 days, in the books too", async () => {
    const bed = await bedWith({ u: 30, v: 400, w: 1 });

    await bed.follow();

    expect(uid(bed)).toBe("u");
    expect(remembered(bed)).toEqual(["w"]);
  });

  it("are forgotten by the daily pass of a mirror that runs, however many they are", async () => {
    const many = Array.from({ length: 250 }, (_, at) => [`old-${at}`, 29.9999] as const);
    const bed = await bedWith({ ...Object.fromEntries(many), u: 29.9999, w: 1 });
    await bed.follow({ policy: { verifyEveryMs: 60_000 } });
    const before = remembered(bed).length;

    await bed.settle(130_000);
    await bed.delete(AT);
    await bed.put(AT, { ...YES, metadata: { uid: "u" } });
    await bed.settle(5_000);

    expect(before).toBe(252);
    expect(remembered(bed)).toHaveLength(2);
    expect(uid(bed)).toBe("u");
  });
});
