import { describe, expect, it } from "vitest";
import { StampKeySearch } from "../../../certs/stamp-key-search.js";
import type { Secret } from "../../../certs/secret-content.js";
import { RetryableError } from "../../../src/ports/errors.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { RecordingLog } from "../src/kube/fixture/recording-log.js";

const SECRET_REF = { namespace: "ns", name: "tls" };

/** A signature of the key with this digit as its id. */
const by = (digit: number): string => String(digit).repeat(8).padEnd(72, "0");

function bed() {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const known = new Set<string>();
  const state = { inSecret: [by(1)], reads: 0, hold: undefined as Promise<void> | undefined };
  const search = new StampKeySearch({
    api: {
      get: async (_, ref, signal) => {
        state.reads += 1;
        expect(ref).toEqual(SECRET_REF);
        const cut = new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new RetryableError("FERRY-K002", "late")));
        });
        await Promise.race([state.hold, cut]);
        return { metadata: SECRET_REF };
      },
    },
    secret: SECRET_REF,
    clock,
    log,
    knows: (signature) => known.has(signature),
    learn: (_secret: Secret | undefined) => {
      for (const signature of state.inSecret) known.add(signature);
    },
  });
  return { clock, log, known, state, search };
}

describe("StampKeySearch", () => {
  it("reads the Secret for a key that is not known, and for no other", async () => {
    const { search, known, state } = bed();
    known.add(by(2));

    expect(search.find(by(2))).toBeUndefined();
    await search.find(by(1));

    expect(known.has(by(1))).toBe(true);
    expect(search.find(by(1))).toBeUndefined();
    expect(state.reads).toBe(1);
  });

  it("reads at most once per second, whatever it is asked for", async () => {
    const { search, clock, state } = bed();

    await search.find(by(3));
    expect(search.find(by(4))).toBeUndefined();
    await clock.advance(1_000);
    await search.find(by(4));

    expect(state.reads).toBe(2);
  });

  it("does not look again for what the Secret does not have", async () => {
    const { search, clock, state } = bed();
    await search.find(by(3));
    await clock.advance(60_000);

    expect(search.find(by(3))).toBeUndefined();
    expect(state.reads).toBe(1);
  });

  it("lets others wait for the read that is under way", async () => {
    const { search, state, known } = bed();
    const answer = Promise.withResolvers<void>();
    state.hold = answer.promise;

    const first = search.find(by(1));
    const second = search.find(by(1));
    answer.resolve();
    await first;
    await second;

    expect(state.reads).toBe(1);
    expect(known.has(by(1))).toBe(true);
  });

  it("waits a second for an answer and no longer, and asks again after that", async () => {
    const { search, clock, state, log } = bed();
    state.hold = new Promise(() => {});

    const waiting = search.find(by(1));
    await clock.advance(1_000);
    await waiting;
    state.hold = undefined;
    await search.find(by(1));

    expect(state.reads).toBe(2);
    expect(log.lines).toEqual(["debug: key of a stamp not read"]);
  });
});
