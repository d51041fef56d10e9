import { describe, expect, it } from "vitest";
import { RetryableError } from "../../../src/ports/errors.js";
import type { HandOffBatch, LeaderLink } from "../../../src/ports/hand-off.js";
import type { Hint } from "../../../src/ports/hint.js";
import { Outbox } from "../../../webhook/outbox.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { hintOf, hintText } from "../../fixtures/hints.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";
import { RecordingLog } from "../src/kube/fixture/recording-log.js";

const WEB = hintOf("shop/web");
const API = hintOf("shop/api");
const MAX_KEYS = 10_000;
const KEEP_MS = 65_000;
const FAILS = "warn: hand-off fails, trying again; changes are found by the watch";
const WORKS = "info: hand-off works again";

/** A way to the leader on which a test decides what becomes of a delivery. */
class ScriptedLink implements LeaderLink {
  /** "a: shop/web#1 shop/api#1 +resync" for each that the leader took. */
  readonly taken: string[] = [];
  readonly batches: HandOffBatch[] = [];
  /** When deliveries began. */
  readonly attemptsAtMs: number[] = [];
  /** How often somebody looked who leads. */
  looks = 0;
  /** Deliveries under way at once, at most. */
  mostAtOnce = 0;
  #underWay = 0;
  #leader: string | undefined = "a";
  mode: "takes" | "fails" | "hangs" = "takes";
  #release: () => void = () => undefined;

  constructor(private readonly clock: VirtualClock) {}

  get leader(): string | undefined {
    this.looks += 1;
    return this.#leader;
  }

  set leader(leader: string | undefined) {
    this.#leader = leader;
  }

  async deliver(batch: HandOffBatch, signal: AbortSignal): Promise<void> {
    this.#underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
    this.attemptsAtMs.push(this.clock.monotonicMs());
    try {
      if (this.mode === "hangs") await this.#held(signal);
      if (this.mode === "fails") throw new RetryableError("FERRY-H001", "refused");
    } finally {
      this.#underWay -= 1;
    }
    this.batches.push(batch);
    const resync = batch.resync ? ["+resync"] : [];
    this.taken.push([`${this.#leader}:`, ...batch.hints.map(hintText), ...resync].join(" "));
  }

  /** What hangs goes on. */
  release(): void {
    this.mode = "takes";
    this.#release();
  }

  #held(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      signal.addEventListener("abort", () => reject(new Error("cut")), { once: true });
    });
  }
}

class Bed {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLog();
  readonly metrics = new RecordedMetrics();
  readonly link = new ScriptedLink(this.clock);
  readonly outbox = new Outbox(this);
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  /** Runs, and is at rest. */
  async start(): Promise<this> {
    this.#running = this.outbox.run(this.#stopping.signal);
    await this.settle();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** No time passes. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  async offered(...hints: readonly Hint[]): Promise<void> {
    for (const hint of hints) this.outbox.offer(hint);
    await this.settle();
  }

  async leads(leader: string | undefined): Promise<void> {
    this.link.leader = leader;
    this.outbox.leaderChanged();
    await this.settle();
  }

  /** Offers `count` Services, none of them twice. */
  flood(count: number, prefix = "s"): void {
    for (let at = 0; at < count; at += 1) this.outbox.offer(hintOf(`flood/${prefix}${at}`));
  }

  get kept(): string | undefined {
    return this.metrics.lines.findLast((line) => line.startsWith("svc_ferry_outbox_hints"));
  }

  get resyncs(): number {
    return this.metrics.lines.filter((line) => line === "svc_ferry_outbox_resyncs_total").length;
  }
}

describe("Outbox: what is delivered", () => {
  it("delivers at once what is offered, and what was offered before it ran, each once", async () => {
    const bed = new Bed();

    bed.outbox.offer(WEB);
    await bed.start();
    await bed.offered(API);
    await bed.clock.advance(KEEP_MS - 1);

    expect(bed.link.taken).toEqual(["a: shop/web#1", "a: shop/api#1"]);
    expect(bed.metrics.of("svc_ferry_hand_off_total")).toEqual(["delivered", "delivered"]);
    expect(bed.kept).toBe("svc_ferry_outbox_hints = 2");
  });

  it("says when everything is told, or that the time is over", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "hangs";
    bed.outbox.offer(WEB);
    await bed.settle();
    const ended: string[] = [];

    void bed.outbox.told(300).then(() => ended.push(`first at ${bed.clock.monotonicMs()}`));
    await bed.clock.advance(400);
    void bed.outbox.told(300).then(() => ended.push(`second at ${bed.clock.monotonicMs()}`));
    bed.link.release();
    await bed.settle();
    await bed.outbox.told(300);

    expect(ended).toEqual(["first at 300", "second at 400"]);
    await bed.stop();
  });

  it("makes one batch of what is offered while another is under way, never two at once", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "hangs";

    await bed.offered(WEB);
    await bed.offered(API);
    await bed.offered(hintOf("shop/db"));
    bed.link.release();
    await bed.settle();

    expect(bed.link.taken).toEqual(["a: shop/web#1", "a: shop/api#1 shop/db#1"]);
    expect(bed.link.mostAtOnce).toBe(1);
  });

