import { describe, expect, it } from "vitest";
import { LinkBooks } from "../../../../sidecar/commands/link-books.js";
import { promote } from "../../../../sidecar/commands/promote.js";
import { resume } from "../../../../sidecar/commands/resume.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const BY_NAMESPACE = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespaceSelectors: [{ matchLabels: { team: "yes" } }] }
`;
const TEAM = { labels: { team: "yes" } };

/** Forty ConfigMaps in one Namespace, twenty in another, all wanted. */
async function filled(...args: ConstructorParameters<typeof MirrorBed>): Promise<MirrorBed> {
  const bed = new MirrorBed(...args);
  for (const name of ["shop", "cart"]) {
    await bed.putInto(bed.destination, `namespaces/${name}`);
    await bed.put(`namespaces/${name}`, TEAM);
  }
  for (let at = 0; at < 40; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
  for (let at = 0; at < 20; at += 1) await bed.put(`configmaps/cart/c${at}`, YES);
  return bed;
}

function copied(bed: MirrorBed): number {
  return Object.keys(bed.objects()).filter((path) => path.startsWith("configmaps/")).length;
}

describe("the brake", () => {
  it("holds what one relabelled Namespace would remove, says so, and lets it go when a person releases it", async () => {
    const bed = await filled({ rules: BY_NAMESPACE });
    const { mirror } = await bed.follow();

    await bed.put("namespaces/shop", {});
    await bed.settle(5_000);
    const held = mirror.status;
    const kept = copied(bed);
    mirror.releaseBrake();
    await bed.settle(5_000);

    expect(kept).toBe(60);
    expect(held).toMatchObject({
      brake: { engaged: true, causes: ["namespace"], held: 40 },
      debts: { braked: 40 },
    });
    expect(copied(bed)).toBe(20);
    expect(mirror.status).toMatchObject({ brake: { engaged: false }, debts: { braked: 0 } });
  });

  it("lets few deletions through, whatever share they are", async () => {
    const bed = await filled({ rules: BY_NAMESPACE });
    for (let at = 10; at < 40; at += 1) await bed.delete(`configmaps/shop/c${at}`);
    for (let at = 0; at < 20; at += 1) await bed.delete(`configmaps/cart/c${at}`);
    const { mirror } = await bed.follow();

    await bed.put("namespaces/shop", {});
    await bed.settle(5_000);

    expect(copied(bed)).toBe(0);
    expect(mirror.status.brake.engaged).toBe(false);
  });

  it("holds when the source deletes more than 30 % of all within a minute, and no sooner", async () => {
    const bed = await filled({ rules: BY_NAMESPACE });
    const { mirror } = await bed.follow();

    for (let at = 0; at < 40; at += 1) await bed.delete(`configmaps/shop/c${at}`);
    await bed.settle(5_000);

    expect(copied(bed)).toBe(42);
    expect(mirror.status).toMatchObject({ brake: { causes: ["events"] }, debts: { braked: 22 } });
  });

  it("holds what it has held until a person releases it, also when a pass finds little enough of it", async () => {
    const bed = await filled({ rules: BY_NAMESPACE, policy: { verifyEveryMs: 60_000 } });
    const { mirror } = await bed.follow();
    for (let at = 0; at < 25; at += 1) await bed.delete(`configmaps/shop/c${at}`);
    await bed.settle(5_000);
    const before = [copied(bed), mirror.status.brake.held];

    await bed.settle(5 * 60_000);

    expect(mirror.status.passes.verify).toBeGreaterThan(1);
    expect([copied(bed), mirror.status.brake.held]).toEqual(before);
    expect(before).toEqual([42, 7]);
  });

  it("holds what a rule would remove that was taken out, wherever it stood among the others", async () => {
    const rule = (label: string): string =>
      `    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], labelSelectors: [{ matchLabels: { mirror: ${label} } }] }\n`;
    const head = "filters:\n  secondary:\n";
    const bed = new MirrorBed({ rules: `${head}${rule("few")}${rule("many")}` });
    await bed.putInto(bed.destination, "namespaces/shop");
    for (let at = 0; at < 100; at += 1) {
      await bed.put(`configmaps/shop/c${at}`, { labels: { mirror: "many" } });
    }
    for (let at = 0; at < 20; at += 1) {
      await bed.put(`configmaps/shop/z${at}`, { labels: { mirror: "few" } });
    }
    const { mirror } = await bed.follow();

    mirror.useRules(rulesetOf(`${head}${rule("many")}`));
    await bed.settle(10 * 60_000);

    expect(mirror.status.brake).toEqual({ engaged: true, causes: ["reload"], held: 20 });
    expect(copied(bed)).toBe(120);
  });

  it("holds nothing any more, and says so, when a mistake was corrected", async () => {
    const bed = await filled({ rules: BY_NAMESPACE });
    const { mirror } = await bed.follow();
    await bed.put("namespaces/shop", {});
    await bed.settle(5_000);

    await bed.put("namespaces/shop", TEAM);
    await bed.settle(60_000);

    expect(bed.debts()).toEqual({});
    expect(mirror.status.brake).toEqual({ engaged: false, causes: [], held: 0 });
  });

  it("still holds after a restart", async () => {
    const bed = await filled({ rules: BY_NAMESPACE });
    const first = await bed.follow();
    await bed.put("namespaces/shop", {});
    await bed.settle(5_000);
    await first.stop();

    const second = await bed.follow();
    await bed.settle(30_000);

    expect(copied(bed)).toBe(60);
    expect(second.mirror.status.brake.engaged).toBe(true);
  });

  it("lets everything through where the operator says so", async () => {
    const bed = await filled({ rules: BY_NAMESPACE, policy: { allowMassDelete: true } });
    await bed.follow();

    await bed.put("namespaces/shop", {});
    await bed.settle(5_000);

    expect(copied(bed)).toBe(20);
  });
});

describe("rules", () => {
  it("write nothing and delete nothing when there are none any more", async () => {
    const bed = await filled({ rules: LABELLED });
    const { mirror } = await bed.follow();
    bed.takeWrites();

    mirror.useRules(undefined);
    await bed.settle(10 * 60_000);
    await bed.put("configmaps/shop/new", YES);
    await bed.delete("configmaps/shop/c0");
    await bed.settle();

    expect(bed.takeWrites()).toEqual([]);
    expect(mirror.status.activity).toBe("no-rules");
  });

  it("judge new events at once after a reload; a pass follows, which removes what left only after five minutes", async () => {
    const bed = await filled({ rules: LABELLED, policy: { allowMassDelete: true } });
    const { mirror } = await bed.follow();

    mirror.useRules(rulesetOf(LABELLED.replaceAll('mirror: "yes"', 'other: "yes"')));
    await bed.put("configmaps/shop/new", { labels: { other: "yes" } });
    await bed.settle(10_000);
    const soon = copied(bed);
    await bed.settle(6 * 60_000);

    expect(soon).toBe(61);
    expect(Object.keys(bed.objects())).toEqual([
      "configmaps/shop/new",
      "namespaces/cart",
      "namespaces/shop",
    ]);
    expect(mirror.status.passes).toMatchObject({ reload: 1, "rules-settled": 1 });
  });

  it("that change while nobody runs are gone by at once, by a pass beside the tail, also when that start is cut short", async () => {
    const bed = new MirrorBed({ rules: LABELLED, hopMs: 1, ttlSeconds: 5 });
    await bed.putInto(bed.destination, "namespaces/shop");
    for (const at of [1, 2, 3])
      await bed.put(`configmaps/shop/c${at}`, { labels: { other: "yes" } });
    const first = await bed.follow();
    first.kill();

    const changed = { rules: LABELLED.replaceAll('mirror: "yes"', 'other: "yes"') };
    const second = await bed.follow(changed);
    second.kill();
    const { mirror } = await bed.follow(changed);
    await bed.settle(10_000);

    expect(copied(bed)).toBe(3);
    expect(mirror.status.passes).toMatchObject({ reload: 1, requested: 0 });
  });

  it("that change while nobody runs are found by their hash, and reloaded", async () => {
    const bed = await filled({ rules: LABELLED, policy: { allowMassDelete: true } });
    const first = await bed.follow();
    await first.stop();

    await bed.follow({ rules: LABELLED.replaceAll('mirror: "yes"', 'other: "yes"') });
    await bed.settle(10_000);
    const soon = copied(bed);
    await bed.settle(6 * 60_000);

    expect([soon, copied(bed)]).toEqual([60, 0]);
  });
});

describe("identity", () => {
  it("refuses a source and a destination that are one store", async () => {
    const bed = new MirrorBed();

    const process = bed.start({ destination: bed.source });
    await bed.settle();

    expect(process.ended).toMatchObject({ name: "LinkRefused" });
    expect(process.mirror.status.activity).toBe("stopped");
  });

  it("refuses another destination than the link has written, until the operator accepts it", async () => {
    const bed = await filled();
    const first = await bed.follow();
    await first.stop();
    bed.destination.restore(bed.destination.backup(), 33n);

    const refused = bed.start();
    await bed.settle(15_000);
    const accepted = await bed.follow({ policy: { acceptNewDestination: true } });

    expect(refused.ended).toMatchObject({ name: "LinkRefused" });
    expect(accepted.mirror.status.passes["destination-changed"]).toBe(1);
  });

  it("compares everything when the source was restored from a backup, and follows it from there", async () => {
    const bed = await filled();
    const backup = bed.source.backup();
    const { mirror } = await bed.follow();
    await bed.put("configmaps/shop/c0", { ...YES, data: "after the backup" });
    await bed.put("configmaps/shop/late", YES);
    await bed.settle(20_000);

    bed.source.restore(backup);
    await bed.settle(60_000);
    await bed.put("configmaps/shop/c1", { ...YES, data: "after the restore" });
    await bed.settle(5_000);

    expect(bed.objects()).toMatchObject({
      "configmaps/shop/c0": undefined,
      "configmaps/shop/c1": "after the restore",
    });
    expect(bed.objects()).not.toHaveProperty("configmaps/shop/late");
    expect(mirror.status.passes["source-changed"]).toBe(1);
  });

  it("notices at its start that the source went another way meanwhile, though its revision is higher than ever", async () => {
    const bed = await filled();
    const backup = bed.source.backup();
    const first = await bed.follow();
    await bed.put("configmaps/shop/c0", { ...YES, data: "after the backup" });
    await bed.put("configmaps/shop/late", YES);
    await bed.settle(20_000);
    await first.stop();
    bed.source.restore(backup);
    for (let at = 0; at < 9; at += 1) await bed.put("configmaps/shop/c1", { ...YES, data: "new" });

    const { mirror } = await bed.follow();
    await bed.settle(5_000);

    expect(mirror.status.passes["source-changed"]).toBe(1);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/c0": undefined });
    expect(bed.objects()).toMatchObject({ "configmaps/shop/c1": "new" });
    expect(bed.objects()).not.toHaveProperty("configmaps/shop/late");
  });

  it("notices it at the latest by a pass, when none of the newest records tells", async () => {
    const bed = await filled({ policy: { verifyEveryMs: 60_000 } });
    const backup = bed.source.backup();
    const first = await bed.follow();
    await bed.put("configmaps/shop/c0", { ...YES, data: "after the backup" });
    for (let at = 0; at < 70; at += 1) await bed.put(`configmaps/cart/n${at}`, YES);
    await bed.settle(20_000);
    await first.stop();
    bed.source.restore(backup);
    for (let at = 0; at < 9; at += 1) await bed.put("configmaps/cart/n0", YES);
    for (let at = 0; at < 80; at += 1) await bed.put(`configmaps/cart/n${at}`, YES);

    const { mirror } = await bed.follow();
    const before = bed.objects()["configmaps/shop/c0"];
    await bed.settle(130_000);

    expect(before).toBe("after the backup");
    expect(mirror.status.passes["source-changed"]).toBe(1);
    expect(bed.objects()).toMatchObject({ "configmaps/shop/c0": undefined });
  });

  it("does not write a sealed destination, over restarts", async () => {
    const bed = await filled();
    const first = await bed.follow();
    await first.stop();
    const key = "/svc-ferry/east/state";
    const state = JSON.parse(bed.destination.store.get(key)?.value.toString() ?? "");
    const sealed = { ...state, phase: "sealed", sealed: { by: "jane", atMs: 5 } };
    await bed.write(bed.destination, {
      kind: "put",
      key,
      value: Buffer.from(JSON.stringify(sealed)),
    });
    await bed.put("configmaps/shop/new", YES);
    bed.takeWrites();

    const { mirror } = bed.start();
    await bed.settle(60_000);

    expect(bed.takeWrites()).toEqual([]);
    expect(mirror.status.activity).toBe("sealed");
  });

  it("says that it is sealed as soon as it is, with nothing to write", async () => {
    const bed = await filled();
    const { mirror } = await bed.follow();
    await bed.settle(1_000);
    const books = new LinkBooks(bed.destination, "east");

    await promote({ books, clock: bed.clock, by: "jane" }, new AbortController().signal);
    await bed.settle(10);
    const atOnce = mirror.status;
    await bed.settle(2_100);

    expect(atOnce).toMatchObject({ activity: "waiting", fence: { held: false } });
    expect(mirror.status.activity).toBe("sealed");
  });

  it("leaves the revision of a sealed destination where it is, and goes on when the link is resumed", async () => {
    const bed = await filled();
    const { mirror } = await bed.follow();
    const books = new LinkBooks(bed.destination, "east");
    const { signal } = new AbortController();
    await promote({ books, clock: bed.clock, by: "jane" }, signal);
    await bed.settle(5_000);
    const { revision } = bed.destination.header;

    await bed.settle(10 * 60_000);
    const later = bed.destination.header.revision;
    await resume(books, signal);
    await bed.settle(5_000);

    expect(later).toBe(revision);
    expect(mirror.status.activity).toBe("following");
  });

  it("writes nothing through a backend that refuses transactions of several operations", async () => {
    const bed = await filled();
    bed.destination.refusesLargeTxns = true;

    const process = bed.start();
    await bed.settle();

    expect(process.ended).toMatchObject({ kind: "unsupported" });
    expect(copied(bed)).toBe(0);
  });

  it("mirrors nothing that is attached to a lease", async () => {
    const bed = await filled();
    const lease = await bed.source.grantLease(3_600, { signal: new AbortController().signal });
    const value = bed.value(bed.source, "configmaps/shop/leased", YES);
    const key = "/registry/configmaps/shop/leased";
    await bed.write(bed.source, { kind: "put", key, value, lease: lease.id });

    await bed.follow();

    expect(bed.objects()).not.toHaveProperty("configmaps/shop/leased");
  });
});
