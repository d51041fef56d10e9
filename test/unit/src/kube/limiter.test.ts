import { describe, expect, it } from "vitest";
import { Limiter } from "../../../../src/kube/limiter.js";
import type { Priority } from "../../../../src/ports/kube-api.js";
import { never } from "./fixture/opened.js";

/** Takes a turn and notes the name when it comes. */
function queueUp(limiter: Limiter, order: string[], priority: Priority, name: string) {
  return limiter.take(priority, never).then(() => order.push(name));
}

describe("Limiter", () => {
  it("gives free turns to live before bulk before event, first come first served in each", async () => {
    const limiter = new Limiter(1);
    const order: string[] = [];
    await limiter.take("live", never);
    const waiting = [
      queueUp(limiter, order, "event", "event 1"),
      queueUp(limiter, order, "bulk", "bulk 1"),
      queueUp(limiter, order, "live", "live 1"),
      queueUp(limiter, order, "bulk", "bulk 2"),
      queueUp(limiter, order, "live", "live 2"),
    ];

    waiting.forEach(() => limiter.giveBack());
    await Promise.all(waiting);

    expect(order).toEqual(["live 1", "live 2", "bulk 1", "bulk 2", "event 1"]);
  });

  it("has as many turns as it was made with, and they come back", async () => {
    const limiter = new Limiter(2);
    await limiter.take("live", never);
    await limiter.take("live", never);
    const order: string[] = [];
    const third = queueUp(limiter, order, "live", "third");
    await Promise.resolve();
    expect(order).toEqual([]);

    limiter.giveBack();
    await third;

    expect(order).toEqual(["third"]);
  });

  it("takes a waiter whose signal aborts out of the line and passes its turn to the next", async () => {
    const limiter = new Limiter(1);
    await limiter.take("live", never);
    const stop = new AbortController();
    const leaver = limiter.take("live", stop.signal);
    const stayer = limiter.take("live", never);

    stop.abort();
    limiter.giveBack();

    expect(await leaver).toBe(false);
    expect(await stayer).toBe(true);
  });

  it("gives nothing to a signal that has aborted already", async () => {
    const limiter = new Limiter(1);

    expect(await limiter.take("live", AbortSignal.abort())).toBe(false);
    expect(await limiter.take("live", never)).toBe(true);
  });

  it("serves a thousand waiters in order", async () => {
    const limiter = new Limiter(1);
    await limiter.take("live", never);
    const order: number[] = [];
    const expected = Array.from({ length: 1000 }, (_, index) => index);
    const waiting = expected.map((n) => limiter.take("bulk", never).then(() => order.push(n)));

    waiting.forEach(() => limiter.giveBack());
    await Promise.all(waiting);

    expect(order).toEqual(expected);
  });
});
