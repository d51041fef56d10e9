import { beforeEach, describe, expect, it } from "vitest";
import { FakeApiWriter } from "../../../fakes/fake-api-writer.js";
import { rulesetOf } from "../../../fixtures/mirror-rules.js";
import { type BedOptions, MirrorBed } from "../../../fixtures/mirror-bed.js";

const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
  secondary:
    - { group: "", via: api, resources: [{ group: "", version: v1, kind: ConfigMap }], labelSelectors: [{ matchLabels: { mirror: api } }] }
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
`;
const RAW = { labels: { mirror: "yes" } };
const API = { labels: { mirror: "api" } };
const WEB = "configmaps/shop/web";

let bed: MirrorBed;
let api: FakeApiWriter;
let options: BedOptions;

beforeEach(async () => {
  bed = new MirrorBed();
  api = new FakeApiWriter(bed.destination);
  options = { rules: RULES, api };
  await bed.put("namespaces/shop", RAW);
});

describe("what goes through the destination's API server", () => {
  it("is written once, recorded, and owed no more", async () => {
    await bed.put(WEB, { ...API, data: "1" });

    await bed.follow(options);
    await bed.settle(60_000);

    expect(api.calls).toEqual(["apply /registry/configmaps/shop/web"]);
    expect(bed.objects()).toMatchObject({ [WEB]: "1" });
    expect(bed.owned()).toEqual([WEB, "namespaces/shop"]);
    expect(bed.debts()).toEqual({});
  });

  it("is owed while the server refuses it, and arrives when it does not any more, after a restart", async () => {
    api.refused.add("web");
    await bed.put(WEB, { ...API, data: "1" });
    const first = await bed.follow(options);
    await bed.settle(2_000);
    const owed = bed.debts();
    await first.stop();

    api.refused.clear();
    await bed.follow(options);
    await bed.settle(10_000);

    expect(owed).toEqual({ [WEB]: "api-refused" });
    expect(bed.debts()).toEqual({});
    expect(bed.objects()).toMatchObject({ [WEB]: "1" });
  });

  it("is not removed before new rules have settled, though something of it is owed, and never without the brake", async () => {
    for (let at = 0; at < 20; at += 1) await bed.put(`configmaps/shop/c${at}`, API);
    const { mirror } = await bed.follow(options);
    await bed.settle(10_000);
    api.isDown = true;
    for (let at = 0; at < 20; at += 1)
      await bed.put(`configmaps/shop/c${at}`, { ...API, data: "2" });
    await bed.settle(5_000);

    const reloaded = RULES.replace("mirror: api", "mirror: nobody");
    mirror.useRules(rulesetOf(reloaded, { destinationApi: true }));
    api.isDown = false;
    await bed.settle(4 * 60_000);
    const soon = bed.owned().length;
    await bed.settle(10 * 60_000);

    expect([soon, bed.owned().length]).toEqual([21, 21]);
    expect(mirror.status.brake).toMatchObject({ engaged: true, held: 20 });
  });

  it("is written again when an owner comes that nobody wanted before", async () => {
    const owner = "configmaps/shop/owner";
    const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "owner" };
    await bed.put(owner, { metadata: { uid: "owner" } });
    await bed.put(WEB, { ...API, metadata: { ownerReferences: [reference] } });
    await bed.follow(options);
    await bed.settle(5_000);
    api.calls.length = 0;

    await bed.put(owner, { ...RAW, metadata: { uid: "owner" } });
    await bed.settle(5_000);

    expect(api.calls).toEqual(["apply /registry/configmaps/shop/web"]);
  });

  it("keeps nothing else waiting while the server is away, and is paid when it is back, after a restart too", async () => {
    api.isDown = true;
    const first = await bed.follow(options);
    for (let n = 0; n < 40; n += 1)
      await bed.put(`configmaps/shop/api-${n}`, { ...API, data: "1" });
    await bed.put(WEB, { ...RAW, data: "raw" });
    await bed.settle(3_000);

    expect(bed.objects()).toMatchObject({ [WEB]: "raw" });
    expect(first.mirror.status.lagMs).toBe(0);
    expect(first.mirror.status.apiLagMs).toBe(3_000);
    await bed.settle(600_000);
    // One at a time finds out whether it is back, every ten seconds.
    expect(api.calls.length).toBeLessThan(100);
    await first.stop();
    const second = await bed.follow(options);
    await bed.settle(20_000);
    expect(Object.keys(bed.debts())).toHaveLength(40);
    expect(second.mirror.status.apiLagMs).toBeGreaterThan(620_000);

    api.isDown = false;
    await bed.settle(12_000);

    expect(second.mirror.status.apiLagMs).toBe(0);
    expect(bed.debts()).toEqual({});
    expect(Object.keys(bed.objects())).toHaveLength(42);
  });

  it("holds up no change of the same object while a call hangs, and writes the newest then", async () => {
    const gate = Promise.withResolvers<void>();
    api.held = gate.promise;
    const process = await bed.follow(options);
    await bed.put(WEB, { ...API, data: "1" });
    await bed.settle(2_000);
    await bed.put(WEB, { ...API, data: "2" });
    await bed.settle(2_000);

    expect(api.calls).toEqual(["apply /registry/configmaps/shop/web"]);
    expect(process.mirror.status.lagMs).toBe(0);
    gate.resolve();
    await bed.settle(3_000);

    expect(bed.objects()).toMatchObject({ [WEB]: "2" });
    expect(bed.debts()).toEqual({});
  });

  it("is removed when its source went while the call that made it was under way", async () => {
    const gate = Promise.withResolvers<void>();
    api.held = gate.promise;
    await bed.follow(options);
    await bed.put(WEB, { ...API, data: "1" });
    await bed.settle(2_000);
    await bed.delete(WEB);
    await bed.settle(2_000);

    gate.resolve();
    await bed.settle(5_000);

    expect(bed.objects()).toEqual({ "namespaces/shop": undefined });
    expect(bed.owned()).toEqual(["namespaces/shop"]);
    expect(bed.debts()).toEqual({});
  });

  it("comes again when its source is back while the call that removes it is under way", async () => {
    await bed.put(WEB, { ...API, data: "1" });
    await bed.follow(options);
    await bed.settle(2_000);
    const gate = Promise.withResolvers<void>();
    api.held = gate.promise;
    await bed.delete(WEB);
    await bed.settle(2_000);
    await bed.put(WEB, { ...API, data: "2" });
    await bed.settle(2_000);

    gate.resolve();
    await bed.settle(5_000);

    expect(api.calls).toEqual([
      "apply /registry/configmaps/shop/web",
      "remove /registry/configmaps/shop/web",
      "apply /registry/configmaps/shop/web",
    ]);
    expect(bed.objects()).toMatchObject({ [WEB]: "2" });
    expect(bed.debts()).toEqual({});
  });

  it("waits longer and longer for a name that is somebody else's, and has it once it is free", async () => {
    api.native.add("web");
    await bed.put(WEB, API);
    await bed.follow(options);

    await bed.settle(600_000);

    expect(bed.debts()).toEqual({ [WEB]: "occupied" });
    expect(api.calls.length).toBeLessThan(12);
    expect(bed.owned()).toEqual(["namespaces/shop"]);
    api.native.clear();
    await bed.settle(300_000);
    expect(bed.owned()).toEqual([WEB, "namespaces/shop"]);
    expect(bed.debts()).toEqual({});
  });

  it("is owed as drifted, told once, and goes on when what somebody changed is taken back", async () => {
    await bed.put(WEB, { ...API, data: "1" });
    const process = await bed.follow(options);
    await bed.settle(2_000);
    api.drifted.add("web");
    await bed.putInto(bed.destination, WEB, { ...API, data: "somebody's" });
    await bed.settle(600_000);

    expect(bed.debts()).toEqual({ [WEB]: "drifted" });
    expect(bed.objects()).toMatchObject({ [WEB]: "somebody's" });
    expect(process.mirror.status.drift).toMatchObject({ reported: 1, repaired: 0 });
    expect(api.calls.length).toBeLessThan(12);

    api.drifted.clear();
    await bed.settle(300_000);

    expect(bed.objects()).toMatchObject({ [WEB]: "1" });
    expect(bed.debts()).toEqual({});
  });

  it("starts no call once the fence may be another's", async () => {
    api.isDown = true;
    await bed.put(WEB, API);
    const process = await bed.follow(options);
    await bed.settle(1_000);

    process.kill();
    await bed.settle(60_000);
    const before = api.calls.length;
    await bed.settle(60_000);

    expect(api.calls.length).toBe(before);
  });
});

describe("a Namespace that leaves the rules", () => {
  const leave = (): Promise<bigint> => bed.put("namespaces/shop", { labels: {} });

  it("goes when only what controllers put there is left in it", async () => {
    await bed.put(WEB, RAW);
    await bed.follow(options);
    await bed.putInto(bed.destination, "configmaps/shop/kube-root-ca.crt");
    await bed.putInto(bed.destination, "events/shop/something");

    await bed.delete(WEB);
    await leave();
    await bed.settle(5_000);

    expect(api.calls).toEqual(["remove /registry/namespaces/shop"]);
    expect(bed.owned()).toEqual([]);
    expect(bed.debts()).toEqual({});
  });

  it("waits for what is ours in it", async () => {
    await bed.put(WEB, RAW);
    await bed.follow(options);

    await leave();
    await bed.settle(5_000);

    expect(api.calls).toEqual([]);
    expect(bed.debts()).toEqual({ "namespaces/shop": "via-api" });
  });

  it("waits a minute for what controllers made of ours, then counts it as somebody's", async () => {
    await bed.follow(options);
    const owner = { apiVersion: "v1", kind: "Service", name: "web", uid: "u", controller: true };
    const metadata = { ownerReferences: [owner] };
    await bed.putInto(bed.destination, "configmaps/shop/made", { metadata });

    await leave();
    await bed.settle(30_000);
    expect(bed.debts()).toEqual({ "namespaces/shop": "via-api" });
    await bed.settle(120_000);

    expect(api.calls).toEqual(["release /registry/namespaces/shop"]);
    expect(bed.debts()).toEqual({ "namespaces/shop": "not-empty" });
  });

  it("is released and kept when something else is in it, of a kind that nobody knows too", async () => {
    await bed.follow(options);
    await bed.putInto(bed.destination, "example.com/widgets/shop/one");

    await leave();
    await bed.settle(5_000);

    expect(api.calls).toEqual(["release /registry/namespaces/shop"]);
    expect(bed.debts()).toEqual({ "namespaces/shop": "not-empty" });
    expect(bed.objects()).toHaveProperty(["namespaces/shop"]);
  });

  it("is owed without an API server, and goes when there is one, after a restart", async () => {
    const first = await bed.follow();
    await leave();
    await bed.settle(5_000);
    const owed = bed.debts();
    await first.stop();

    await bed.follow({ api });
    await bed.settle(5_000);

    expect(owed).toEqual({ "namespaces/shop": "needs-api" });
    expect(api.calls).toEqual(["remove /registry/namespaces/shop"]);
    expect(bed.debts()).toEqual({});
  });

  it("is owed as not empty until somebody has removed it, after a restart too", async () => {
    const first = await bed.follow(options);
    await bed.putInto(bed.destination, "example.com/widgets/shop/one");
    await leave();
    await bed.settle(5_000);
    await first.stop();

    const second = await bed.follow(options);
    await bed.settle(60_000);
    const still = bed.debts();
    await second.stop();
    await bed.deleteFrom(bed.destination, "example.com/widgets/shop/one");
    await bed.deleteFrom(bed.destination, "namespaces/shop");
    await bed.follow(options);
    await bed.settle(60_000);

    expect(still).toEqual({ "namespaces/shop": "not-empty" });
    expect(bed.debts()).toEqual({});
  });
});
