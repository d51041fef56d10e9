import { describe, expect, it } from "vitest";
import type { LinkState } from "../../../../sidecar/link/state.js";
import { decodeState, encodeState } from "../../../../sidecar/link/state.js";
import { linkState } from "../../../fixtures/link-scene.js";
import {
  MirrorBed,
  PREFIX,
  type BedOptions,
  type MirrorProcess,
} from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const AT = "configmaps/shop/a";

/** The bed's source and destination, and a way to mirror from the second into the first. */
async function twoSided(options: BedOptions = {}): Promise<MirrorBed> {
  const bed = new MirrorBed(options);
  await bed.put("namespaces/shop");
  await bed.putInto(bed.destination, "namespaces/shop");
  return bed;
}

function back(bed: MirrorBed, more: BedOptions = {}): Promise<MirrorProcess> {
  const { source, destination } = bed;
  return bed.follow({ link: "back", source: destination, destination: source, ...more });
}

/** Keys of Kubernetes that mirrors have written into the first side since the last look. */
function takeWritesBack(bed: MirrorBed): readonly string[] {
  return bed.source
    .takeTxns()
    .filter(({ succeeded, compare }) => succeeded && compare.length > 0)
    .flatMap(({ then }) => then)
    .filter(({ kind, key }) => kind !== "get" && key.startsWith(PREFIX))
    .map(({ kind, key }) => `${kind} ${key.slice(PREFIX.length)}`);
}

async function changeState(bed: MirrorBed, change: Partial<LinkState>): Promise<void> {
  const key = "/svc-ferry/east/state";
  const kv = bed.destination.store.get(key);
  if (kv === undefined) throw new Error("the link has no state");
  const value = encodeState({ ...decodeState(kv.value), ...change });
  await bed.write(bed.destination, { kind: "put", key, value });
}

