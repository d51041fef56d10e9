import { describe, expect, it } from "vitest";
import { drain } from "../../../../sidecar/commands/drain.js";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import type { DrainAnswer } from "../../../../src/ports/mirror-answers.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { settle } from "../../../fakes/settle.js";
import { debt, linkState, LinkScene, NEVER } from "../../../fixtures/link-scene.js";

/** A source with one write: its revision is 2. */
async function scene() {
  const link = new LinkScene();
  const source = new FakeEtcd(link.clock, { name: "source" });
  await source.txn(transaction([], [{ kind: "put", key: "/a", value: Buffer.from("b") }], []), {
    signal: NEVER,
  });
  const begin = (waitMs = 10_000): { answer: DrainAnswer | undefined } => {
    const told: { answer: DrainAnswer | undefined } = { answer: undefined };
    void drain({ source, books: link.books, clock: link.clock, waitMs }, NEVER).then((answer) => {
      told.answer = answer;
    });
    return told;
  };
  return { link, source, begin };
}

describe("drain", () => {
  it("waits until the checkpoint has reached what the source held at the beginning", async () => {
    const { link, source, begin } = await scene();
    await link.state(linkState({ applied: 1n }));
    await link.put([link.books.keys.fence, "pod-1"]);
    const told = begin();
    await link.clock.advance(5_000);
    expect(told.answer).toBeUndefined();

    await source.txn(transaction([], [{ kind: "delete", key: "/a" }], []), { signal: NEVER });
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
