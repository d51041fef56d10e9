import { describe, expect, it } from "vitest";
import { Convergence, type EndedPass } from "../../../../sidecar/pass/convergence.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const FIRST: EndedPass = { cause: "first", startedMs: 0, endedMs: 100_000, written: 10_000 };
const SECOND = compacted(100_000, 150_000, 5_000);
const THIRD = compacted(150_000, 200_000, 5_000);

function compacted(startedMs: number, endedMs: number, written: number): EndedPass {
  return { cause: "compacted", startedMs, endedMs, written };
}

describe("Convergence", () => {
  it("says nothing as long as each pass has less to copy than the one before", () => {
    const convergence = new Convergence(new VirtualClock());

    convergence.ended(FIRST);
    convergence.ended(SECOND);

    expect(convergence.tooSlow).toBeUndefined();
  });

  it("tells both rates when a pass has as much to copy as the one before", () => {
    const convergence = new Convergence(new VirtualClock());

    convergence.ended(FIRST);
    convergence.ended(SECOND);
    convergence.follows();
    convergence.ended(THIRD);

    expect(convergence.tooSlow).toEqual({ sourcePerSecond: 50, destinationPerSecond: 100 });
  });

  it("is content again when a pass shrinks, or the source was followed for a minute", async () => {
    const clock = new VirtualClock();
    const convergence = new Convergence(clock);
    convergence.ended(SECOND);
    convergence.ended(THIRD);
    const slow = convergence.tooSlow !== undefined;

    convergence.follows();
    await clock.advance(59_000);
    const stillSlow = convergence.tooSlow !== undefined;
    await clock.advance(1_000);
    const followed = convergence.tooSlow;
    convergence.ended(compacted(150_000, 200_000, 9_000));

    expect([slow, stillSlow, followed]).toEqual([true, true, undefined]);
    expect(convergence.tooSlow).toBeUndefined();
  });
});
