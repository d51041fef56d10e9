import { describe, expect, it } from "vitest";
import { isProgressTrusted } from "../../../../sidecar/etcd/progress-trust.js";

describe("isProgressTrusted", () => {
  it.each([
    ["3.4.30", false],
    ["3.4.31", true],
    ["3.4.40", true],
    ["3.5.0", false],
    ["3.5.12", false],
    ["3.5.13", true],
    ["3.6.0", true],
    ["3.6.8", true],
    ["3.7.0", true],
    ["3.3.27", false],
    ["3.6.0-rc.1", false],
    ["", false],
    ["2.3.8", false],
    ["4.0.0", false],
  ])("of %s is %s", (version, trusted) => {
    expect(isProgressTrusted(version)).toBe(trusted);
  });
});
