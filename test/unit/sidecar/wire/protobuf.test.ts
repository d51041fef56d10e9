import { describe, expect, it } from "vitest";
import {
  bytesField,
  FieldReader,
  Malformed,
  splice,
  varint,
  varintField,
} from "../../../../sidecar/wire/protobuf.js";

const HEX = {
  fixed: "090102030405060708" + "0d01020304",
  minusOne: "08ffffffffffffffffff01",
};

function numbersIn(hex: string): readonly number[] {
  const bytes = Buffer.from(hex, "hex");
  const reader = new FieldReader(bytes, 0, bytes.length);
  const numbers: number[] = [];
  while (reader.next()) numbers.push(reader.number);
  return numbers;
}

describe("the reader of protobuf fields", () => {
  it("passes over numbers of fixed size", () => {
    expect(numbersIn(HEX.fixed)).toEqual([1, 1]);
  });

  it("reads 64 bits exactly", () => {
    const bytes = Buffer.from(HEX.minusOne, "hex");
    const reader = new FieldReader(bytes, 0, bytes.length);

    reader.next();

    expect(reader.bigint()).toBe(2n ** 64n - 1n);
  });

  it("does not read beyond the end it was given, though the buffer goes on", () => {
    const bytes = Buffer.from("0a0361626308", "hex");

    expect(() => new FieldReader(bytes, 0, 4).next()).toThrow(Malformed);
  });

  it.each([
    ["a tag that is cut off", "80"],
    ["a number that is cut off", "08ff"],
    ["a number of more than ten bytes", "08ffffffffffffffffffff01"],
    ["a number of more than 64 bits", "08ffffffffffffffffff02"],
    ["a length beyond the end", "0a05616263"],
    ["a length that would overflow", "0affffffffffffffffff01"],
    ["a fixed number that is cut off", "0901020304"],
    ["field number 0", "0200"],
    ["a field number of more than 29 bits", "888080801000"],
    ["the start of a group", "0b"],
    ["the end of a group", "0c"],
    ["type 6, which does not exist", "0e"],
    ["type 7, which does not exist", "0f"],
  ])("refuses %s", (_, hex) => {
    expect(() => numbersIn(hex)).toThrow(Malformed);
  });

  it("refuses to take a number for text and text for a number", () => {
    const bytes = Buffer.from("08010a0161", "hex");
    const reader = new FieldReader(bytes, 0, bytes.length);

    reader.next();
    expect(() => reader.text()).toThrow(Malformed);
    reader.next();
    expect(() => reader.bigint()).toThrow(Malformed);
  });
});

describe("the writer of protobuf fields", () => {
  it.each([
    [0n, "00"],
    [127n, "7f"],
    [300n, "ac02"],
    [2n ** 63n, "80808080808080808001"],
    [-1n, "ffffffffffffffffff01"],
  ])("writes %s as a varint", (value, hex) => {
    expect(varint(value).toString("hex")).toBe(hex);
  });

  it("writes fields with their tags", () => {
    expect(varintField(7, 3).toString("hex")).toBe("3803");
    expect(bytesField(17, "é").toString("hex")).toBe("8a0102c3a9");
  });
});

describe("splicing a message", () => {
  const message = Buffer.concat([
    varintField(1, 1),
    bytesField(5, "a"),
    bytesField(5, "b"),
    varintField(9, 9),
  ]);
  const spliced = (changes: readonly (readonly [number, Buffer])[]): string =>
    Buffer.concat(splice(message, { start: 0, end: message.length }, new Map(changes))).toString(
      "hex",
    );

  it("puts a repeated field's new elements where the first one stood", () => {
    expect(spliced([[5, varintField(5, 7)]])).toBe("0801" + "2807" + "4809");
  });

  it("puts new fields in the order of their numbers, however they are given", () => {
    const changes = [12, 7, 3].map((number) => [number, varintField(number, 0)] as const);

    expect(spliced(changes)).toBe("0801" + "1800" + "2a0161" + "2a0162" + "3800" + "4809" + "6000");
  });

  it("removes", () => {
    expect(spliced([[5, Buffer.alloc(0)]])).toBe("0801" + "4809");
  });
});
