import { describe, expect, it } from "vitest";
import { LinkBooks } from "../../../../sidecar/commands/link-books.js";
import { releaseBrake } from "../../../../sidecar/commands/release-brake.js";
import { Keyspace } from "../../../../sidecar/link/keyspace.js";
import { followRequests, releaseBrakeKey } from "../../../../sidecar/link/requests.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { NEVER } from "../../../fixtures/link-scene.js";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const NO = { labels: { mirror: "no" } };
const COUNT = 20;

/** Twenty mirrored objects have lost their label at once, and the brake holds the deletions that it does not let pass. */
async function scene() {
  const bed = new MirrorBed();
  await bed.put("namespaces/shop", YES);
  for (let at = 0; at < COUNT; at += 1) await bed.put(`configmaps/shop/c${at}`, YES);
  const process = await bed.follow();
  for (let at = 0; at < COUNT; at += 1) await bed.put(`configmaps/shop/c${at}`, NO);
  await bed.settle();
  const books = new LinkBooks(bed.destination, "east");
  const held = Object.values(bed.debts()).filter((code) => code === "braked").length;
  return { bed, process, books, held };
}

describe("release-brake", () => {
  it("asks whoever holds the fence, which lets the deletions pass within seconds", async () => {
    const { bed, process, books, held } = await scene();
    const { clock, destination: etcd } = bed;
    const keys = new Keyspace("east");
    const stop = new AbortController();
    const log = SILENT_LOG;
    const following = followRequests({ etcd, keys, link: process.mirror, clock, log }, stop.signal);
    expect(held).toBeGreaterThan(0);

    const answer = await releaseBrake(books, "ann", NEVER);
    await bed.settle(10_000);

    expect(answer).toEqual({ kind: "released", held, holder: "pod-1" });
    expect(Object.keys(bed.objects())).toEqual(["namespaces/shop"]);
    expect(bed.debts()).toEqual({});
    expect(etcd.store.get(releaseBrakeKey(keys))).toBeUndefined();
    stop.abort();
    await following;
  });

  it("releases nothing that is held later, where what was held was let go already", async () => {
    const { bed, process, books } = await scene();
    const { clock, destination: etcd } = bed;
    const { mirror: link } = process;
    const stop = new AbortController();
    const parts = { etcd, keys: new Keyspace("east"), link, clock, log: SILENT_LOG };
    const following = followRequests(parts, stop.signal);
    await releaseBrake(books, "ann", NEVER);
    link.releaseBrake();
    await bed.settle(60_000);
    for (let at = 0; at < COUNT; at += 1) await bed.put(`configmaps/shop/d${at}`, YES);
    await bed.settle();

    for (let at = 0; at < COUNT; at += 1) await bed.put(`configmaps/shop/d${at}`, NO);
    await bed.settle(60_000);

    expect(link.status.brake.engaged).toBe(true);
    stop.abort();
    await following;
  });

  it("has nothing to do where the brake holds nothing", async () => {
    const bed = new MirrorBed();
    await bed.follow();
    const books = new LinkBooks(bed.destination, "east");
    bed.destination.takeTxns();

    expect(await releaseBrake(books, "ann", NEVER)).toEqual({ kind: "not-braked" });
    expect(bed.destination.takeTxns()).toEqual([]);
  });

  it("leaves the request where it is while the fence is not ours: the next holder finds it", async () => {
    const { bed, process, books } = await scene();
    const { clock, destination: etcd } = bed;
    await process.stop();
    const keys = new Keyspace("east");
    const stop = new AbortController();
    const link = process.mirror;
    const following = followRequests({ etcd, keys, link, clock, log: SILENT_LOG }, stop.signal);

    const answer = await releaseBrake(books, "ann", NEVER);
    await bed.settle(10_000);

    expect(answer).toMatchObject({ kind: "released", holder: undefined });
    expect(etcd.store.get(releaseBrakeKey(keys))).toBeDefined();
    stop.abort();
    await following;
  });
});
