import { describe, expect, it } from "vitest";
import type { Answer, Lateness } from "../../../webhook/admission-handler.js";
import { ask } from "../../../webhook/ask.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { reviewOf } from "../../fixtures/review.js";
import { service } from "../../fixtures/service.js";

const review = reviewOf(undefined, service("shop/web"));
const ALLOWED: Answer = { kind: "allowed" };
const write = (answer: Answer) => answer;

describe("ask", () => {
  it("answers within the call what comes from memory, without a timer", () => {
    const clock = new VirtualClock();

    const asked = ask(() => ALLOWED, review, { clock, budgetMs: 100, write });

    expect(asked).toEqual({ kind: "answered", result: ALLOWED });
    expect(clock.pending).toBe(0);
  });

  it("waits for a handler that is in time, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const answer = Promise.withResolvers<Answer>();

    const asked = ask(() => answer.promise, review, { clock, budgetMs: 100, write });
    await clock.advance(99);
    answer.resolve(ALLOWED);

    expect(await asked).toEqual({ kind: "answered", result: ALLOWED });
    expect(clock.pending).toBe(0);
  });

  it("does not wait for one that is late, tells it so, and does not mind what it says then", async () => {
    const clock = new VirtualClock();
    const answer = Promise.withResolvers<Answer>();
    const told: Lateness[] = [];

    const asked = ask(
      (_review, late) => {
        told.push(late);
        return answer.promise;
      },
      review,
      { clock, budgetMs: 100, write },
    );
    await clock.advance(100);

    expect(await asked).toEqual({ kind: "late" });
    expect(told.map(({ aborted }) => aborted)).toEqual([true]);
    answer.reject(new Error("too late"));
    await expect(answer.promise).rejects.toThrow("too late");
  });

  it("does not begin what cannot be in time any more", async () => {
    const handler = () => {
      throw new Error("asked");
    };

    expect(await ask(handler, review, { clock: new VirtualClock(), budgetMs: 0, write })).toEqual({
      kind: "late",
    });
  });

  it.each([
    ["throws", () => throwBroken()],
    ["rejects", async () => throwBroken()],
  ])("knows one that %s from one that is late", async (_, handler) => {
    const clock = new VirtualClock();

    const asked = await ask(handler, review, { clock, budgetMs: 100, write });

    expect(asked).toEqual({ kind: "failed", error: new Error("broken") });
    expect(clock.pending).toBe(0);
  });
});

function throwBroken(): never {
  throw new Error("broken");
}
