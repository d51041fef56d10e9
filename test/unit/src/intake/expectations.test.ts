import { describe, expect, it } from "vitest";
import type { Service } from "../../../../src/domain/objects.js";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import { stampAnnotations } from "../../../../src/domain/stamp.js";
import { Expectations } from "../../../../src/intake/expectations.js";
import type { Hint } from "../../../../src/ports/hint.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { service } from "../../../fixtures/service.js";

const KEY = "shop/web";
const web = service(KEY).ferried();

/** A Service as it is stored after the change of this id. */
function stamped(id: string, at = "2026-01-01T00:00:00.000Z"): Service {
  const stamp = stampAnnotations({ id, by: "ann", at, signature: "s" });
  return web.with({ annotations: stamp, resourceVersion: id });
}

function expectationsBed() {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const told: string[] = [];
  const expected: string[] = [];
  const reads: number[] = [];
  const world = {
    cached: undefined as Service | undefined,
    stored: undefined as Service | undefined,
    fails: false,
    /** Happens while the GET is on its way. */
    meanwhile: () => {},
  };
  const expectations = new Expectations({
    clock,
    cached: () => world.cached,
    read: async () => {
      reads.push(clock.monotonicMs());
      await Promise.resolve();
      world.meanwhile();
      if (world.fails) throw new Error("no answer");
      return world.stored === undefined ? undefined : OBJECT;
    },
    parse: () => world.stored ?? web,
    observed: () => (world.cached = world.stored),
    listener: {
      expected: ({ changeId, operation }) => expected.push(changeId ?? operation),
      ended: ({ changeId, operation }, outcome, attempts) =>
        told.push(`${changeId ?? operation} ${outcome} ${attempts}`),
    },
  });
  const run = expectations.run(stop.signal);
  const offer = (hint: Partial<Hint> = {}): void =>
    expectations.offer({
      service: KEY as ServiceKey,
      operation: "update",
      changeId: "1",
      by: "ann",
      uid: web.uid,
      admittedAtMs: clock.now(),
      ...hint,
    });
  const end = async (): Promise<void> => {
    stop.abort();
    await run;
  };
  return { clock, world, expectations, offer, expected, told, reads, end };
}

const OBJECT: KubeObject = { metadata: { name: "web" } };

