/**
 * A setup file of vitest: a worker whose run was killed ends with it. By itself it would go on, for minutes where it only computes, and
 * nobody reads what it finds. Its servers end with it (supervised-process.ts).
 */

/** Named: a worker that takes several files is set up as often. */
function endWithParent(): void {
  // NB: not by `process.exit`, which vitest takes for a defect of the test.
  process.kill(process.pid, "SIGKILL");
}

const isSetUp = process.listeners("disconnect").some(({ name }) => name === endWithParent.name);
if (!isSetUp) process.once("disconnect", endWithParent);
