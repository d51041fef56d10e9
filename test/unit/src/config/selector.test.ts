import { describe, expect, it } from "vitest";
import { parseSelector } from "../../../../src/config/selector.js";

const requirement = (text: string) => {
  const parsed = parseSelector(text);
  return parsed.kind === "ok" ? parsed.value.requirements : parsed.reason;
};

describe("parseSelector", () => {
  it.each([
    ["sync=true", "sync", "=", ["true"]],
    ["sync == true", "sync", "=", ["true"]],
    ["sync=", "sync", "=", [""]],
    ["a.io/sync!=true", "a.io/sync", "!=", ["true"]],
    ["env in (b, a,b)", "env", "in", ["a", "b"]],
    ["env notin (a)", "env", "notin", ["a"]],
    ["env in (a,)", "env", "in", ["", "a"]],
    ["sync", "sync", "exists", []],
    ["! sync", "sync", "!exists", []],
    ["in in (in,notin)", "in", "in", ["in", "notin"]],
  ] as const)("reads %s as the API server does", (text, key, operator, values) => {
    expect(requirement(text)).toEqual([{ key, operator, values }]);
  });

  it("joins requirements by commas and normalizes the text", () => {
    const parsed = parseSelector(" sync == true , env in (b,a), !legacy ,tier");

    expect(parsed).toMatchObject({
      kind: "ok",
      value: { text: "sync=true,env in (a,b),!legacy,tier" },
    });
  });

  it("reads its own normalized text back to the same requirements", () => {
    const text = "a!=b,c notin (d,e),f,!g,h=";

    expect(parseSelector(text)).toMatchObject({ kind: "ok", value: { text } });
  });

  it("refuses the empty selector, which would export everything", () => {
    expect(requirement("")).toContain("every Service");
    expect(requirement("  ")).toContain("every Service");
  });

  it.each([
    ["sync=true,", "lacks a label key at the end"],
    [",sync=true", 'lacks a label key before ","'],
    ["a,,b", 'lacks a label key before ","'],
    ["sync true", 'has "true" where a comma or the end should be'],
    ["env in a", 'lacks "(" after in'],
    ["env in (a", 'lacks ")" at the end'],
    ["a=b=c", 'has "=" where a comma or the end should be'],
    ["-a=b", 'has "-a", which is no label key'],
    ["a=b_", 'has "b_", which is no label value'],
    ["a>1", "compares with < or >"],
    [`a=${"x".repeat(64)}`, `has "${"x".repeat(64)}", which is no label value`],
  ])("says what is wrong with %s", (text, reason) => {
    expect(requirement(text)).toBe(reason);
  });
});
