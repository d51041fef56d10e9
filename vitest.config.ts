import { defineConfig } from "vitest/config";
import "./test/harness/end-with-parent.js";
import { FileOrder } from "./test/harness/file-order.js";

// Whoever listens for the end of a channel is kept alive by it: a run has to end before `npm test` does.
process.channel?.unref();

const endWithParent = "./test/harness/end-with-parent.ts";
const setupFiles = ["reflect-metadata", endWithParent];

/**
 * unit: no server, no real time. simulation: the real core on simulated API servers, many histories. fault: real control planes
 * and broken ways to them; servers of a file's own where these are broken. integration: real control planes, one pair for the run,
 * each file in namespaces of its own. rights: what that pair has logged. browser: the pages in Chromium, about states that are made up.
 *
 * Projects with the same `groupOrder` run beside each other, groups one after the other. `npm test` runs unit and simulation beside
 * all others (test/all.ts). `maxWorkers` is meant for two cores; vitest alone would take one of them.
 */
export default defineConfig({
  test: {
    reporters: ["default", "./test/harness/closing-line.ts"],
    sequence: { sequencer: FileOrder },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts", "test/*.test.ts"],
          setupFiles,
          // No test depends on time, and a busy machine is no defect of the code: these have only the time that others leave.
          testTimeout: 180_000,
          expect: { poll: { timeout: 170_000 } },
          maxWorkers: 2,
          // What one file has loaded the next need not load again: half of the time. No module keeps anything that a test sees.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          // Beside tests that are of real time: these here are of none, and take what those leave of two cores.
          setupFiles: [...setupFiles, "./test/harness/low-priority.ts"],
          testTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          setupFiles,
          globalSetup: ["test/harness/shared-control-planes.ts"],
          isolate: false,
          testTimeout: 60_000,
          expect: { poll: { timeout: 45_000 } },
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "rights",
          include: ["test/rights/**/*.test.ts"],
          setupFiles: [endWithParent],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          // Files that break only the way to servers share these, one pair for a worker.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          setupFiles,
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
