import { describe, expect, it } from "vitest";
import { suggest } from "../../../../src/config/suggest.js";

const KNOWN = ["src-context", "dst-context", "src-ns", "http-port"];

describe("suggest", () => {
  it.each([
    ["src-contxt", "src-context"],
    ["srcNs", "src-ns"],
    ["http_prot", "http-port"],
    ["dst-contexts", "dst-context"],
  ])("finds what %s was meant to be", (slip, meant) => {
    expect(suggest(slip, KNOWN)).toBe(meant);
  });

  it("does not guess when nothing is near", () => {
    expect(suggest("frobnicate", KNOWN)).toBeUndefined();
  });
});
