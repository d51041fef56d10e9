import { describe, expect, it } from "vitest";
import { readJson } from "../../../webhook/json-text.js";

const read = (text: string) => readJson(Buffer.from(text));

describe("readJson", () => {
  it.each([
    ['{"a":["é",1,null]}', { a: ["é", 1, null] }],
    ["[]", []],
    ['"__proto__"', "__proto__"],
  ])("reads %s", (text, value) => {
    expect(read(text)).toEqual({ kind: "json", value });
  });

  it.each([
    ["nothing", "", "the body is empty"],
    ["no JSON", "{", "the body is not JSON"],
    ["a byte order mark", "\ufeff{}", "the body is not JSON"],
    ["more than one value", "{}{}", "the body is not JSON"],
  ])("refuses %s", (_, text, reason) => {
    expect(read(text)).toEqual({ kind: "bad", reason });
  });

  it.each([
    ["a byte that cannot be", [0x22, 0xff, 0x22]],
    ["half a character", [0x22, 0xc3, 0x22]],
    ["a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["more bytes than needed", [0x22, 0xc0, 0xaf, 0x22]],
  ])("refuses what is not UTF-8: %s", (_, bytes) => {
    expect(readJson(Buffer.from(bytes))).toEqual({
      kind: "bad",
      reason: "the body is not UTF-8",
    });
  });

  it("refuses what is nested deeper than any review, brackets and braces alike", () => {
    const deep = (open: string, close: string, levels: number) =>
      read(`${open.repeat(levels)}1${close.repeat(levels)}`).kind;

    expect([deep("[", "]", 64), deep("[", "]", 65)]).toEqual(["json", "bad"]);
    expect([deep('{"a":', "}", 64), deep('{"a":', "}", 65)]).toEqual(["json", "bad"]);
  });

  it("does not count brackets in strings, however these end", () => {
    const text = JSON.stringify({ a: '\\"[{'.repeat(100), b: "[".repeat(100) });

    expect(read(text).kind).toBe("json");
  });

  it.each([
    ["plain", '{"a":[{"__proto__":{}}]}'],
    ["in escapes", '{"\\u005f\\u005fpr\\u006fto__":1}'],
  ])("refuses the key __proto__, %s", (_, text) => {
    expect(read(text)).toEqual({ kind: "bad", reason: 'the body has a key "__proto__"' });
  });

  it("takes __proto__ as a value, and constructor as a key", () => {
    expect(read('{"constructor":"__proto__","prototype":"a"}')).toEqual({
      kind: "json",
      value: { constructor: "__proto__", prototype: "a" },
    });
  });
});
