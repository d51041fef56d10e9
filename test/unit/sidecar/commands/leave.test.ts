import { describe, expect, it } from "vitest";
import { leave, type Leaving } from "../../../../sidecar/commands/leave.js";
import { LinkBooks } from "../../../../sidecar/commands/link-books.js";
import type { LeaveAnswer } from "../../../../src/ports/mirror-answers.js";
import { FakeApiWriter } from "../../../fakes/fake-api-writer.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { NEVER } from "../../../fixtures/link-scene.js";
import { type BedOptions, LABELLED, MirrorBed } from "../../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };

/** A mirror has copied three objects and has ended. */
async function scene(options: (bed: MirrorBed) => BedOptions = () => ({})) {
  const bed = new MirrorBed();
  await bed.put("namespaces/shop", YES);
  await bed.put("configmaps/shop/web", YES);
  await bed.put("configmaps/shop/touched", YES);
  const process = await bed.follow(options(bed));
  const books = new LinkBooks(bed.destination, "east");
  const go = async (how: Leaving["how"]): Promise<LeaveAnswer> => {
    const { clock } = bed;
    const work = leave(
      { books, clock, log: SILENT_LOG, kubePrefix: "/registry", identity: "ann", how },
      NEVER,
    );
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    await clock.runUntil(() => isDone);
    return work;
  };
  const ours = (): readonly string[] =>
    bed.destination.store
      .range({ key: "/svc-ferry/", rangeEnd: "/svc-ferry0" })
      .kvs.map(({ key }) => key);
  return { bed, process, go, ours };
}

describe("leave", () => {
  it("takes every key of ours with it and leaves the objects, with keep", async () => {
    const { bed, process, go, ours } = await scene();
    await process.stop();
    bed.takeWrites();

    const answer = await go("keep");

    expect(answer).toEqual({
      kind: "left",
      owned: 3,
      removed: 0,
      marked: 0,
      stayed: [],
      stayedMore: 0,
    });
    expect(bed.takeWrites()).toEqual([]);
    expect(ours()).toEqual([]);
  });

  it("removes what nobody has touched, one object in one transaction, with remove", async () => {
    const { bed, process, go, ours } = await scene();
    await process.stop();
    await bed.putInto(bed.destination, "configmaps/shop/touched", { data: "a person's" });
    bed.destination.takeTxns();

    const answer = await go("remove");

    expect(answer).toEqual({
      kind: "left",
      owned: 3,
      removed: 1,
      marked: 0,
      stayed: [
        { path: "configmaps/shop/touched", why: "somebody has written it since the mirror did" },
        {
          path: "namespaces/shop",
          why: "only the destination's API server may delete it: kubectl delete",
        },
      ],
      stayedMore: 0,
    });
    expect(bed.takeWrites()).toEqual(["delete configmaps/shop/web"]);
    expect(Object.keys(bed.objects())).toEqual(["configmaps/shop/touched", "namespaces/shop"]);
    expect(ours()).toEqual([]);
  });

  it("says how many were written through the API server: their mark stays, and so do they", async () => {
    const rules = LABELLED.replace("secondary:\n    - {", "secondary:\n    - { via: api,");
    const { bed, process, go } = await scene((made) => ({
      rules,
      api: new FakeApiWriter(made.destination),
    }));
    await bed.settle(5_000);
    await process.stop();

    const answer = await go("keep");

    expect(answer).toMatchObject({ kind: "left", owned: 3, removed: 0, marked: 2, stayed: [] });
  });

  it("does nothing while a mirror holds the fence, and says who", async () => {
    const { bed, process, go, ours } = await scene();
    const before = ours();
    bed.takeWrites();

    const answer = await go("remove");

    expect(answer).toMatchObject({ kind: "cannot" });
    expect(JSON.stringify(answer)).toContain("pod-1");
    expect(bed.takeWrites()).toEqual([]);
    expect(ours()).toEqual(before);
    await process.stop();
  });

  it("does nothing for a link that was never here", async () => {
    const { bed } = await scene();
    const books = new LinkBooks(bed.destination, "west");

    const answer = await leave(
      {
        books,
        clock: bed.clock,
        log: SILENT_LOG,
        kubePrefix: "/registry",
        identity: "ann",
        how: "keep",
      },
      NEVER,
    );

    expect(answer).toMatchObject({ kind: "cannot" });
    expect(JSON.stringify(answer)).toContain("east");
  });
});
