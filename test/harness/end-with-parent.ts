/**
 * A setup file of vitest: a worker whose run was killed ends with it, and so does a run that `npm test` had started. By themselves they
 * would go on, for minutes where they only compute, and nobody reads what they find. Servers end with them (supervised-process.ts).
 */

/** Named: a worker that takes several files is set up as often. */
function endWithParent(): void {
  // NB: not by `process.exit`, which vitest takes for a defect of the test.
  process.kill(process.pid, "SIGKILL");
}

const isSetUp = process.listeners("disconnect").some(({ name }) => name === endWithParent.name);
if (!isSetUp) process.once("disconnect", endWithParent);
