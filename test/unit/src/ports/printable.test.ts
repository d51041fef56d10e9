import { describe, expect, it } from "vitest";
import { printable } from "../../../../src/ports/printable.js";

describe("printable", () => {
  it("leaves ordinary text of any language alone", () => {
    const text = 'source/web → "dest" — 東京 ünïcode 🚢 \\ back';

    expect(printable(text)).toBe(text);
  });

  it.each([
    ["a line feed", "a\nb", "a\\nb"],
    ["a carriage return", "a\rb", "a\\rb"],
    ["an escape sequence", "\u001b[2J", "\\u001b[2J"],
    ["a C1 control", "a\u009bb", "a\\u009bb"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
    ["a paragraph separator", "a\u2029b", "a\\u2029b"],
    ["a next-line control", "a\u0085b", "a\\u0085b"],
    ["a bidirectional override", "a\u202eb", "a\\u202eb"],
    ["a bidirectional isolate", "a\u2066b", "a\\u2066b"],
    ["a zero-width space", "a\u200bb", "a\\u200bb"],
    ["a byte order mark", "\ufeffa", "\\ufeffa"],
    ["a tag character", "a\u{e0041}b", "a\\udb40\\udc41b"],
    ["a lone surrogate", "a\ud800b", "a\\ud800b"],
  ])("spells %s", (_, text, spelled) => {
    expect(printable(text)).toBe(spelled);
  });

  it("cuts to 256 characters and shows the cut", () => {
    expect(printable("x".repeat(256))).toBe("x".repeat(256));
    expect(printable("x".repeat(257))).toBe(`${"x".repeat(255)}…`);
  });

  it("counts what it spelled, so that escapes cannot make a text long", () => {
    expect(printable("\u202e".repeat(256))).toHaveLength(256);
  });

  it("does not cut a character in two", () => {
    expect(printable("🚢".repeat(10), 8)).toBe("🚢🚢🚢…");
  });
});
