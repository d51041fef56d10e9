import { describe, expect, it } from "vitest";
import { groupPattern, isGroupPattern } from "../../../../sidecar/rules/group-pattern.js";

describe("groupPattern", () => {
  it.each([
    ["", "", true],
    ["", "apps", false],
    ["apps", "apps", true],
    ["apps", "", false],
    ["*", "", true],
    ["*", "a.b.test.io", true],
    ["*.test.io", "my-app.test.io", true],
    ["*.test.io", "a.b.test.io", true],
    ["*.test.io", "test.io", false],
    ["*.test.io", "my-app.test.io.evil", false],
    ["*.test.io", "my-app.testxio", false],
    ["*.test.io", "", false],
    ["app.*.io", "app.test.io", true],
    ["app*", "apps", true],
    ["app*", "my.apps", false],
    ["*k8s*", "networking.k8s.io", true],
  ])("%j includes %j: %s", (pattern, group, expected) => {
    expect(groupPattern(pattern).includes(group)).toBe(expected);
  });

  it("is exact without a wildcard", () => {
    expect(groupPattern("test.io").exact).toBe(true);
    expect(groupPattern("*.io").exact).toBe(false);
  });

  it("is made of what groups are made of", () => {
    expect(["", "*", "a-1.b", "*.test.io"].filter((text) => !isGroupPattern(text))).toEqual([]);
    expect(["a/v1", "A", "[a]", "a b", "(a+)+$"].filter(isGroupPattern)).toEqual([]);
  });
});