  it("has one hint for a Service, the last, also when an earlier one is under way", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "hangs";

    await bed.offered(WEB);
    await bed.offered({ ...WEB, changeId: "2" });
    await bed.offered({ ...WEB, changeId: "3" });
    bed.link.release();
    await bed.settle();

    expect(bed.link.taken).toEqual(["a: shop/web#1", "a: shop/web#3"]);
    expect(bed.kept).toBe("svc_ferry_outbox_hints = 1");
  });

  it("takes the same change offered again for the one that it has", async () => {
    const bed = await new Bed().start();

    await bed.offered(WEB);
    await bed.offered({ ...WEB, admittedAtMs: WEB.admittedAtMs + 1 });

    expect(bed.link.taken).toEqual(["a: shop/web#1"]);
  });

  it.each<[string, Partial<Hint>]>([
    ["operation", { operation: "delete" }],
    ["change", { changeId: "2" }],
    ["object", { uid: "u-2" }],
    ["person", { by: "joe@example.com" }],
  ])("takes one of another %s for another", async (_, other) => {
    const bed = await new Bed().start();

    await bed.offered(WEB);
    await bed.offered({ ...WEB, ...other });

    expect(bed.link.taken).toHaveLength(2);
  });

  it("sends at most 500 at once, the oldest first", async () => {
    const bed = new Bed();

    bed.flood(1_201);
    await bed.start();

    expect(bed.link.batches.map(({ hints }) => hints.length)).toEqual([500, 500, 201]);
    const sent = bed.link.batches.flatMap(({ hints }) => hints.map(({ service }) => service));
    expect(sent).toEqual(Array.from({ length: 1_201 }, (_, at) => `flood/s${at}`));
  });

  it("keeps nothing that the leader would refuse", async () => {
    const bed = await new Bed().start();

    await bed.offered(hintOf("Shop/../web"), { ...WEB, changeId: "x".repeat(1_000) }, API);

    expect(bed.link.taken).toEqual(["a: shop/web# shop/api#1"]);
  });
});

