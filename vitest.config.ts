import { defineConfig } from "vitest/config";

const setupFiles = ["reflect-metadata"];

/**
 * unit: no server, no real time. simulation: the real core on simulated API servers, many histories. integration:
 * real control planes, one pair for the run. rights: what that pair has logged. fault: servers of their own, one at a
 * time, because they are broken. browser: the pages in Chromium, about states that are made up.
 */
export default defineConfig({
  test: {
    reporters: ["default", "./test/harness/closing-line.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts", "test/*.test.ts"],
          setupFiles,
          // No test depends on time, and a busy machine is no defect of the code.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          setupFiles,
          testTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          setupFiles,
          globalSetup: ["test/harness/shared-control-planes.ts"],
          testTimeout: 60_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "rights",
          include: ["test/rights/**/*.test.ts"],
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          setupFiles,
          testTimeout: 60_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
