import { describe, expect, it } from "vitest";
import { WatchStream } from "../../../../src/kube/watch-stream.js";
import type { WatchEvent } from "../../../../src/ports/kube-api.js";
import { status } from "./fixture/fake-api-server.js";

function started(code = 200) {
  const events: WatchEvent[] = [];
  const stream = new WatchStream("prod: watch /api/v1/services", {
    onEvent: (event) => events.push(event),
    onBytes: () => {},
  });
  stream.head(code, {});
  const send = (text: string): void => stream.data(Buffer.from(text));
  return { stream, events, send };
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

const web = { metadata: { name: "web", resourceVersion: "7" } };

describe("WatchStream", () => {
  it("delivers changes and bookmarks in order", () => {
    const { stream, events, send } = started();

    send(line("ADDED", web) + line("MODIFIED", web) + line("DELETED", web));
    send(line("BOOKMARK", { kind: "Service", metadata: { resourceVersion: "9" } }));
    stream.end();

    expect(events).toEqual([
      { kind: "added", object: web },
      { kind: "modified", object: web },
      { kind: "deleted", object: web },
      { kind: "bookmark", resourceVersion: "9" },
    ]);
  });

  it("ignores empty lines", () => {
    const { stream, events, send } = started();

    send(`\n\r\n${line("ADDED", web)}\n`);
    stream.end();

    expect(events).toHaveLength(1);
  });

  it("never delivers what follows the last newline, even if it is whole, and ends in an error", () => {
    const { stream, events, send } = started();

    send(line("ADDED", web) + line("DELETED", web).trimEnd());

    expect(() => stream.end()).toThrow(expect.objectContaining({ code: "FERRY-K007" }));
    expect(events.map((event) => event.kind)).toEqual(["added"]);
  });

  it.each([
    ["a page", "<html>\n"],
    ["an unknown type", line("RENAMED", web)],
    ["an event without an object", line("ADDED", undefined)],
    ["a nameless object", line("ADDED", { metadata: {} })],
    ["a bookmark without resource version", line("BOOKMARK", { metadata: {} })],
  ])("refuses %s", (_what, text) => {
    const { send } = started();

    expect(() => send(text)).toThrow(expect.objectContaining({ code: "FERRY-K007" }));
  });

  it("throws an ERROR event as the error it is, after the events before it", () => {
    const { events, send } = started();

    expect(() => send(line("ADDED", web) + line("ERROR", status(410, "Expired")))).toThrow(
      expect.objectContaining({ code: "FERRY-K008", status: 410 }),
    );
    expect(events).toHaveLength(1);
  });

  it("refuses an event beyond 8 MiB instead of keeping it", () => {
    const { send } = started();
    const mebibyte = "x".repeat(1024 * 1024);

    expect(() => Array.from({ length: 9 }, () => send(mebibyte))).toThrow(
      expect.objectContaining({ code: "FERRY-K007" }),
    );
  });

  it("reads the body of any other answer as the reason of the refusal", () => {
    const { stream, events, send } = started(410);

    send(JSON.stringify(status(410, "Expired", {}, "too old resource version")));

    expect(() => stream.end()).toThrow(/410: too old resource version/);
    expect(events).toEqual([]);
  });

  it("passes an error of its reader through unchanged", () => {
    const broken = new Error("broken reader");
    const stream = new WatchStream("x", {
      onEvent: () => {
        throw broken;
      },
      onBytes: () => {},
    });
    stream.head(200, {});

    expect(() => stream.data(Buffer.from(line("ADDED", web)))).toThrow(broken);
  });
});
