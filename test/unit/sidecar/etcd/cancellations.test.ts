import { describe, expect, it } from "vitest";
import { Cancellations } from "../../../../sidecar/etcd/cancellations.js";

describe("the calls of one signal", () => {
  it("are all cancelled when it aborts, but for those that have ended", () => {
    const cancellations = new Cancellations();
    const { signal, other } = { signal: new AbortController(), other: new AbortController() };
    const cancelled: string[] = [];
    cancellations.add(signal.signal, () => cancelled.push("first"));
    const ended = cancellations.add(signal.signal, () => cancelled.push("ended"));
    cancellations.add(other.signal, () => cancelled.push("of another signal"));
    cancellations.add(signal.signal, () => cancelled.push("last"));
    ended();

    signal.abort();

    expect(cancelled).toEqual(["first", "last"]);
  });

  it("may end while they are cancelled", () => {
    const cancellations = new Cancellations();
    const { signal, abort } = controlled();
    const cancelled: number[] = [];
    const ends = [0, 1, 2].map((at) =>
      cancellations.add(signal, () => {
        cancelled.push(at);
        ends[at]?.();
      }),
    );

    abort();

    expect(cancelled).toEqual([0, 1, 2]);
  });

  it("are cancelled also when others of it came and went before", () => {
    const cancellations = new Cancellations();
    const { signal, abort } = controlled();
    const cancelled: string[] = [];
    cancellations.add(signal, () => cancelled.push("gone"))();
    cancellations.add(signal, () => cancelled.push("here"));

    abort();

    expect(cancelled).toEqual(["here"]);
  });
});

function controlled(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