describe("Outbox: leaders", () => {
  it("offers everything that it keeps to a new one at once, confirmed or not", async () => {
    const bed = await new Bed().start();
    await bed.offered(WEB, API);

    await bed.leads("b");

    expect(bed.link.taken).toEqual(["a: shop/web#1 shop/api#1", "b: shop/web#1 shop/api#1"]);
  });

  it("does not wait for a delivery to the old one", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "hangs";
    await bed.offered(WEB);
    bed.link.mode = "takes";

    await bed.leads("b");

    expect(bed.link.taken).toEqual(["b: shop/web#1"]);
    expect(bed.log.lines).toEqual([]);
    expect(bed.metrics.of("svc_ferry_hand_off_total")).toEqual(["delivered"]);
  });

  it("lets a delivery be when the news is none", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "hangs";
    await bed.offered(WEB);

    bed.outbox.leaderChanged();
    bed.link.release();
    await bed.settle();

    expect(bed.link.taken).toEqual(["a: shop/web#1"]);
    expect(bed.link.attemptsAtMs).toHaveLength(1);
  });

  it("finds out within a second when nobody says it, and looks no more often", async () => {
    const bed = await new Bed().start();
    await bed.offered(WEB);
    const before = bed.link.looks;

    await bed.clock.advance(10_000);
    const looks = bed.link.looks - before;
    bed.link.leader = "b";
    await bed.clock.advance(1_000);

    expect(bed.link.taken).toEqual(["a: shop/web#1", "b: shop/web#1"]);
    expect(looks).toBe(10);
  });

  it("does not look at all while nothing is kept", async () => {
    const bed = await new Bed().start();
    const before = bed.link.looks;

    await bed.clock.advance(10_000);

    expect(bed.link.looks).toBe(before);
    expect(bed.clock.nextAtMs).toBeUndefined();
  });

  it("waits while nobody leads", async () => {
    const bed = await new Bed().start();
    await bed.leads(undefined);

    await bed.offered(WEB);
    await bed.clock.advance(5_000);
    const before = [...bed.link.taken];
    await bed.leads("a");

    expect(before).toEqual([]);
    expect(bed.link.taken).toEqual(["a: shop/web#1"]);
    expect(bed.log.lines).toEqual([]);
  });

  it("tells one again that leads anew after nobody did: it has forgotten", async () => {
    const bed = await new Bed().start();
    await bed.offered(WEB);

    await bed.leads(undefined);
    await bed.leads("a");

    expect(bed.link.taken).toEqual(["a: shop/web#1", "a: shop/web#1"]);
  });

  it.each([
    [KEEP_MS - 1, ["a: shop/web#1", "b: shop/web#1"], 1],
    [KEEP_MS, ["a: shop/web#1"], 0],
  ])("remembers for 65 s: a leader of %d ms later", async (afterMs, taken, kept) => {
    const bed = await new Bed().start();
    await bed.offered(WEB);

    await bed.clock.advance(afterMs);
    await bed.leads("b");

    expect(bed.link.taken).toEqual(taken);
    expect(bed.kept).toBe(`svc_ferry_outbox_hints = ${kept}`);
  });

  it("counts the 65 s from the last change of a Service, and forgets it by itself", async () => {
    const bed = await new Bed().start();
    await bed.offered(WEB, API);
    await bed.clock.advance(60_000);
    await bed.offered({ ...WEB, changeId: "2" });

    await bed.clock.advance(60_000);
    const first = bed.kept;
    await bed.clock.advance(6_000);

    expect([first, bed.kept]).toEqual(["svc_ferry_outbox_hints = 1", "svc_ferry_outbox_hints = 0"]);
  });
});

describe("Outbox: failures", () => {
  it("tries again with growing pauses, which no later hint cuts short", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "fails";

    await bed.offered(WEB);
    await bed.clock.advance(20);
    const before = bed.link.looks;
    await bed.offered(API);
    const looks = bed.link.looks - before;
    await bed.clock.advance(7_200);

    expect(looks).toBe(0);
    expect(bed.link.attemptsAtMs).toEqual([0, 50, 150, 350, 750, 1_550, 3_150, 5_150, 7_150]);
  });

  it("says that it began and that it works again, one line each, whatever the number of hints", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "fails";
    await bed.offered(WEB, API);
    await bed.clock.advance(1_000);
    const during = [...bed.log.lines];

    bed.link.mode = "takes";
    await bed.clock.advance(1_000);
    await bed.offered(hintOf("shop/db"));

    expect(during).toEqual([FAILS]);
    expect(bed.log.records[0]?.fields).toMatchObject({ leader: "a", code: "FERRY-H001" });
    expect(bed.log.lines).toEqual([FAILS, WORKS]);
    expect(bed.link.taken).toEqual(["a: shop/web#1 shop/api#1", "a: shop/db#1"]);
    expect(bed.metrics.of("svc_ferry_hand_off_total")).toEqual([
      ...Array.from({ length: 5 }, () => "failed"),
      "delivered",
      "delivered",
    ]);
  });

  it("begins with a short pause again after it worked", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "fails";
    await bed.offered(WEB);
    await bed.clock.advance(500);
    bed.link.mode = "takes";
    await bed.clock.advance(1_000);

    bed.link.mode = "fails";
    await bed.offered(API);
    await bed.clock.advance(50);

    expect(bed.link.attemptsAtMs.slice(-2)).toEqual([1_500, 1_550]);
  });

  it("does not let a new leader wait for the pause of the old one, and says of each that it fails", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "fails";
    await bed.offered(WEB);
    await bed.clock.advance(4_000);

    await bed.leads("b");
    bed.link.mode = "takes";
    await bed.clock.advance(50);

    expect(bed.link.attemptsAtMs.slice(-2)).toEqual([4_000, 4_050]);
    expect(bed.log.lines).toEqual([FAILS, FAILS, WORKS]);
    expect(bed.log.records.map(({ fields }) => fields["leader"])).toEqual(["a", "b", "b"]);
  });

  it("gives up after 65 s, when no change can be stored any more", async () => {
    const bed = await new Bed().start();
    bed.link.mode = "fails";
    await bed.offered(WEB);

    await bed.clock.advance(KEEP_MS + 1_000);
    bed.link.mode = "takes";
    await bed.clock.advance(10_000);

    expect(bed.link.taken).toEqual([]);
    expect(bed.kept).toBe("svc_ferry_outbox_hints = 0");
  });
});

