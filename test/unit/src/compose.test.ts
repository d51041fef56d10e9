import { describe, expect, it } from "vitest";
import type { DependencyContainer } from "tsyringe";
import { compose } from "../../../src/compose.js";
import { loadConfig } from "../../../src/config/load.js";
import { MetricsText } from "../../../src/ports/metrics.js";
import { VERSION } from "../../../src/version.js";

/** What /metrics of a process answers that has not begun to work. */
async function exposition(): Promise<string> {
  const loaded = loadConfig({ flags: { podName: "pod" }, env: {}, readFile: () => "" });
  if (loaded.kind === "invalid") throw new Error("the defaults are no configuration");
  const roots: DependencyContainer[] = [];
  compose(loaded.config, { write: () => true }, (root) => roots.push(root));
  const texts = await Promise.all(roots.map(async (root) => root.resolve(MetricsText).text()));
  return texts.join();
}

describe("compose", () => {
  it("makes a process that shows its version, memory and event loop from the start", async () => {
    const text = await exposition();

    expect(text).toContain(`\nsvc_ferry_build_info{version="${VERSION}"} 1\n`);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
  });
});
