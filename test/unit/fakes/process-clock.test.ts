import { describe, expect, it } from "vitest";
import { ProcessClock } from "../../fakes/process-clock.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";

const setUp = (): { world: VirtualClock; process: ProcessClock; ran: string[] } => {
  const world = new VirtualClock();
  return { world, process: new ProcessClock(world, 300_000), ran: [] };
};

describe("ProcessClock", () => {
  it("skews the wall clock and nothing else", async () => {
    const { world, process } = setUp();

    await world.advance(10);

    expect(process.now() - world.now()).toBe(300_000);
    expect(process.monotonicMs()).toBe(10);
  });

  it("runs nothing while it is frozen, and all in order once it is thawed", async () => {
    const { world, process, ran } = setUp();
    process.schedule(1, () => ran.push(`a ${process.monotonicMs()}`));
    process.schedule(2, () => ran.push(`b ${process.monotonicMs()}`));

    process.freeze();
    await world.advance(50);
    const whileFrozen = [...ran];
    process.thaw();
    process.schedule(0, () => ran.push(`c ${process.monotonicMs()}`));
    await world.advance(0);

    expect(whileFrozen).toEqual([]);
    expect(ran).toEqual(["a 50", "b 50", "c 50"]);
  });

  it("keeps what is left when it is frozen again in the middle of the backlog", async () => {
    const { world, process, ran } = setUp();
    process.schedule(1, () => {
      ran.push("a");
      process.freeze();
    });
    process.schedule(1, () => ran.push("b"));
    process.freeze();
    await world.advance(5);

    process.thaw();
    await world.advance(5);
    const first = [...ran];
    process.thaw();
    await world.advance(5);

    expect(first).toEqual(["a"]);
    expect(ran).toEqual(["a", "b"]);
  });

  it("never runs anything again once it is killed", async () => {
    const { world, process, ran } = setUp();
    process.schedule(1, () => ran.push("a"));

    process.kill();
    process.thaw();
    await world.advance(10);

    expect(ran).toEqual([]);
  });

  it("does not run what is cancelled while it waits in the backlog", async () => {
    const { world, process, ran } = setUp();
    const cancel = process.schedule(1, () => ran.push("a"));
    process.freeze();
    await world.advance(5);

    cancel();
    process.thaw();
    await world.advance(5);

    expect(ran).toEqual([]);
  });
});
