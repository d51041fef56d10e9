import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CallFailed } from "../../../../sidecar/etcd/connection.js";
import { watchCreateRequest, watchProgressRequest } from "../../../../sidecar/etcd/requests.js";
import type { WatchResponse } from "../../../../sidecar/etcd/responses.js";
import { QuietStream } from "../../../../sidecar/etcd/watch-stream.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const CREATE = watchCreateRequest({ key: "a", rangeEnd: "b" }, 1n);
const RESPONSE: WatchResponse = {
  header: { clusterId: 1n, memberId: 1n, revision: 1n },
  ...{ created: false, canceled: false, compactRevision: 0n, cancelReason: "" },
  ...{ fragment: false, hadEvents: true, events: [] },
};

/** As gRPC's: what is cancelled ends with an error. */
class FakeStream extends Readable {
  /** Requests: the first creates the watch, each other asks for progress. */
  sent = 0;
  cancelled = 0;

  constructor() {
    super({ objectMode: true, read: () => {} });
  }

  write(): void {
    this.sent += 1;
  }

  cancel(): void {
    this.cancelled += 1;
    this.destroy(Object.assign(new Error("cancelled"), { code: 1, details: "cancelled" }));
  }
}

describe("a watch stream", () => {
  let clock: VirtualClock;
  let stream: FakeStream;
  let over: AbortController;
  let responses: AsyncGenerator<WatchResponse, void, undefined>;

  const open = (asksProgress = true): void => {
    const askProgress = asksProgress ? watchProgressRequest : undefined;
    responses = new QuietStream(stream, { clock, askProgress, signal: over.signal }).responses(
      CREATE,
    );
  };
  /** The next response, or why there is none. */
  const next = (): Promise<unknown> =>
    responses.next().then(
      ({ done, value }) => (done === true ? "over" : value),
      (error: unknown) => error,
    );
  const opened = async (): Promise<void> => {
    open();
    const first = next();
    stream.push({ ...RESPONSE, created: true });
    await first;
  };

  beforeEach(() => {
    clock = new VirtualClock();
    stream = new FakeStream();
    over = new AbortController();
  });
  afterEach(async () => {
    over.abort();
    await clock.advance(0);
  });

  it("asks for progress after 10 s without a word, and is given up when two questions stay without an answer", async () => {
    await opened();
    const waiting = next();

    await clock.advance(9_999);
    const before = stream.sent;
    await clock.advance(1);
    const asked = stream.sent;
    await clock.advance(19_999);
    const cancelled = stream.cancelled;
    await clock.advance(1);

    expect([before, asked, cancelled]).toEqual([1, 2, 0]);
    expect(await waiting).toMatchObject({ kind: "unavailable" });
    expect(stream.sent).toBe(3);
  });

  it("goes on when an answer comes, and asks again only 10 s later", async () => {
    await opened();
    const waiting = next();
    await clock.advance(10_000);
    stream.push(RESPONSE);
    expect(await waiting).toEqual(RESPONSE);

    void next();
    await clock.advance(9_999);
    const before = stream.sent;
    await clock.advance(1);

    expect([before, stream.sent]).toEqual([2, 3]);
  });

  it("is not called silent while its consumer is at work", async () => {
    await opened();

    await clock.advance(120_000);
    stream.push(RESPONSE);

    expect(await next()).toEqual(RESPONSE);
    expect([stream.sent, stream.cancelled]).toEqual([1, 0]);
  });

  it("is given up after 10 s when the watch is not even created", async () => {
    open();
    const waiting = next();

    await clock.advance(10_000);

    expect(await waiting).toMatchObject({ kind: "unavailable" });
    expect(stream.sent).toBe(1);
  });

  it("is waited for without a question where the server may leave it unanswered", async () => {
    open(false);
    const first = next();
    stream.push({ ...RESPONSE, created: true });
    await first;
    void next();

    await clock.advance(120_000);

    expect([stream.sent, stream.cancelled]).toEqual([1, 0]);
  });

  it("is cancelled when the signal aborted while it was opened", async () => {
    over.abort();
    open();

    const ended = next();
    await clock.advance(0);
    expect(stream.cancelled).toBeGreaterThan(0);
    expect(await ended).toBeInstanceOf(CallFailed);
  });

  it("ends with gRPC's own word when it breaks, and is cancelled when the signal aborts", async () => {
    await opened();
    const broken = next();
    stream.destroy(Object.assign(new Error("x"), { code: 14, details: "Connection dropped" }));
    expect(await broken).toBeInstanceOf(CallFailed);

    stream = new FakeStream();
    await opened();
    const waiting = next();
    over.abort();

    expect(await waiting).toBeInstanceOf(CallFailed);
    expect(stream.cancelled).toBeGreaterThan(0);
  });
});
