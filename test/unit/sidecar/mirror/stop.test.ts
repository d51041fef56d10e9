import { describe, expect, it } from "vitest";
import { decodeState } from "../../../../sidecar/link/state.js";
import { LABELLED, MirrorBed, type MirrorProcess } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";

const YES = { labels: { mirror: "yes" } };
const OTHER = { labels: { other: "yes" } };
const OTHERS = rulesetOf(LABELLED.replaceAll('mirror: "yes"', 'other: "yes"'));

const FAST = { policy: { maxWritesPerSecond: undefined } };

/** What is under way already is written, ten a second. */
const UNDER_WAY_MS = 10_000;

/** 400 objects that take 40 s to write. */
async function filled(): Promise<MirrorBed> {
  const bed = new MirrorBed({
    hopMs: 1,
    policy: { maxWritesPerSecond: 10, allowMassDelete: true },
  });
  await bed.putInto(bed.destination, "namespaces/shop");
  for (let at = 0; at < 400; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
  return bed;
}

/** Tells it to end. @returns how long it took, ms; undefined: it had not ended after a minute */
async function stopped(bed: MirrorBed, process: MirrorProcess): Promise<number | undefined> {
  const startMs = bed.clock.monotonicMs();
  let endedMs: number | undefined;
  const stopping = process.stop().then(() => {
    endedMs = bed.clock.monotonicMs() - startMs;
  });
  await bed.clock.advance(60_000);
  await Promise.race([stopping, Promise.resolve()]);
  return endedMs;
}

function applied({ destination }: MirrorBed): bigint | undefined {
  const kv = destination.store.get("/svc-ferry/east/state");
  return kv && decodeState(kv.value).applied;
}

const fenceOf = ({ destination }: MirrorBed): unknown =>
  destination.store.get("/svc-ferry/east/fence");

describe("a mirror that is told to end", () => {
  it("does so within seconds in the middle of a first copy, and gives the fence back", async () => {
    const bed = await filled();
    const process = bed.start();
    await bed.clock.advance(5_000);

    const tookMs = await stopped(bed, process);

    expect(tookMs).toBeLessThan(3_000);
    expect(fenceOf(bed)).toBeUndefined();
    expect(bed.owned().length).toBeLessThan(100);
  });

  it("does so in the middle of a pass beside the tail", async () => {
    const bed = await filled();
    await stopped(bed, await bed.follow(FAST));
    const process = await bed.follow();
    process.mirror.useRules(OTHERS);
    await bed.clock.runUntil(() => process.mirror.status.pass !== undefined);

    expect(await stopped(bed, process)).toBeLessThan(3_000);
  });

  it("does so while the source is away and what somebody has changed is looked at", async () => {
    const bed = await filled();
    const process = await bed.follow(FAST);
    await bed.clock.advance(5_000);
    bed.source.setOutage(true);
    await bed.putInto(bed.destination, "configmaps/shop/c0", { ...YES, data: "changed" });
    await bed.clock.advance(5_000);

    const tookMs = await stopped(bed, process);

    expect(tookMs).toBeLessThan(3_000);
    expect(fenceOf(bed)).toBeUndefined();
  });

  it("takes nothing more of what it has read of the source; the next one does", async () => {
    const bed = new MirrorBed({ hopMs: 1 });
    await bed.putInto(bed.destination, "namespaces/shop");
    const process = await bed.follow();
    for (let at = 0; at < 500; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    await bed.clock.advance(10);

    const tookMs = await stopped(bed, process);
    const written = bed.owned().length;
    await bed.follow();
    await bed.settle();

    expect(tookMs).toBeLessThan(100);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(400);
    expect(bed.owned()).toHaveLength(500);
  });

  it("has written what was under way, and the checkpoint after it", async () => {
    const bed = await filled();
    const process = await bed.follow(FAST);
    await bed.clock.advance(15_000);
    const revision = await bed.put("configmaps/shop/last", YES);
    await bed.clock.advance(3);

    await stopped(bed, process);

    expect(bed.objects()).toHaveProperty(["configmaps/shop/last"]);
    expect(applied(bed)).toBe(revision);
  });
});

describe("rules that come while a pass runs", () => {
  it("judge new events at once when the pass runs beside the tail", async () => {
    const bed = await filled();
    await stopped(bed, await bed.follow(FAST));
    const { mirror } = await bed.follow();
    mirror.useRules(OTHERS);
    await bed.clock.runUntil(() => mirror.status.pass !== undefined);

    mirror.useRules(rulesetOf(LABELLED));
    await bed.put("configmaps/shop/new", YES);
    await bed.clock.advance(2_000);

    expect(bed.objects()).toHaveProperty(["configmaps/shop/new"]);
  });

  it("are in force at once in a first copy", async () => {
    const bed = await filled();
    await bed.put("configmaps/shop/other", OTHER);
    const { mirror } = bed.start();
    await bed.clock.advance(5_000);

    mirror.useRules(OTHERS);
    await bed.clock.advance(UNDER_WAY_MS);

    expect(mirror.status.rulesHash).toBe(OTHERS.hash);
    expect(bed.objects()).toHaveProperty(["configmaps/shop/other"]);
    expect(bed.owned().length).toBeLessThan(200);
  });

  it("end a first copy when they are none", async () => {
    const bed = await filled();
    const { mirror } = bed.start();
    await bed.clock.advance(5_000);

    mirror.useRules(undefined);
    await bed.clock.advance(UNDER_WAY_MS);
    const before = bed.owned().length;
    await bed.clock.advance(60_000);

    expect(mirror.status.activity).toBe("no-rules");
    expect(before).toBeLessThan(200);
    expect(bed.owned()).toHaveLength(before);
  });
});
