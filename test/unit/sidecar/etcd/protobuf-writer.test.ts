import { describe, expect, it } from "vitest";
import { Reader } from "../../../../sidecar/etcd/protobuf.js";
import { Writer } from "../../../../sidecar/etcd/protobuf-writer.js";

describe("a message of protobuf", () => {
  it("grows beyond the room that it was given, and keeps what was written before", () => {
    const large = Buffer.alloc(3 * 1024 * 1024, "x");

    const message = new Writer(8).text(1, "before").bytes(2, large).int(3, 7n).finish();

    const reader = new Reader(message);
    expect([reader.field(), reader.text()]).toEqual([1, "before"]);
    expect([reader.field(), reader.bytes().equals(large)]).toEqual([2, true]);
    expect([reader.field(), reader.int(), reader.field()]).toEqual([3, 7n, 0]);
  });

  it.each([
    ["shorter than its length was taken to be", 100_000, 1],
    ["longer, with one byte more for its length", 0, 200],
    ["longer, with two bytes more for its length", 0, 20_000],
    ["longer, with three bytes more for its length", 0, 3_000_000],
    ["as long as it was taken to be", 300, 300],
  ])("holds another one that is %s", (_, expected, bytes) => {
    const content = "y".repeat(bytes);

    const message = new Writer(8)
      .message(1, (inner) => inner.text(5, content).message(6, () => {}), expected)
      .text(2, "after")
      .finish();

    const reader = new Reader(message);
    expect(reader.field()).toBe(1);
    const inner = reader.message();
    expect([inner.field(), inner.text() === content]).toEqual([5, true]);
    expect([inner.field(), inner.bytes().length, inner.field()]).toEqual([6, 0, 0]);
    expect([reader.field(), reader.text(), reader.field()]).toEqual([2, "after", 0]);
  });

  it("takes texts whose characters have several bytes", () => {
    const message = new Writer(1).text(1, "ключ-鍵-🔑").text(2, "é".repeat(100)).finish();

    const reader = new Reader(message);
    expect([reader.field(), reader.text()]).toEqual([1, "ключ-鍵-🔑"]);
    expect([reader.field(), reader.text(), reader.field()]).toEqual([2, "é".repeat(100), 0]);
  });
});
