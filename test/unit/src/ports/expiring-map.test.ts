import { describe, expect, it } from "vitest";
import { ExpiringMap } from "../../../../src/ports/expiring-map.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

describe("ExpiringMap", () => {
  it("forgets after its time, counted from the last set", async () => {
    const clock = new VirtualClock();
    const map = new ExpiringMap<number>({ clock, keepMs: 100, maxEntries: 10 });

    map.set("a", 1);
    await clock.advance(60);
    map.set("a", 2);
    await clock.advance(99);
    const within = map.get("a");
    await clock.advance(1);

    expect([within, map.get("a"), map.get("b")]).toEqual([2, undefined, undefined]);
  });

  it("forgets the oldest when it is full", () => {
    const map = new ExpiringMap<number>({ clock: new VirtualClock(), keepMs: 100, maxEntries: 2 });

    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    map.set("c", 4);

    expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([3, undefined, 4]);
  });
});
