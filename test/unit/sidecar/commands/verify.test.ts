import { describe, expect, it } from "vitest";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";
import { RehearsalBed } from "../../../fixtures/rehearsal-bed.js";

const YES = { labels: { mirror: "yes" } };

async function scene() {
  const bed = new MirrorBed();
  await bed.put("namespaces/shop", YES);
  await bed.put("configmaps/shop/web", { ...YES, data: "1" });
  return { bed, rehearsal: new RehearsalBed(bed) };
}

const words = (findings: readonly { readonly finding: string; readonly key: string }[]) =>
  findings.map(({ finding, key }) => `${finding} ${key}`);

describe("verify", () => {
  it("finds nothing where all is as it should be", async () => {
    const { bed, rehearsal } = await scene();
    await bed.follow();

    const { entries, summary } = await rehearsal.verify();

    expect(entries).toEqual([]);
    expect(summary).toMatchObject({ kind: "verified", equal: 2, running: true });
  });

  it("finds what is missing, different and too much, by name, when no mirror runs", async () => {
    const { bed, rehearsal } = await scene();
    await bed.put("configmaps/shop/lost", YES);
    await bed.put("configmaps/shop/left", YES);
    await (await bed.follow()).stop();
    await bed.putInto(bed.destination, "configmaps/shop/web", { ...YES, data: "tampered" });
    await bed.deleteFrom(bed.destination, "configmaps/shop/lost");

    const { entries, summary } = await rehearsal.verify();

    expect(words(entries)).toEqual([
      "missing /registry/configmaps/shop/lost",
      "different /registry/configmaps/shop/web",
    ]);
    expect(summary).toMatchObject({ equal: 2, running: false });
    expect(JSON.stringify(entries)).not.toContain("tampered");
  });

  it("tells what is newer than the checkpoint apart, when no mirror runs", async () => {
    const { bed, rehearsal } = await scene();
    await (await bed.follow()).stop();
    await bed.put("configmaps/shop/new", YES);
    await bed.delete("configmaps/shop/web");

    const { entries } = await rehearsal.verify();

    expect(words(entries)).toEqual([
      "pending /registry/configmaps/shop/new",
      "pending /registry/configmaps/shop/web",
    ]);
  });

  it("does not flap beside a mirror while the source changes all the time", async () => {
    const bed = new MirrorBed({ hopMs: 5 });
    const rehearsal = new RehearsalBed(bed);
    await bed.put("namespaces/shop", YES);
    for (let at = 0; at < 5; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
    await bed.follow();
    const stop = new AbortController();
    const changing = (async () => {
      for (let at = 0; !stop.signal.aborted; at += 1) {
        await bed.put(`configmaps/shop/c${at % 5}`, { ...YES, data: String(at) });
        await bed.put("configmaps/shop/hot", { ...YES, data: String(at) });
        await bed.clock.sleep(100, stop.signal);
      }
    })();

    const { entries } = await rehearsal.verify({ waitMs: 200_000 });
    stop.abort();
    await changing;

    expect(entries).toEqual([]);
  });

  it("finds what a running mirror leaves so, because it is told to", async () => {
    const { bed, rehearsal } = await scene();
    const policy = { onDrift: "report" } as const;
    await bed.follow({ policy });
    await bed.putInto(bed.destination, "configmaps/shop/web", { ...YES, data: "tampered" });
    await bed.settle();

    const { entries } = await rehearsal.verify({ policy });

    expect(entries.map(({ finding, reason }) => [finding, reason])).toEqual([["debt", "drifted"]]);
  });

  it("gives a pass that other rules have asked for its time: what it has not reached is on its way", async () => {
    const bed = new MirrorBed({ policy: { maxWritesPerSecond: 10 } });
    await bed.putInto(bed.destination, "namespaces/shop");
    for (let at = 0; at < 100; at += 1) await bed.put(`configmaps/shop/c${at}`);
    const { mirror } = await bed.follow();
    const rules = LABELLED.replace(/(kind: ConfigMap \}\]), labelSelectors.*$/m, "$1 }");
    mirror.useRules(rulesetOf(rules));
    await bed.settle(1_000);

    const { entries, summary } = await new RehearsalBed(bed).verify({ rules });

    expect(entries).toEqual([]);
    expect(summary).toMatchObject({ kind: "verified", equal: 100, running: true });
  });

  it("cannot prove anything of a link that was never there", async () => {
    const { rehearsal } = await scene();

    expect((await rehearsal.verify()).summary).toMatchObject({ kind: "cannot" });
  });
});
