import { describe, expect, it } from "vitest";
import { WorkQueue } from "../../../../src/queue/work-queue.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const never = new AbortController().signal;
const live = { priority: "live" } as const;
const bulk = { priority: "bulk" } as const;

function given(random = 0) {
  const clock = new VirtualClock();
  const queue = new WorkQueue<string, readonly string[]>({
    clock,
    random: { next: () => random, id: () => "" },
    mergeNotes: (older, newer) => [...older, ...newer],
  });
  /** The key that a worker would get now; undefined: it would have to wait. */
  const takeNow = async () => {
    const stop = new AbortController();
    const taken = queue.take(stop.signal);
    stop.abort();
    return taken;
  };
  const keysNow = async () => {
    const keys: string[] = [];
    for (let item = await takeNow(); item !== undefined; item = await takeNow())
      keys.push(item.key);
    return keys;
  };
  const counts = () => ({ size: queue.size, waiting: queue.waiting, inFlight: queue.inFlight });
  return { clock, queue, takeNow, keysNow, counts };
}

describe("WorkQueue", () => {
  it("hands a key out once however often it was added, with the notes merged in order", async () => {
    const { queue, takeNow, counts } = given();

    queue.add("a", { ...live, note: ["1"] });
    queue.add("a", live);
    queue.add("a", { ...bulk, note: ["2"] });

    expect(await takeNow()).toMatchObject({ key: "a", note: ["1", "2"], priority: "live" });
    expect(await takeNow()).toBeUndefined();
    expect(counts()).toEqual({ size: 0, waiting: 0, inFlight: 1 });
  });

  it("drops a key that waits or is ready, with its timer, and leaves one alone that is in flight", async () => {
    const { clock, queue, keysNow, counts } = given();
    queue.add("in-flight", live);
    await keysNow();
    queue.add("ready", live);
    queue.addAfter("waiting", 100, live);

    for (const key of ["in-flight", "ready", "waiting", "unknown"]) queue.drop(key);
    await clock.advance(1_000);

    expect(counts()).toEqual({ size: 0, waiting: 0, inFlight: 1 });
    expect(await keysNow()).toEqual([]);
  });

  it("hands out live keys before bulk ones, each in the order in which they were added", async () => {
    const { queue, keysNow } = given();

    queue.add("bulk-1", bulk);
    queue.add("live-1", live);
    queue.add("bulk-2", bulk);
    queue.add("live-2", live);

    expect(await keysNow()).toEqual(["live-1", "live-2", "bulk-1", "bulk-2"]);
  });

  it("promotes a bulk key when a live change of it comes", async () => {
    const { queue, keysNow } = given();
    queue.add("a", bulk);
    queue.add("b", bulk);
    queue.add("c", bulk);

    queue.add("b", live);

    expect(await keysNow()).toEqual(["b", "a", "c"]);
  });

  it("hands out one bulk key after 32 live ones, so that a flood of changes does not stop a resync", async () => {
    const { queue, keysNow } = given();
    queue.add("bulk", bulk);
    for (let index = 0; index < 100; index += 1) queue.add(`live-${index}`, live);

    const keys = await keysNow();

    expect(keys.indexOf("bulk")).toBe(32);
    expect(keys).toHaveLength(101);
  });

  it("keeps a key that is added while in flight until it is done, then hands it out with the new note", async () => {
    const { queue, takeNow } = given();
    queue.add("a", { ...live, note: ["1"] });
    await takeNow();

    queue.add("a", { ...live, note: ["2"] });
    const during = await takeNow();
    queue.done("a");
    const after = await takeNow();

    expect(during).toBeUndefined();
    expect(after).toMatchObject({ key: "a", note: ["2"], failures: 0 });
  });

  it("gives an added key to the worker that has waited longest", async () => {
    const { queue } = given();
    const first = queue.take(never);
    const second = queue.take(never);

    queue.add("a", live);
    queue.add("b", live);

    expect([(await first)?.key, (await second)?.key]).toEqual(["a", "b"]);
  });

  it("leaves the key to the next worker when one stops waiting", async () => {
    const { queue } = given();
    const stop = new AbortController();
    const stopped = queue.take(stop.signal);
    const waiting = queue.take(never);

    stop.abort();
    queue.add("a", live);

    expect(await stopped).toBeUndefined();
    expect((await waiting)?.key).toBe("a");
  });

  it("doubles the backoff with each failure, up to 30 s, and keeps the note and the time of the first add", async () => {
    const { clock, queue, takeNow } = given();
    queue.add("a", { ...live, note: ["1"] });
    const first = await takeNow();
    const backoffs: number[] = [];

    for (let attempt = 0; attempt < 15; attempt += 1) {
      const failedAtMs = clock.monotonicMs();
      queue.retry("a");
      const taken = queue.take(never).then(() => backoffs.push(clock.monotonicMs() - failedAtMs));
      await clock.advance(30_000);
      await taken;
    }
    queue.retry("a");
    await clock.advance(30_000);

    expect(backoffs).toEqual([
      5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 30_000, 30_000,
    ]);
    expect(await takeNow()).toMatchObject({
      note: ["1"],
      addedAtMs: first?.addedAtMs,
      failures: 16,
    });
  });

  it("waits exactly the first backoff after the first failure", async () => {
    const { clock, queue, keysNow } = given();
    queue.add("a", live);
    await keysNow();
    queue.retry("a");

    await clock.advance(4);
    const early = await keysNow();
    await clock.advance(1);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
  });

  it("shortens a backoff by at most half as jitter", async () => {
    const { clock, queue, keysNow } = given(0.999_999);
    queue.add("a", live);
    await keysNow();
    queue.retry("a");

    await clock.advance(2.5);
    const early = await keysNow();
    await clock.advance(0.1);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
  });

  it("ends an ordinary backoff when a live change comes, and still counts the failures", async () => {
    const { queue, takeNow } = given();
    queue.add("a", live);
    await takeNow();
    queue.retry("a");

    queue.add("a", live);

    expect(await takeNow()).toMatchObject({ key: "a", failures: 1 });
  });

  it("does not end a backoff for a bulk add, so that a resync does not hammer what fails", async () => {
    const { clock, queue, keysNow } = given();
    queue.add("a", live);
    await keysNow();
    queue.retry("a");

    queue.add("a", bulk);
    const early = await keysNow();
    await clock.advance(5);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
  });

  it("respects a Retry-After whatever is added meanwhile", async () => {
    const { clock, queue, keysNow } = given();
    queue.add("a", live);
    await keysNow();
    queue.add("a", live);
    queue.retry("a", { afterMs: 1_000 });

    queue.add("a", live);
    await clock.advance(999);
    const early = await keysNow();
    await clock.advance(1);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
  });

  it("is ready at once after a failure when a live change came during the attempt", async () => {
    const { queue, takeNow } = given();
    queue.add("a", { ...bulk, note: ["1"] });
    await takeNow();
    queue.add("a", { ...live, note: ["2"] });

    queue.retry("a");

    expect(await takeNow()).toMatchObject({ failures: 1, note: ["1", "2"], priority: "live" });
  });

  it("adds a key later, at the earliest of the times asked for", async () => {
    const { clock, queue, keysNow } = given();
    queue.addAfter("a", 500, live);
    queue.addAfter("a", 100, live);
    queue.addAfter("a", 900, live);

    await clock.advance(99);
    const early = await keysNow();
    await clock.advance(1);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
    expect(queue.waiting).toBe(0);
  });

  it("wakes in time for a key that is due before those that wait already", async () => {
    const { clock, queue, keysNow } = given();
    queue.addAfter("late", 1_000, live);
    await settle();

    queue.addAfter("early", 10, live);
    await clock.advance(10);

    expect(await keysNow()).toEqual(["early"]);
  });

  it("keeps what is added for later during an attempt until its time", async () => {
    const { clock, queue, keysNow } = given();
    queue.add("a", live);
    await keysNow();
    queue.addAfter("a", 100, live);

    queue.done("a");
    await clock.advance(99);
    const early = await keysNow();
    await clock.advance(1);

    expect(early).toEqual([]);
    expect(await keysNow()).toEqual(["a"]);
  });

  it("sleeps once for many waiting keys and not at all when none waits", async () => {
    const { clock, queue, counts } = given();
    for (let index = 0; index < 1_000; index += 1)
      queue.addAfter(`key-${index}`, 1_000 - index, live);
    await settle();
    const sleeping = clock.pending;

    await clock.advance(1_000);

    expect(sleeping).toBe(1);
    expect(clock.pending).toBe(0);
    expect(counts()).toEqual({ size: 1_000, waiting: 0, inFlight: 0 });
  });

  it("leaves no trace of 100,000 keys that were taken, failed, came back and were done", async () => {
    const { clock, queue, counts } = given();
    for (let index = 0; index < 100_000; index += 1) queue.add(`key-${index}`, bulk);

    while (queue.size > 0) queue.retry((await queue.take(never))?.key ?? "");
    const failed = counts();
    await clock.advance(5);
    while (queue.size > 0) queue.done((await queue.take(never))?.key ?? "");

    expect(failed).toEqual({ size: 0, waiting: 100_000, inFlight: 0 });
    expect(counts()).toEqual({ size: 0, waiting: 0, inFlight: 0 });
  });

  it("says how deep each priority is and how long its first key has waited", async () => {
    const { clock, queue } = given();
    queue.add("a", live);
    await clock.advance(70);
    queue.add("b", live);
    queue.add("c", bulk);
    await clock.advance(30);

    expect([queue.depth("live"), queue.depth("bulk")]).toEqual([2, 1]);
    expect([queue.oldestMs("live"), queue.oldestMs("bulk")]).toEqual([100, 30]);
  });

  it("ends every wait and its own timer when it is closed, and takes nothing more", async () => {
    const { clock, queue, takeNow, counts } = given();
    queue.add("in-flight", live);
    await takeNow();
    queue.addAfter("later", 1_000, live);
    const waiting = queue.take(never);

    await queue.close();
    queue.add("late", live);
    queue.retry("in-flight");

    expect(await waiting).toBeUndefined();
    expect(counts()).toEqual({ size: 0, waiting: 0, inFlight: 0 });
    expect(clock.pending).toBe(0);
  });

  it("changes nothing when a key lands twice", async () => {
    const { queue, takeNow, counts } = given();
    queue.add("a", live);
    await takeNow();
    queue.done("a");

    queue.done("a");
    queue.retry("a");

    expect(counts()).toEqual({ size: 0, waiting: 0, inFlight: 0 });
  });
});
