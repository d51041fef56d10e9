import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { ferryView } from "../../../../../src/telemetry/page/ferry-view.js";
import { parseQuery } from "../../../../../src/telemetry/page/page-query.js";
import type { PageView } from "../../../../../src/telemetry/page/page-view.js";
import { type Viewer, Viewers } from "../../../../../src/telemetry/page/viewers.js";
import { VirtualClock } from "../../../../fakes/virtual-clock.js";
import { serviceStatus, statusOfLeader } from "../../../../fixtures/status-reports.js";

/** A browser that takes what it is given, until it does not. */
class FakeViewer extends EventEmitter implements Viewer {
  writableNeedDrain = false;
  isGone = false;
  readonly texts: string[] = [];

  write(text: string): void {
    this.texts.push(text);
  }

  destroy(): void {
    this.isGone = true;
    this.emit("close");
  }

  /** "view" or "beat", in the order of their arrival. */
  get events(): readonly string[] {
    return this.texts.map((text) => text.slice("event: ".length, text.indexOf("\n")));
  }
}

function viewOf(name: string): PageView {
  return ferryView(statusOfLeader({ services: [serviceStatus(name)] }), [], parseQuery({}));
}

describe("a viewer", () => {
  it("hears nothing twice, and a beat when there is nothing to hear", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    void new Viewers(clock).serve(viewer, () => viewOf("web"));

    await clock.advance(29_000);

    expect(viewer.events).toEqual(["view", "beat"]);
  });

  it("hears of a change within a quarter of a second", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    let name = "web";
    void new Viewers(clock).serve(viewer, () => viewOf(name));
    await clock.advance(1_000);

    name = "cart";
    await clock.advance(250);

    expect(viewer.events).toEqual(["view", "view"]);
    expect(viewer.texts[1]).toContain("shop/cart");
  });

  it("that takes nothing gets everything that it missed in one piece", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    let name = "web";
    void new Viewers(clock).serve(viewer, () => viewOf(name));
    await clock.advance(1_000);
    viewer.writableNeedDrain = true;
    for (name of ["a", "b", "c"]) await clock.advance(1_000);
    const whileStuck = viewer.texts.length;

    viewer.writableNeedDrain = false;
    await clock.advance(1_000);

    expect(whileStuck).toBe(1);
    expect(viewer.texts.slice(1)).toHaveLength(1);
    expect(viewer.texts[1]).toContain("shop/c");
  });

  it("that takes nothing for half a minute is let go", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    const serving = new Viewers(clock).serve(viewer, () => viewOf("web"));
    await clock.advance(1_000);

    viewer.writableNeedDrain = true;
    await clock.advance(31_000);

    await serving;
    expect(viewer.isGone).toBe(true);
  });

  it("that has closed costs no look any more", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    let looks = 0;
    const serving = new Viewers(clock).serve(viewer, () => {
      looks += 1;
      return viewOf("web");
    });
    await clock.advance(1_000);

    viewer.emit("close");
    await serving;
    const before = looks;
    await clock.advance(60_000);

    expect(before).toBeGreaterThan(1);
    expect(looks).toBe(before);
  });

  it("whose look had to wait for another replica is not left alone for longer than five seconds", async () => {
    const [clock, viewer] = [new VirtualClock(), new FakeViewer()];
    let looks = 0;
    void new Viewers(clock).serve(viewer, async () => {
      looks += 1;
      await clock.sleep(2_000, new AbortController().signal);
      return viewOf(`web-${looks}`);
    });

    await clock.advance(22_000);

    expect(looks).toBe(4);
  });

  it("leaves its place to another when it closes", async () => {
    const viewers = new Viewers(new VirtualClock());
    const sixteen = Array.from({ length: 16 }, () => new FakeViewer());
    const serving = sixteen.map(async (viewer) => viewers.serve(viewer, () => viewOf("web")));
    const wasFull = viewers.isFull;

    sixteen[0]?.emit("close");
    await serving[0];

    expect([wasFull, viewers.isFull]).toEqual([true, false]);
  });
});
