import { describe, expect, it } from "vitest";
import { RetryableError, TerminalError } from "../../../../src/ports/errors.js";
import { mergeNotes, type WorkNote } from "../../../../src/ports/work.js";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { WorkQueue } from "../../../../src/queue/work-queue.js";
import type { Breather } from "../../../../src/reconcile/breather.js";
import { WorkerPool, type Attempt } from "../../../../src/reconcile/worker-pool.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const DONE = { outcome: "synced", again: false } as const;

function poolBed(
  attempt: Attempt,
  workers = 2,
  breather: Pick<Breather, "pause"> = { pause: () => undefined },
) {
  const clock = new VirtualClock();
  const queue = new WorkQueue<ServiceKey, WorkNote>({ clock, mergeNotes });
  const failures: string[] = [];
  const stop = new AbortController();
  const pool = new WorkerPool(
    queue,
    attempt,
    (key, error, number) => failures.push(`${key} #${number}: ${String(error)}`),
    { workers, breather },
  );
  const run = pool.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await run;
    await queue.close();
  };
  const add = (key: ServiceKey): void => queue.add(key, { priority: "live" });
  return { clock, queue, failures, add, end };
}

describe("WorkerPool", () => {
  it("attempts each key once when all goes well", async () => {
    const attempted: string[] = [];
    const bed = poolBed(({ key }) => {
      attempted.push(key);
      return Promise.resolve(DONE);
    });

    bed.add("prod/a");
    bed.add("prod/b");
    await settle();

    expect(attempted).toEqual(["prod/a", "prod/b"]);
    expect(bed.failures).toEqual([]);
    await bed.end();
  });

  it("goes on with others while one key fails again and again", async () => {
    const attempted: string[] = [];
    const bed = poolBed(({ key }) => {
      attempted.push(key);
      if (key === "prod/poison") return Promise.reject(new Error("boom"));
      return Promise.resolve(DONE);
    }, 1);

    bed.add("prod/poison");
    bed.add("prod/a");
    bed.add("prod/b");
    await settle();

    expect(attempted).toEqual(["prod/poison", "prod/a", "prod/b"]);
    await bed.clock.advance(20);
    expect(attempted.filter((key) => key === "prod/poison")).toHaveLength(3);
    expect(bed.failures[1]).toBe("prod/poison #2: Error: boom");
    await bed.end();
  });

  it("takes no further key while everything else has its turn", async () => {
    const attempted: string[] = [];
    const turn = Promise.withResolvers<void>();
    const attempt: Attempt = ({ key }) => {
      attempted.push(key);
      return Promise.resolve(DONE);
    };
    const bed = poolBed(attempt, 1, { pause: () => turn.promise });

    bed.add("prod/a");
    bed.add("prod/b");
    await settle();

    expect(attempted).toEqual(["prod/a"]);
    turn.resolve();
    await settle();
    expect(attempted).toEqual(["prod/a", "prod/b"]);
    await bed.end();
  });

  it("waits as long as the server asked", async () => {
    let attempts = 0;
    const bed = poolBed(() => {
      attempts += 1;
      if (attempts > 1) return Promise.resolve(DONE);
      return Promise.reject(new RetryableError("FERRY-K003", "slow down", { retryAfterMs: 7_000 }));
    });

    bed.add("prod/a");
    await bed.clock.advance(6_999);
    const before = attempts;
    await bed.clock.advance(1);

    expect([before, attempts]).toEqual([1, 2]);
    await bed.end();
  });

  it("does not retry what no retry can help", async () => {
    const bed = poolBed(() => Promise.reject(new TerminalError("FERRY-K011", "no")));

    bed.add("prod/a");
    await settle();

    expect(bed.queue.waiting).toBe(0);
    expect(bed.failures).toHaveLength(1);
    await bed.end();
  });

  it("looks again, without calling it a failure, when the attempt says so", async () => {
    let attempts = 0;
    const bed = poolBed(() => {
      attempts += 1;
      return Promise.resolve({ outcome: "refused", again: attempts === 1 } as const);
    });

    bed.add("prod/a");
    await settle();
    await bed.clock.advance(5);

    expect(attempts).toBe(2);
    expect(bed.failures).toEqual([]);
    await bed.end();
  });

  it("never attempts one key twice at once, and forgets nothing that is added meanwhile", async () => {
    const open: (() => void)[] = [];
    const bed = poolBed(() => new Promise((resolve) => open.push(() => resolve(DONE))));

    bed.add("prod/a");
    await settle();
    bed.add("prod/a");
    await settle();
    const atOnce = open.length;
    open[0]?.();
    await settle();

    expect([atOnce, open.length]).toEqual([1, 2]);
    open[1]?.();
    await bed.end();
  });

  it("ends when the attempts in flight have ended, and blames nobody for the stop", async () => {
    const open: ((error: Error) => void)[] = [];
    const bed = poolBed(() => new Promise((_, reject) => open.push(reject)));
    bed.add("prod/a");
    await settle();

    let ended = false;
    const end = bed.end().then(() => (ended = true));
    await settle();
    const early = ended;
    open[0]?.(new Error("cut"));
    await end;

    expect(early).toBe(false);
    expect(bed.failures).toEqual([]);
  });
});
