import { describe, expect, it } from "vitest";
import type { WatchedEvent } from "../../../../sidecar/etcd/etcd.js";
import type { WatchResponse } from "../../../../sidecar/etcd/responses.js";
import { Resume } from "../../../../sidecar/etcd/watch-resume.js";

describe("the resume point of a watch", () => {
  it("does not move at the created answer, whose header is the store's newest revision", () => {
    const resume = new Resume(5n);

    expect(resume.take(response(1_000n, [], { created: true }), true)).toBeUndefined();

    expect(resume.next).toBe(5n);
  });

  it("moves to one after the last event, not to the header of a batch that catches up", () => {
    const resume = new Resume(5n);

    const item = resume.take(response(1_000n, [5n, 7n]), true);

    expect(item).toMatchObject({ kind: "events", events: [event(5n), event(7n)] });
    expect(resume.next).toBe(8n);
  });

  it("moves with progress that can be trusted", () => {
    const resume = new Resume(5n);

    const item = resume.take(response(90n, []), true);

    expect(item).toMatchObject({ kind: "progress", revision: 90n });
    expect(resume.next).toBe(91n);
  });

  it("neither moves with nor tells progress that cannot be trusted", () => {
    const resume = new Resume(5n);

    expect(resume.take(response(90n, []), false)).toBeUndefined();

    expect(resume.next).toBe(5n);
  });

  it("never moves back", () => {
    const resume = new Resume(50n);

    resume.take(response(10n, []), true);

    expect(resume.next).toBe(50n);
  });

  it("drops events below the wanted revision", () => {
    const resume = new Resume(6n);

    expect(resume.take(response(9n, [4n, 5n]), true)).toBeUndefined();
    expect(resume.take(response(9n, [5n, 6n]), true)).toMatchObject({ events: [event(6n)] });
  });

  it("hands over the whole revisions of a fragment and keeps the one that may go on", () => {
    const resume = new Resume(5n);

    const first = resume.take(response(9n, [5n, 6n, 7n], { fragment: true }), true);
    expect(first).toMatchObject({ events: [event(5n), event(6n)] });
    expect(resume.next).toBe(7n);
    const rest = resume.take(response(9n, [7n]), true);

    expect(rest).toMatchObject({ events: [event(7n), event(7n)] });
    expect(resume.next).toBe(8n);
  });

  it("never splits a revision between two items, however many fragments it has", () => {
    const resume = new Resume(5n);

    expect(resume.take(response(9n, [5n], { fragment: true }), true)).toBeUndefined();
    expect(resume.next).toBe(5n);
    const item = resume.take(response(9n, [5n, 6n]), true);

    expect(item).toMatchObject({ events: [event(5n), event(5n), event(6n)] });
    expect(resume.next).toBe(7n);
  });

  it("forgets the fragments of a stream that broke", () => {
    const resume = new Resume(5n);
    resume.take(response(9n, [5n], { fragment: true }), true);

    resume.restart();

    expect(resume.take(response(9n, [5n]), true)).toMatchObject({ events: [event(5n)] });
  });

  it("takes a response with odd keys only for no progress", () => {
    const resume = new Resume(5n);

    expect(resume.take(response(90n, [], { hadEvents: true }), true)).toBeUndefined();

    expect(resume.next).toBe(5n);
  });
});

function event(modRevision: bigint): WatchedEvent {
  const revisions = { createRevision: modRevision, modRevision, version: 1n, lease: 0n };
  return { kind: "put", kv: { key: `/k/${modRevision}`, value: Buffer.alloc(0), ...revisions } };
}

function response(
  revision: bigint,
  events: readonly bigint[],
  rest: Partial<WatchResponse> = {},
): WatchResponse {
  return {
    header: { clusterId: 1n, memberId: 1n, revision },
    created: false,
    canceled: false,
    compactRevision: 0n,
    cancelReason: "",
    fragment: false,
    hadEvents: events.length > 0,
    events: events.map(event),
    ...rest,
  };
}
