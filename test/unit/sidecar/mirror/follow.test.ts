import { describe, expect, it } from "vitest";
import type { Etcd } from "../../../../sidecar/etcd/etcd.js";
import type { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { ReadLog } from "../../../fakes/read-log.js";
import { MirrorBed, PREFIX } from "../../../fixtures/mirror-bed.js";
import { RecordingLog } from "../../src/kube/fixture/recording-log.js";

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

  it("reads each page of the source once, with one look for how many there are", async () => {
    const bed = new MirrorBed();
    await bed.putInto(bed.destination, "namespaces/shop");
    for (let at = 0; at < 5_000; at += 1) {
      await bed.put(`configmaps/shop/c${at}`, at % 1_000 === 0 ? YES : NO);
    }
    const source = new ReadLog(bed.source, bed.clock, 0);

    await bed.follow({ source });

    expect(bed.owned()).toHaveLength(5);
    const pages = source.takePages().filter((key) => key.startsWith("/registry/configmaps/"));
    expect(new Set(pages).size).toBe(pages.length);
    // 64 keys, then twice as many each time, up to a thousand.
    expect(pages).toHaveLength(9);
  });

  it("says which kinds of the rules no CRD of the source offers, at the beginning of a pass", async () => {
    const bed = new MirrorBed();
    const log = new RecordingLog();
    const rule = "{ group: shop.io, resources: [{ group: shop.io, version: v1, kind: Cart }] }";

    await bed.follow({ log, rules: `filters:\n  secondary:\n    - ${rule}\n` });

    const told = log.records.filter(({ message }) => message === "a rule names what is not there");
    expect(told.map(({ fields }) => fields)).toEqual([
      { line: 3, text: "secondary[0]: the source stores no CRD for cart.shop.io" },
    ]);
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

describe("a Namespace that was deleted and made again in the source", () => {
  const INSIDE = "configmaps/shop/a";

  async function recreated(bed: MirrorBed): Promise<void> {
    await bed.delete(INSIDE);
    await bed.delete("namespaces/shop");
    await bed.put("namespaces/shop", YES);
    await bed.put("configmaps/shop/b", { ...YES, data: "new" });
  }

  const uidOf = (bed: MirrorBed) => Object(bed.object("namespaces/shop")?.["metadata"])["uid"];

  async function before(): Promise<MirrorBed> {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    await bed.put(INSIDE, { ...YES, data: "old" });
    return bed;
  }

  it("stays in the destination under its uid there, holds what the new one holds, and is owed nothing", async () => {
    const bed = await before();
    await bed.follow();
    const uid = uidOf(bed);

    await recreated(bed);
    await bed.settle(60_000);

    expect(bed.objects()).toEqual({ "namespaces/shop": undefined, "configmaps/shop/b": "new" });
    expect([uidOf(bed), bed.debts()]).toEqual([uid, {}]);
  });

  it("does so too when nobody ran meanwhile and the source has forgotten it", async () => {
    const bed = await before();
    const first = await bed.follow();
    await first.stop();
    await recreated(bed);
    const { revision } = bed.source.store;
    await bed.source.compact(revision, { signal: new AbortController().signal });

    await bed.follow();
    await bed.settle(60_000);

    expect(bed.objects()).toEqual({ "namespaces/shop": undefined, "configmaps/shop/b": "new" });
    expect(bed.debts()).toEqual({});
  });
});

describe("the lag", () => {
  it("grows while the source is away, with nothing read that is not applied, and goes when it is back", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    const { mirror } = await bed.follow();
    await bed.settle(60_000);
    const before = mirror.status.lagMs;

    bed.source.setOutage(true);
    await bed.settle(90_000);
    const away = mirror.status.lagMs;
    bed.source.setOutage(false);
    await bed.settle(15_000);

    expect(before).toBe(0);
    expect(away).toBeGreaterThanOrEqual(80_000);
    expect(mirror.status.lagMs).toBe(0);
  });
});

describe("the lag of a mirror that has lost its fence", () => {
  it("grows while the destination is away", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    const { mirror } = await bed.follow();

    bed.destination.setOutage(true);
    await bed.settle(90_000);
    const away = mirror.status;
    bed.destination.setOutage(false);
    await bed.settle(15_000);

    expect(away.activity).toBe("waiting");
    expect(away.lagMs).toBeGreaterThanOrEqual(80_000);
    expect(mirror.status.lagMs).toBe(0);
  });

  it("is none where another follows instead", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    const first = await bed.follow();
    const second = bed.start();
    await bed.settle(1_000);

    await bed.write(bed.destination, { kind: "delete", key: "/svc-ferry/east/fence" });
    await bed.clock.runUntil(() => second.mirror.status.activity === "following");
    await bed.settle(90_000);

    expect([first, second].map(({ mirror }) => mirror.status.lagMs)).toEqual([0, 0]);
  });
});

describe("what somebody changed in the destination while nobody ran", () => {
  const path = (index: number): string => `configmaps/shop/cm-${String(index).padStart(4, "0")}`;

  it("is looked for beside the watch, which waits for nothing of that", async () => {
    const bed = new MirrorBed();
    await bed.put("namespaces/shop", YES);
    for (let index = 0; index < 1_100; index += 1) {
      await bed.put(path(index), { ...YES, data: "ours" });
    }
    const first = await bed.follow();
    await first.stop();
    await bed.putInto(bed.destination, path(1_099), { ...YES, data: "theirs" });

    // A page takes 100 ms, and the rest after it four times as long.
    await bed.follow({ hopMs: 50 });
    await bed.settle(800);
    await bed.putInto(bed.destination, path(0), { ...YES, data: "theirs" });
    await bed.settle(700);
    const soon = [bed.objects()[path(0)], bed.objects()[path(1_099)]];
    await bed.settle(4_000);

    expect(soon).toEqual(["ours", "theirs"]);
    expect(bed.objects()[path(1_099)]).toBe("ours");
  });
});

describe("a Namespace that is relabelled while the list of all of them is read", () => {
  it("has its objects looked at again: they may have been judged by what it was", async () => {
    const rules = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespaceSelectors: [{ matchLabels: { mirror: "yes" } }] }
`;
    const bed = new MirrorBed({ rules });
    const namespaces = Array.from({ length: 100 }, (_, at) => `n${100 + at}`);
    for (const name of namespaces) await bed.put(`namespaces/${name}`, NO);
    await bed.putInto(bed.destination, "namespaces/n199");
    await bed.put("configmaps/n199/a", { data: "1" });
    const first = await bed.follow();
    await first.stop();

    await bed.follow({
      source: beforeSecondPage(bed.source, () => bed.put("namespaces/n199", YES)),
    });
    await bed.settle(5_000);

    expect(bed.objects()).toHaveProperty(["configmaps/n199/a"]);
  });
});

/** Something happens between the first page of Namespaces and the next. */
function beforeSecondPage(etcd: FakeEtcd, happens: () => Promise<unknown>): Etcd {
  let isToCome = true;
  const range: Etcd["range"] = async (options, call) => {
    if (isToCome && options.key.startsWith(`${PREFIX}namespaces/n`)) {
      isToCome = false;
      await happens();
    }
    return etcd.range(options, call);
  };
  return new Proxy(etcd, {
    get(target, name) {
      if (name === "range") return range;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
