import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends a run with the plain line `N passed, N failed`; a file that could not be loaded counts as one failure. Before it stands
 * why tests were skipped that this machine cannot run.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped = new Map<string, number>();
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
        if (result.state === "skipped" && result.note !== undefined) {
          skipped.set(result.note, (skipped.get(result.note) ?? 0) + 1);
        }
      }
    }
    for (const [why, count] of skipped) process.stdout.write(`\n${count} skipped: ${why}`);
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}
