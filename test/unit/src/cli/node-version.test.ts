import { describe, expect, it } from "vitest";
import manifest from "../../../../package.json" with { type: "json" };
import { whyNodeIsTooOld } from "../../../../src/cli/node-version.js";

describe("the Node that svc-ferry runs on", () => {
  it.each(["22.19.0", "22.20.1", "23.0.0", "24.21.0", "100.0.0"])("may be %s", (version) => {
    expect(whyNodeIsTooOld(version)).toBeUndefined();
  });

  it.each(["22.18.9", "20.20.2", "9.99.0"])("is told to be too old when it is %s", (version) => {
    expect(whyNodeIsTooOld(version)).toBe(
      `error: svc-ferry needs Node 22.19 or newer, and this is ${version}\n`,
    );
  });

  it("is the one that the package asks for", () => {
    expect(manifest.engines.node).toBe(">=22.19");
  });
});