describe("Expectations", () => {
  it("asks nobody when the watch brings the change", async () => {
    const { clock, world, expectations, offer, told, reads, end } = expectationsBed();

    offer();
    world.cached = stamped("1");
    expectations.changed(KEY);
    await clock.advance(100);

    expect(told).toEqual(["1 seen 0"]);
    expect(reads).toEqual([]);
    await end();
  });

  it("reads the Service when the watch is late, soon and then less often", async () => {
    const { clock, world, offer, told, reads, end } = expectationsBed();

    world.stored = stamped("0");
    offer();
    await clock.advance(60);
    const soon = reads.length;
    world.stored = stamped("1");
    await clock.advance(200);

    expect(soon).toBe(1);
    expect(told).toEqual(["1 read 2"]);
    await end();
  });

  it("does not ask a server whose watch is behind and brings others, but soon does when it brings nothing more", async () => {
    const { clock, world, expectations, offer, told, reads, end } = expectationsBed();
    world.stored = stamped("1");

    offer();
    await clock.advance(40);
    expectations.changed("shop/other");
    await clock.advance(50);
    const whileItLives = [...reads];
    await clock.advance(20);

    expect(whileItLives).toEqual([]);
    expect(reads).toEqual([100]);
    expect(told).toEqual(["1 read 1"]);
    await end();
  });

  it("asks at last although the watch brings others all the time", async () => {
    const { clock, world, expectations, offer, reads, end } = expectationsBed();
    world.cached = stamped("0");

    offer();
    for (let time = 0; time < 162; time += 1) {
      await clock.advance(10);
      expectations.changed("shop/other");
    }

    expect(reads).toEqual([1_600]);
    await end();
  });

  it("asks at once when it is another namespace's watch that brings something", async () => {
    const { clock, world, expectations, offer, reads, end } = expectationsBed();
    world.cached = stamped("0");

    offer();
    await clock.advance(40);
    expectations.changed("pay/other");
    await clock.advance(20);

    expect(reads).toEqual([50]);
    await end();
  });

  it("gives a change up that was never stored, and says so once", async () => {
    const { clock, world, offer, told, reads, end } = expectationsBed();
    world.cached = stamped("0");
    world.stored = world.cached;

    offer();
    await clock.advance(80_000);

    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^1 abandoned \d+$/);
    expect(reads.length).toBeLessThan(25);
    await end();
  });

  it("knows a change as overtaken when something later is stored", async () => {
    const { clock, world, offer, told, end } = expectationsBed();

    offer();
    world.cached = stamped("2", "2026-01-01T00:00:01.000Z");
    await clock.advance(60);

    expect(told).toEqual(["1 superseded 0"]);
    await end();
  });

  it("expects one change of a Service at a time: the last one", async () => {
    const { clock, world, expectations, offer, told, end } = expectationsBed();

    offer();
    offer();
    offer({ changeId: "2" });
    world.cached = stamped("2");
    expectations.changed(KEY);
    await clock.advance(60);

    expect(told).toEqual(["1 replaced 0", "2 seen 0"]);
    await end();
  });

  it.each([
    ["gone", undefined],
    ["being deleted", web.with({ deleting: true })],
    ["another one of that name", web.with({ uid: "other" })],
  ])("takes a deletion for done when the Service is %s", async (_, cached) => {
    const { clock, world, offer, told, end } = expectationsBed();
    world.cached = cached;

    offer({ operation: "delete", changeId: web.uid });
    await clock.advance(60);

    expect(told).toEqual([`${web.uid} seen 0`]);
    await end();
  });

  it("does not let an answer hide what the watch brought meanwhile", async () => {
    const { clock, world, offer, told, end } = expectationsBed();
    world.cached = stamped("0");
    world.stored = stamped("0");
    world.meanwhile = () => {
      world.cached = stamped("1");
    };

    offer();
    await clock.advance(500);

    expect(world.cached).toEqual(stamped("1"));
    expect(told).toEqual(["1 seen 1"]);
    await end();
  });

  it("asks again when it gets no answer", async () => {
    const { clock, world, offer, told, end } = expectationsBed();
    world.fails = true;
    world.stored = stamped("1");

    offer();
    await clock.advance(60);
    world.fails = false;
    await clock.advance(200);

    expect(told).toEqual(["1 read 2"]);
    await end();
  });

  it("keeps what is offered before it runs, and nothing after its end", async () => {
    const { expectations, offer, told, reads, end } = expectationsBed();
    await end();
    offer();
    await settle();

    expect([told, reads]).toEqual([[], []]);
    expectations.changed("shop/other");
    expect(told).toEqual([]);
  });

  it("expects nothing that has no id to know it by", async () => {
    const { clock, offer, expected, told, reads, end } = expectationsBed();

    offer({ changeId: undefined });
    await clock.advance(80_000);

    expect([expected, told, reads]).toEqual([[], [], []]);
    await end();
  });

  it("knows by a read that the Service is gone, or is another by now", async () => {
    const { clock, world, offer, told, end } = expectationsBed();

    offer();
    await clock.advance(60);
    world.stored = { ...stamped("9"), uid: "another" };
    offer({ changeId: "2" });
    await clock.advance(60);

    expect(told).toEqual(["1 superseded 1", "2 superseded 1"]);
    await end();
  });

  it("goes on waiting for a Service that is to be created", async () => {
    const { clock, world, offer, told, end } = expectationsBed();

    offer({ operation: "create", uid: "of an object that is not stored yet" });
    await clock.advance(200);
    const early = [...told];
    world.stored = stamped("1");
    await clock.advance(1_000);

    expect(early).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/^1 read \d$/)]);
    await end();
  });

  it("does not take what was there before for later, whatever that one's clock says", async () => {
    const { clock, world, offer, told, end } = expectationsBed();
    world.cached = stamped("0", "2026-01-01T00:05:00.000Z");
    world.stored = stamped("1");

    offer();
    const atOnce = [...told];
    await clock.advance(60);

    expect(atOnce).toEqual([]);
    expect(told).toEqual(["1 read 1"]);
    await end();
  });

  it("knows what was stored and replaced before its hint came", async () => {
    const { clock, world, expectations, offer, told, end } = expectationsBed();
    world.cached = stamped("1", "2026-01-01T00:00:00.500Z");
    expectations.changed(KEY);
    // A retry of an earlier change, stored after it.
    world.cached = stamped("2", "2026-01-01T00:00:00.000Z");
    world.stored = world.cached;
    expectations.changed(KEY);

    offer();
    await clock.advance(80_000);

    expect(told).toEqual(["1 seen 0"]);
    await end();
  });
});
