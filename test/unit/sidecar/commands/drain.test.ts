import { describe, expect, it } from "vitest";
import { drain } from "../../../../sidecar/commands/drain.js";
import type { TxnOp } from "../../../../sidecar/etcd/etcd.js";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import type { DrainAnswer } from "../../../../src/ports/mirror-answers.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { settle } from "../../../fakes/settle.js";
import { debt, linkState, LinkScene, NEVER } from "../../../fixtures/link-scene.js";

const A = "/registry/configmaps/shop/a";

/** A source with one write that is mirrored: its revision is 2. */
async function scene() {
  const link = new LinkScene();
  const source = new FakeEtcd(link.clock, { name: "source" });
  const write = async (...ops: readonly TxnOp[]): Promise<void> => {
    await source.txn(transaction([], ops, []), { signal: NEVER });
  };
  await write(put(A));
  const begin = (waitMs = 10_000): { answer: DrainAnswer | undefined } => {
    const told: { answer: DrainAnswer | undefined } = { answer: undefined };
    const { books, clock } = link;
    const draining = { source, sourcePrefix: "/registry/", books, clock, waitMs };
    void drain(draining, NEVER).then((answer) => {
      told.answer = answer;
    });
    return told;
  };
  /** What drain says while the checkpoint of a running mirror stands at 2, and once it is at 3. */
  const overCheckpoint = async () => {
    await link.state(linkState({ applied: 2n }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();
    await link.clock.advance(5_000);
    const before = told.answer;
    await link.state(linkState({ applied: 3n }));
    await link.clock.advance(500);
    return { before, after: told.answer };
  };
  return { link, source, write, begin, overCheckpoint };
}

function put(key: string): TxnOp {
  return { kind: "put", key, value: Buffer.from("value") };
}

describe("drain", () => {
  it("waits until the checkpoint has reached what the source held at the beginning", async () => {
    const { link, write, begin } = await scene();
    await link.state(linkState({ applied: 1n }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();
    await link.clock.advance(5_000);
    expect(told.answer).toBeUndefined();

    await write({ kind: "delete", key: A });
    await link.state(linkState({ applied: 2n }));
    await link.debt("secrets/a/b", debt());
    await link.clock.advance(500);

    expect(told.answer).toMatchObject({
      kind: "drained",
      sourceRevision: "2",
      appliedRevision: "2",
      debts: { count: 1 },
    });
  });

  it("is done when only what no mirror watches was written after the checkpoint", async () => {
    const { link, write, begin } = await scene();
    await write(put("compact_rev_key"));
    await write(put("/svc-ferry/other/state"));
    await link.state(linkState({ applied: 2n }));
    const told = begin();

    await settle();

    expect(told.answer).toMatchObject({
      kind: "drained",
      sourceRevision: "4",
      appliedRevision: "2",
    });
  });

  it.each<[string, TxnOp]>([
    ["was made", put("/registry/configmaps/shop/new")],
    ["was changed", put(A)],
    ["was deleted", { kind: "delete", key: A }],
  ])("waits for the checkpoint when something that a mirror watches %s after it", async (_, op) => {
    const { write, overCheckpoint } = await scene();
    await write(op);
    await write(put("compact_rev_key"));

    const { before, after } = await overCheckpoint();

    expect(before).toBeUndefined();
    expect(after).toMatchObject({
      kind: "drained",
      sourceRevision: "4",
      appliedRevision: "3",
    });
  });

  it("waits for the checkpoint when the source has compacted what it would be compared with", async () => {
    const { source, write, overCheckpoint } = await scene();
    await write(put("compact_rev_key"));
    await source.compact(3n, { signal: NEVER });

    const { before, after } = await overCheckpoint();

    expect(before).toBeUndefined();
    expect(after).toMatchObject({ kind: "drained", appliedRevision: "3" });
  });

  it("asks a source that did not answer again", async () => {
    const { link, source, write, begin } = await scene();
    await write(put("compact_rev_key"));
    await link.state(linkState({ applied: 2n }));
    const told = begin();
    source.setOutage(true);
    await link.clock.advance(1_000);
    expect(told.answer).toBeUndefined();

    source.setOutage(false);
    await link.clock.advance(500);

    expect(told.answer).toMatchObject({ kind: "drained", appliedRevision: "2" });
  });

  it("waits for a pass that other rules have asked for: the checkpoint says nothing of what they want", async () => {
    const { link, begin } = await scene();
    const pass = { cause: "reload", startRevision: 2n, lastPath: "" } as const;
    await link.state(linkState({ applied: 2n, pass }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();

    await link.clock.advance(5_000);
    const before = told.answer;
    await link.state(linkState({ applied: 2n }));
    await link.clock.advance(500);

    expect(before).toBeUndefined();
    expect(told.answer).toMatchObject({ kind: "drained", appliedRevision: "2" });
  });

  it("says which pass it has waited for", async () => {
    const { link, begin } = await scene();
    const pass = { cause: "reload", startRevision: 2n, lastPath: "configmaps/a" } as const;
    await link.state(linkState({ applied: 2n, pass }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();

    await link.clock.advance(11_000);

    expect(told.answer).toMatchObject({ kind: "behind", appliedRevision: "2", pass: "reload" });
  });

  it("does not wait for the daily comparison", async () => {
    const { link, begin } = await scene();
    const pass = { cause: "verify", startRevision: 2n, lastPath: "" } as const;
    await link.state(linkState({ applied: 2n, pass }));
    const told = begin();

    await settle();

    expect(told.answer).toMatchObject({ kind: "drained" });
  });

  it("does not take a revision for applied while a pass runs", async () => {
    const { link, begin } = await scene();
    const pass = { cause: "first", startRevision: 2n, lastPath: "" } as const;
    await link.state(linkState({ phase: "copy", applied: 2n, pass }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();

    await link.clock.advance(11_000);

    expect(told.answer).toMatchObject({ kind: "behind", sourceRevision: "2" });
  });

  it("says when there is no mirror to wait for", async () => {
    const { link, begin } = await scene();
    await link.state(linkState({ applied: 1n }));
    const told = begin(1_000);

    await link.clock.advance(2_000);

    expect(told.answer).toMatchObject({
      kind: "cannot",
      problem: "no mirror of link mirror is running",
    });
  });

  it("looks once with --wait=0", async () => {
    const { link, begin } = await scene();
    await link.state(linkState({ applied: 2n }));
    const told = begin(0);

    await settle();

    expect(told.answer).toMatchObject({ kind: "drained" });
  });

  it("has nothing to wait for in a sealed link", async () => {
    const { link, begin } = await scene();
    await link.state(linkState({ phase: "sealed", sealed: { by: "ann", atMs: 0 } }));
    const told = begin();

    await settle();

    expect(told.answer).toMatchObject({ kind: "cannot", problem: "link mirror is sealed" });
  });
});
