import { describe, expect, it } from "vitest";
import { overlaps } from "../../../../src/domain/ip-overlap.js";

describe("overlaps", () => {
  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ["ranges beside each other", ["10.0.0.0/24"], ["10.0.1.0/24"], []],
    ["the same range", ["10.0.0.0/24"], ["10.0.0.0/24"], ["10.0.0.0/24 10.0.0.0/24"]],
    ["a range in another", ["10.0.0.0/8"], ["10.9.0.0/16"], ["10.0.0.0/8 10.9.0.0/16"]],
    ["an address in a range", ["10.0.0.7"], ["10.0.0.0/24"], ["10.0.0.7 10.0.0.0/24"]],
    ["addresses beside each other", ["10.0.0.7"], ["10.0.0.8"], []],
    ["IPv6", ["fd00::/64"], ["fd00::1"], ["fd00::/64 fd00::1"]],
    ["another family", ["0.0.0.0/0"], ["::/0"], []],
    ["what is no range", ["any"], ["any"], []],
    [
      "a wide range before a narrow one of its own side",
      ["10.0.0.0/8", "10.1.0.0/16"],
      ["10.9.0.0/16"],
      ["10.0.0.0/8 10.9.0.0/16"],
    ],
    [
      "several, a pair for each that lies over another",
      ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
      ["10.0.0.3", "10.0.0.1"],
      ["10.0.0.1 10.0.0.1", "10.0.0.3 10.0.0.3"],
    ],
  ])("knows %s", (_, one, other, expected) => {
    expect(overlaps(one, other).map((pair) => `${pair.one} ${pair.other}`)).toEqual(expected);
    expect(overlaps(other, one)).toHaveLength(expected.length);
  });
});
