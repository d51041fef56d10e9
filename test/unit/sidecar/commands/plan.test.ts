import { describe, expect, it } from "vitest";
import { encodeRecord } from "../../../../sidecar/ledger/record.js";
import { LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";
import { RehearsalBed } from "../../../fixtures/rehearsal-bed.js";

const YES = { labels: { mirror: "yes" } };

async function scene() {
  const bed = new MirrorBed();
  await bed.put("namespaces/shop", YES);
  await bed.put("configmaps/shop/web", { ...YES, data: "1" });
  await bed.put("configmaps/shop/other", { data: "2" });
  return { bed, rehearsal: new RehearsalBed(bed) };
}

describe("plan", () => {
  it("tells what a first run would create, and writes nothing at all", async () => {
    const { bed, rehearsal } = await scene();

    const { entries, summary } = await rehearsal.plan();

    expect(entries.map(({ action, key, reason }) => `${action} ${key} ${reason}`)).toEqual([
      "create /registry/namespaces/shop not-there",
      "create /registry/configmaps/shop/web not-there",
    ]);
    expect(summary).toMatchObject({
      kind: "planned",
      counts: { create: 2, update: 0, delete: 0, adopt: 0, send: 0, refuse: 0 },
      unchanged: 0,
      appliedRevision: undefined,
    });
    expect(bed.destination.header.revision).toBe(1n);
    expect(bed.objects()).toEqual({});
  });

  it("has nothing to do beside a mirror that follows, whose fence it leaves alone", async () => {
    const { bed, rehearsal } = await scene();
    const process = await bed.follow();

    const { entries, summary } = await rehearsal.plan();

    expect(entries).toEqual([]);
    expect(summary).toMatchObject({ unchanged: 2 });
    expect(process.mirror.status.fence.held).toBe(true);
  });

  it("tells updates, deletions and foreign objects with the reason", async () => {
    const { bed, rehearsal } = await scene();
    await bed.put("configmaps/shop/gone", YES);
    await (await bed.follow()).stop();
    await bed.put("configmaps/shop/web", { ...YES, data: "changed" });
    await bed.delete("configmaps/shop/gone");
    await bed.put("configmaps/shop/taken", YES);
    await bed.putInto(bed.destination, "configmaps/shop/taken", { data: "a person's" });
    bed.takeWrites();

    const { entries, summary } = await rehearsal.plan();
    const adopted = await rehearsal.plan({ policy: { onConflict: "adopt" } });

    expect(entries.map(({ action, key, reason }) => `${action} ${key} ${reason}`)).toEqual([
      "update /registry/configmaps/shop/web differs",
      "delete /registry/configmaps/shop/gone not-wanted",
      "refuse /registry/configmaps/shop/taken occupied",
    ]);
    expect(summary).toMatchObject({ unchanged: 1 });
    expect(adopted.entries).toContainEqual({
      action: "adopt",
      key: "/registry/configmaps/shop/taken",
      reason: "not-ours",
      detail: undefined,
    });
    expect(bed.takeWrites()).toEqual([]);
  });

  it("tells what other rules would remove, though that waits for five minutes", async () => {
    const { bed, rehearsal } = await scene();
    await (await bed.follow()).stop();
    const rules = LABELLED.replaceAll('mirror: "yes"', 'mirror: "no"');

    const { entries } = await rehearsal.plan({ rules });

    expect(entries.map(({ action, key, reason }) => `${action} ${key} ${reason}`)).toEqual([
      "delete /registry/configmaps/shop/web rules-settling",
      "delete /registry/namespaces/shop rules-settling",
    ]);
  });

  it("tells what stays owed", async () => {
    const { bed, rehearsal } = await scene();
    await bed.put("configmaps/nowhere/a", YES);
    await bed.follow();

    const { entries } = await rehearsal.plan();

    expect(entries).toEqual([
      {
        action: "refuse",
        key: "/registry/configmaps/nowhere/a",
        reason: "no-namespace",
        detail: "nowhere",
      },
    ]);
  });

  it("takes what went through the API server for done when it was made of the same revision", async () => {
    const { bed, rehearsal } = await scene();
    const rules = `${LABELLED}    - { group: "", resources: [{ group: "", version: v1, kind: Service }] }\n`;
    const revision = await bed.put("services/specs/shop/web", YES);
    const options = { rules, hasApi: true };
    const before = await rehearsal.plan(options);

    await bed.write(bed.destination, {
      kind: "put",
      key: "/svc-ferry/east/own/services/specs/shop/web",
      value: encodeRecord({
        sourceRevision: revision,
        epoch: "1.x",
        rule: 2,
        via: "api",
        sourceUid: "a",
        destinationUid: "b",
        destinationRevision: 1n,
        owners: [],
      }),
    });
    const after = await rehearsal.plan(options);

    const services = (entries: typeof before.entries) =>
      entries
        .filter(({ key }) => key.includes("/services/"))
        .map(({ action, reason }) => `${action} ${reason}`);
    expect(services(before.entries)).toEqual(["send via-api"]);
    expect(services(after.entries)).toEqual([]);
  });

  it("never shows a value", async () => {
    const { bed, rehearsal } = await scene();
    await bed.put("configmaps/shop/web", { ...YES, data: "hush" });

    expect(JSON.stringify(await rehearsal.plan())).not.toContain("hush");
  });

  it("refuses to plan for a sealed link", async () => {
    const { bed, rehearsal } = await scene();
    await (await bed.follow()).stop();
    const read = rehearsal.books.state.bind(rehearsal.books);
    rehearsal.books.state = async (call) => {
      const now = await read(call);
      return now && { ...now, state: { ...now.state, phase: "sealed" } };
    };

    expect((await rehearsal.plan()).summary).toMatchObject({ kind: "cannot" });
  });
});
