import { describe, expect, it } from "vitest";
import { promote } from "../../../../sidecar/commands/promote.js";
import { resume } from "../../../../sidecar/commands/resume.js";
import { debt, linkState, LinkScene, NEVER } from "../../../fixtures/link-scene.js";

function promotion(scene: LinkScene) {
  return { books: scene.books, clock: scene.clock, by: "ann" };
}

describe("promote", () => {
  it("seals and takes the fence away in one transaction that compares the state as it was read", async () => {
    const scene = new LinkScene();
    const { keys } = scene.books;
    await scene.state(linkState());
    await scene.put([keys.fence, "pod-1"]);

    const answer = await promote(promotion(scene), NEVER);

    expect(answer).toEqual({
      kind: "promoted",
      before: undefined,
      appliedRevision: "100",
      dataAt: "2026-01-01T00:00:00.000Z",
      unfinished: false,
      debts: { count: 0, byCode: {}, first: [] },
      holder: "pod-1",
    });
    const writes = scene.etcd.takeTxns();
    expect(writes.map(({ then }) => then.map(({ kind, key }) => `${kind} ${key}`))).toEqual([
      ["put /svc-ferry/mirror/state", "delete /svc-ferry/mirror/fence"],
    ]);
    expect(writes[0]?.compare).toMatchObject([{ key: keys.state, target: "mod", is: "=" }]);
    expect(await scene.readState()).toEqual({
      ...linkState(),
      phase: "sealed",
      sealed: { by: "ann", atMs: scene.clock.now() },
    });
  });

  it("reads again when a checkpoint comes in between, so that nothing of it is undone", async () => {
    const scene = new LinkScene();
    await scene.state(linkState());
    const holder = scene.books.holder.bind(scene.books);
    let looks = 0;
    scene.books.holder = async (call) => {
      looks += 1;
      if (looks === 1) await scene.state(linkState({ applied: 101n }));
      return holder(call);
    };

    const answer = await promote(promotion(scene), NEVER);

    expect(answer).toMatchObject({ kind: "promoted", appliedRevision: "101" });
    expect(await scene.readState()).toMatchObject({ phase: "sealed", applied: 101n });
  });

  it("tells what is owed and that a pass had not ended", async () => {
    const scene = new LinkScene();
    await scene.state(
      linkState({ phase: "copy", pass: { cause: "first", startRevision: 1n, lastPath: "" } }),
    );
    await scene.debt("secrets/a/b", debt({ detail: "by a person" }));

    expect(await promote(promotion(scene), NEVER)).toMatchObject({
      unfinished: true,
      debts: {
        count: 1,
        byCode: { occupied: 1 },
        first: [{ path: "secrets/a/b", code: "occupied", detail: "by a person" }],
      },
    });
  });

  it("writes nothing when it is sealed already, and says by whom", async () => {
    const scene = new LinkScene();
    await scene.state(linkState({ phase: "sealed", sealed: { by: "bob", atMs: 0 } }));

    const answer = await promote(promotion(scene), NEVER);

    expect(answer).toMatchObject({ before: { by: "bob", at: "1970-01-01T00:00:00.000Z" } });
    expect(scene.etcd.takeTxns()).toEqual([]);
  });

  it("refuses a link that was never here, and names those that were", async () => {
    const scene = new LinkScene();
    await scene.put(["/svc-ferry/other/state", "x"], ["/svc-ferry/third/own/a", "x"]);

    const answer = await promote(promotion(scene), NEVER);

    expect(answer).toMatchObject({
      kind: "cannot",
      problem:
        "link mirror has never written into this destination; it knows these links: other, third",
    });
    expect(scene.etcd.takeTxns()).toEqual([]);
  });
});

describe("resume", () => {
  it("takes the seal off and makes the next mirror compare everything", async () => {
    const scene = new LinkScene();
    await scene.state(linkState({ phase: "sealed", sealed: { by: "bob", atMs: 0 } }));

    const answer = await resume(scene.books, NEVER);

    expect(answer).toEqual({
      kind: "resumed",
      before: { by: "bob", at: "1970-01-01T00:00:00.000Z" },
    });
    expect(await scene.readState()).toEqual(
      linkState({ phase: "copy", applied: undefined, epoch: "", sealed: undefined }),
    );
  });

  it("takes the fence from a mirror that waits at the seal, so that it looks again", async () => {
    const scene = new LinkScene();
    await scene.state(linkState({ phase: "sealed", sealed: { by: "bob", atMs: 0 } }));
    await scene.put([scene.books.keys.fence, "pod-1"]);

    await resume(scene.books, NEVER);

    expect(await scene.value(scene.books.keys.fence)).toBeUndefined();
  });

  it("does nothing to a link that is not sealed", async () => {
    const scene = new LinkScene();
    await scene.state(linkState());

    expect(await resume(scene.books, NEVER)).toMatchObject({ kind: "cannot" });
    expect(scene.etcd.takeTxns()).toEqual([]);
  });
});
