import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** What a run came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Names a file for the tally, of whoever adds up several runs; without it the run says it itself. */
export const TALLY_VARIABLE = "SVC_FERRY_TEST_TALLY";

/**
 * Ends a run with the plain line `N passed, N failed`; a file that could not be loaded counts as one failure. Before it stands
 * what tests have measured (an annotation of the type `measured`), and why tests were skipped that this machine cannot run.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped = new Map<string, number>();
    const measured: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
        const notes = test.annotations().filter(({ type }) => type === "measured");
        measured.push(...notes.map(({ message }) => message));
        if (result.state === "skipped" && result.note !== undefined) {
          skipped.set(result.note, (skipped.get(result.note) ?? 0) + 1);
        }
      }
    }
    for (const text of measured) process.stdout.write(`\nmeasured: ${text}`);
    for (const [why, count] of skipped) process.stdout.write(`\n${count} skipped: ${why}`);
    say({ passed, failed });
  }
}

function say(tally: Tally): void {
  const path = process.env[TALLY_VARIABLE];
  if (path !== undefined) writeFileSync(path, JSON.stringify(tally));
  else process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed\n`);
}