describe("Outbox: floods", () => {
  it("does not grow beyond 10,000 Services, and tells the leader once that some are missing", async () => {
    const bed = new Bed();

    bed.flood(MAX_KEYS + 100);
    const kept = bed.kept;
    await bed.start();
    bed.flood(10, "later");
    await bed.clock.advance(1_000);

    expect([kept, bed.kept]).toEqual([
      "svc_ferry_outbox_hints = 10000",
      "svc_ferry_outbox_hints = 10000",
    ]);
    expect(bed.link.batches.map(({ resync }) => resync)).toEqual([
      true,
      ...Array.from({ length: 19 }, () => false),
    ]);
    expect(bed.resyncs).toBe(1);
  });

  it("still takes the later change of a Service that it has", async () => {
    const bed = new Bed();
    bed.flood(MAX_KEYS);

    bed.outbox.offer(hintOf("flood/s0", { changeId: "2" }));
    await bed.start();

    expect(bed.link.batches.at(-1)?.hints.at(-1)).toMatchObject({
      service: "flood/s0",
      changeId: "2",
    });
    expect(bed.resyncs).toBe(0);
  });

  it("says it also where every hint that fits is confirmed", async () => {
    const bed = await new Bed().start();
    bed.flood(MAX_KEYS);
    await bed.settle();

    await bed.offered(WEB);

    expect(bed.link.taken.at(-1)).toBe("a: +resync");
  });

  it("tells a delivery's failure again, and a new leader too", async () => {
    const bed = await new Bed().start();
    bed.flood(MAX_KEYS);
    await bed.settle();
    bed.link.mode = "fails";
    await bed.offered(WEB);

    bed.link.mode = "takes";
    await bed.clock.advance(50);
    await bed.leads("b");

    const told = bed.link.taken.filter((line) => line.endsWith("+resync"));
    expect(told.map((line) => line.slice(0, 2))).toEqual(["a:", "b:"]);
    expect(bed.resyncs).toBe(1);
  });

  it("does not forget it before somebody leads who can be told", async () => {
    const bed = await new Bed().start();
    await bed.leads(undefined);
    bed.flood(MAX_KEYS + 1);

    await bed.clock.advance(2 * KEEP_MS);
    await bed.leads("a");

    expect(bed.link.taken).toEqual(["a: +resync"]);
  });

  it.each([
    ["once more after 65 s when it goes on", 2, ["early", "late"]],
    ["not again when it is over", 1, ["early"]],
  ])("tells it %s", async (_, times, floods) => {
    const bed = await new Bed().start();
    bed.flood(MAX_KEYS);
    await bed.settle();

    for (const flood of floods) {
      await bed.clock.advance(10_000);
      bed.flood(1, flood);
    }
    await bed.clock.advance(2 * KEEP_MS);

    expect(bed.link.batches.filter(({ resync }) => resync)).toHaveLength(times);
    expect(bed.resyncs).toBe(times);
  });
});

describe("Outbox: stop", () => {
  it.each<[string, (bed: Bed) => Promise<void>]>([
    ["has nothing to do", async () => undefined],
    [
      "is in a pause",
      async ({ link, outbox }) => {
        link.mode = "fails";
        outbox.offer(WEB);
      },
    ],
    [
      "delivers",
      async ({ link, outbox }) => {
        link.mode = "hangs";
        outbox.offer(WEB);
      },
    ],
  ])("ends at once when it %s", async (_, prepare) => {
    const bed = await new Bed().start();
    await prepare(bed);
    await bed.settle();

    await bed.stop();

    expect(bed.clock.pending).toBe(0);
  });
});