describe("two directions with the same rules", () => {
  it("never loop: what one has mirrored is no source of the other, whichever begins first", async () => {
    const bed = await twoSided({ policy: { onConflict: "adopt" } });
    await bed.put(AT, { ...YES, data: "1" });
    await bed.putInto(bed.destination, "configmaps/shop/theirs", { ...YES, data: "theirs" });
    await bed.follow();

    await back(bed);
    await bed.put("configmaps/shop/late", { ...YES, data: "late" });
    await bed.put(AT, { ...YES, data: "2" });
    await bed.putInto(bed.destination, "configmaps/shop/later", { ...YES, data: "later" });
    await bed.settle(5_000);
    await bed.delete("configmaps/shop/late");
    await bed.settle(5_000);

    const own = (etcd: MirrorBed["source"], link: string): readonly string[] => {
      const range = { key: `/svc-ferry/${link}/own/`, rangeEnd: `/svc-ferry/${link}/own0` };
      return etcd.store.range(range).kvs.map(({ key }) => key.slice(range.key.length));
    };
    expect(own(bed.destination, "east")).toEqual([AT]);
    expect(own(bed.source, "back")).toEqual(["configmaps/shop/later", "configmaps/shop/theirs"]);
    expect(takeWritesBack(bed)).toEqual([
      "put configmaps/shop/theirs",
      "put configmaps/shop/later",
    ]);
    expect(bed.objects(bed.source)).toEqual(bed.objects(bed.destination));
  });

  it("see a link that begins only later, before the watch of its records says so", async () => {
    const bed = await twoSided({ policy: { onConflict: "adopt" } });
    await back(bed, { source: withoutWatchOfBooks(bed.destination) });

    await bed.put(AT, { ...YES, data: "1" });
    await bed.follow();
    await bed.settle(5_000);

    expect(takeWritesBack(bed)).toEqual([]);
    expect(bed.source.store.get(`/svc-ferry/back/own/${AT}`)).toBeUndefined();
  });

  it("turn round: what was mirrored is a source as soon as its link is sealed, and what it came from is adopted", async () => {
    const bed = await twoSided();
    await bed.put(AT, { ...YES, data: "1" });
    const east = await bed.follow();
    const { mirror } = await back(bed, { policy: { adoptFromLink: "east" } });
    await east.stop();
    await bed.putInto(bed.destination, AT, { ...YES, data: "2" });
    await bed.settle(5_000);
    const before = takeWritesBack(bed);

    await changeState(bed, { phase: "sealed", sealed: { by: "ann", atMs: 0 } });
    await bed.settle(5_000);

    expect(before).toEqual([]);
    expect(takeWritesBack(bed)).toEqual([`put ${AT}`]);
    expect(bed.objects(bed.source)).toMatchObject({ [AT]: "2" });
    expect(mirror.status.conflicts).toEqual({ adopted: 1, skipped: 0 });
  });

  it("turn round after the first link has left, too", async () => {
    const bed = await twoSided({ policy: { onConflict: "adopt" } });
    await bed.put(AT, { ...YES, data: "1" });
    const east = await bed.follow();
    await back(bed);
    await east.stop();
    await bed.putInto(bed.destination, AT, { ...YES, data: "2" });
    await bed.settle(5_000);
    const before = takeWritesBack(bed);

    const books = { key: "/svc-ferry/east/", rangeEnd: "/svc-ferry/east0" };
    await bed.write(bed.destination, { kind: "delete", ...books });
    await bed.settle(5_000);

    expect(before).toEqual([]);
    expect(bed.objects(bed.source)).toMatchObject({ [AT]: "2" });
  });

  it("remove nothing when a sealed link is resumed beside the other direction", async () => {
    const bed = await twoSided();
    await bed.put(AT, { ...YES, data: "1" });
    const east = await bed.follow();
    await east.stop();
    await changeState(bed, { phase: "sealed", sealed: { by: "ann", atMs: 0 } });
    await back(bed, { policy: { adoptFromLink: "east" } });

    await changeState(bed, { phase: "copy", applied: undefined, sealed: undefined });
    await bed.follow();
    await bed.settle(10 * 60_000);

    expect(bed.objects()).toMatchObject({ [AT]: "1" });
    expect(bed.objects(bed.source)).toMatchObject({ [AT]: "1" });
  });
});

/** Its watch of the books stands still; all else is as it is. */
function withoutWatchOfBooks(etcd: MirrorBed["source"]): NonNullable<BedOptions["source"]> {
  return new Proxy(etcd, {
    get(target, name) {
      if (name === "watch") {
        return (options: Parameters<MirrorBed["source"]["watch"]>[0]) => {
          const isBooks = options.range.key.startsWith("/svc-ferry/");
          const from = isBooks ? options.from + 1_000_000n : options.from;
          return target.watch({ ...options, from });
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("two links into the source of which one is sealed while a pass looks for what the other has left", () => {
  it("are both gone by, though the pass was past the second one's objects", async () => {
    const bed = await twoSided({ hopMs: 1, policy: { maxWritesPerSecond: 10 } });
    const owned = async (link: string, path: string): Promise<void> => {
      await bed.put(path, YES);
      const record = Buffer.from("1 1 1.abc 0 - uid = - -");
      const own = `/svc-ferry/${link}/own/${path}`;
      await bed.write(bed.source, { kind: "put", key: own, value: record });
    };
    const seal = async (link: string): Promise<void> => {
      const value = encodeState(linkState({ phase: "sealed", sealed: { by: "ann", atMs: 1 } }));
      await bed.write(bed.source, { kind: "put", key: `/svc-ferry/${link}/state`, value });
    };
    await owned("north", AT);
    for (let at = 0; at < 100; at += 1) await owned("west", `configmaps/shop/w${at}`);
    const { mirror } = await bed.follow();

    await seal("west");
    await bed.clock.runUntil(() => mirror.status.owned > 70);
    await seal("north");
    await bed.settle(30_000);

    expect(bed.owned()).toHaveLength(101);
    expect(mirror.status.passes.requested).toBe(2);
  });
});
