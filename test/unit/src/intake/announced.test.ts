import { describe, expect, it } from "vitest";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { Announced } from "../../../../src/intake/announced.js";
import type { Hint } from "../../../../src/ports/hint.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const KEY: ServiceKey = "shop/web";
const change: Hint = {
  service: KEY,
  operation: "update",
  changeId: "7",
  by: "ann",
  uid: "u-1",
  admittedAtMs: Date.parse("2026-01-01T00:00:00Z"),
};
const deletion: Hint = { ...change, operation: "delete", changeId: "u-1" };

describe("Announced", () => {
  it("knows a change by its id, and only of that Service", () => {
    const announced = new Announced(new VirtualClock());

    announced.remember(change);

    expect([
      announced.has(KEY, "7"),
      announced.has(KEY, "8"),
      announced.has("shop/api", "7"),
    ]).toEqual([true, false, false]);
  });

  it("knows who deleted an object, and not who deleted the one before it under the same name", () => {
    const announced = new Announced(new VirtualClock());

    announced.remember(deletion);

    expect(announced.deleterOf(KEY, "u-1")).toEqual({
      kind: "known",
      change: { id: "u-1", by: "ann", at: "2026-01-01T00:00:00.000Z" },
    });
    expect(announced.deleterOf(KEY, "u-0")).toEqual({ kind: "unknown", last: undefined });
  });

  it("forgets when the API server has given up the request", async () => {
    const clock = new VirtualClock();
    const announced = new Announced(clock);
    announced.remember(change);
    announced.remember(deletion);

    await clock.advance(65_000);

    expect(announced.has(KEY, "7")).toBe(false);
    expect(announced.deleterOf(KEY, "u-1").kind).toBe("unknown");
  });

  it("says who deleted an object as soon as that is heard, or that nobody said it in time", async () => {
    const clock = new VirtualClock();
    const announced = new Announced(clock);
    const { signal } = new AbortController();

    const heard = announced.deleterWithin(KEY, "u-1", clock.sleep(1_000, signal));
    const unheard = announced.deleterWithin(KEY, "u-2", clock.sleep(1_000, signal));
    announced.remember(deletion);
    const soon = await heard;
    await clock.advance(1_000);

    expect(soon).toMatchObject({ kind: "known", change: { by: "ann" } });
    expect(await unheard).toEqual({ kind: "unknown", last: undefined });
  });

  it("tells each of two destinations that wait for the same", async () => {
    const clock = new VirtualClock();
    const announced = new Announced(clock);
    const { signal } = new AbortController();
    const waiting = [3_000, 5_000].map((limitMs) =>
      announced.deleterWithin(KEY, "u-1", clock.sleep(limitMs, signal)),
    );

    announced.remember(deletion);

    await expect(Promise.all(waiting)).resolves.toMatchObject([
      { kind: "known", change: { by: "ann" } },
      { kind: "known", change: { by: "ann" } },
    ]);
  });
});
