import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "../../../../src/kube/line-splitter.js";

function split(chunks: readonly Buffer[], maxLineBytes = 1_000_000): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxLineBytes);
  chunks.forEach((chunk) => splitter.push(chunk, (line) => lines.push(line)));
  return lines;
}

describe("LineSplitter", () => {
  it("gives the same lines wherever the bytes are cut, inside a character too", () => {
    const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "é🚢"));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
        const offsets = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length];
        const sorted = offsets.toSorted((a, b) => a - b);
        const chunks = sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));

        expect(split(chunks)).toEqual(split([bytes]));
        expect(split(chunks)).toHaveLength(lines.length);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps what follows the last newline and says how much it is", () => {
    const splitter = new LineSplitter(100);
    const lines: string[] = [];

    splitter.push(Buffer.from("one\ntw"), (line) => lines.push(line));

    expect(lines).toEqual(["one"]);
    expect(splitter.pendingBytes).toBe(2);
  });

  it("refuses a line beyond its cap, whether its end has come or not", () => {
    const ignore = (): void => {};

    expect(new LineSplitter(4).push(Buffer.from("12345"), ignore)).toBe("too-long");
    expect(new LineSplitter(4).push(Buffer.from("12345\n"), ignore)).toBe("too-long");
    expect(new LineSplitter(4).push(Buffer.from("1234\n"), ignore)).toBe("ok");
  });

  it("joins a 1.5 MB line that came in small parts", () => {
    const text = "x".repeat(1_500_000);
    const bytes = Buffer.from(`${text}\n`);
    const parts = Array.from({ length: 1500 }, (_, n) => bytes.subarray(n * 1001, (n + 1) * 1001));

    expect(split(parts, 2_000_000)).toEqual([text]);
  });
});
