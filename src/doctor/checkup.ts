/** Runs checks in the order in which they need each other, and again while failures may go away. */
import type { Clock } from "../ports/clock.js";
import type { CheckReport, DoctorQuestion } from "../ports/doctor-report.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import { rfc3339 } from "../ports/timestamps.js";
import { checkKey, fail, skip, type Check, type Outcome } from "./check.js";

/** Between two looks at what fails. */
const PAUSE_MS = 2_000;

type Selection = Pick<DoctorQuestion, "only" | "skip" | "pre">;

/** The checks that are asked for; what they need is looked at only if it is asked for too. */
export function selected(
  checks: readonly Check[],
  { only, skip: left, pre }: Selection,
): readonly Check[] {
  return checks.filter(
    (check) =>
      (!pre || check.pre) &&
      (only.length === 0 || only.some((word) => isNamed(check, word))) &&
      !left.some((word) => isNamed(check, word)),
  );
}

/** Words of `--only` and `--skip` that name nothing: a slip there would hide what was to be seen. */
export function unknownNames(
  checks: readonly Check[],
  words: readonly string[],
): readonly string[] {
  return words.filter((word) => !checks.some((check) => isNamed(check, word)));
}

function isNamed({ id, section }: Check, word: string): boolean {
  return (
    id === word || id.startsWith(`${word}:`) || section === word || section.startsWith(`${word} `)
  );
}

/** By key of the check. */
type Reports = ReadonlyMap<string, CheckReport>;

interface Terms {
  /** How long failures, and what waits for them, are looked at again; what was right is not asked twice. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Where a check is explained, by its id without what stands behind a colon. */
  readonly docs?: (id: string) => string;
}

export async function checkup(
  checks: readonly Check[],
  terms: Terms,
  signal: AbortSignal,
): Promise<readonly CheckReport[]> {
  const { waitMs, clock } = terms;
  const untilMs = clock.monotonicMs() + waitMs;
  let done = await looked(checks, new Map(), terms, signal);
  while (
    clock.monotonicMs() + PAUSE_MS <= untilMs &&
    checks.some((check) => mayMend(check, done))
  ) {
    await clock.sleep(PAUSE_MS, signal);
    done = await looked(checks, settled(done), terms, signal);
  }
  return checks.flatMap((check) => done.get(checkKey(check)) ?? []);
}

/** It failed, and another look may find it right. */
function mayMend(check: Check, done: Reports): boolean {
  return check.isConstant !== true && done.get(checkKey(check))?.result === "fail";
}

/** All but failures and what waits for one. */
function settled(done: Reports): Reports {
  const failed = new Set(
    [...done.values()].flatMap(({ result, id }) => (result === "fail" ? [id] : [])),
  );
  const isOpen = ({ id, waitsFor = id }: CheckReport): boolean =>
    failed.has(id) || failed.has(waitsFor);
  return new Map([...done].filter(([, one]) => !isOpen(one)));
}

/** @param before what is known already; all else is asked */
async function looked(
  checks: readonly Check[],
  before: Reports,
  terms: Terms,
  signal: AbortSignal,
): Promise<Reports> {
  const done = new Map(before);
  const known = new Set(checks.map(checkKey));
  let left = checks.filter((check) => !done.has(checkKey(check)));
  while (left.length > 0) {
    const isReady = ({ needs }: Check): boolean =>
      needs.every((need) => !known.has(need) || done.has(need));
    const ready = left.filter(isReady);
    // Checks that wait for each other in a ring are a defect; they run all the same rather than never.
    const wave = ready.length > 0 ? ready : left;
    const reports = await Promise.all(wave.map((check) => report(check, done, terms, signal)));
    for (const [index, check] of wave.entries()) {
      const one = reports[index];
      if (one !== undefined) done.set(checkKey(check), one);
    }
    left = left.filter((check) => !done.has(checkKey(check)));
  }
  return done;
}

async function report(
  check: Check,
  done: ReadonlyMap<string, CheckReport>,
  { clock, docs = (name) => `docs/tools.md#${name}` }: Terms,
  signal: AbortSignal,
): Promise<CheckReport> {
  const { id, section, subject } = check;
  const waitsFor = blockerOf(check, done);
  const outcome =
    waitsFor === undefined ? await outcomeOf(check, signal) : skip(`waits for ${waitsFor}`);
  const observedAt = rfc3339(clock.now());
  const where = docs(id.split(":")[0] ?? id);
  return { id, section, subject, ...outcome, observedAt, waitsFor, docs: where };
}

/** The cause at the root: of a chain of skipped checks the one that failed. */
function blockerOf({ needs }: Check, done: ReadonlyMap<string, CheckReport>): string | undefined {
  for (const need of needs) {
    const found = done.get(need);
    if (found?.result === "fail") return found.id;
    if (found?.result === "skip") return found.waitsFor ?? found.id;
  }
  return undefined;
}

async function outcomeOf(check: Check, signal: AbortSignal): Promise<Outcome> {
  try {
    return await check.run(signal);
  } catch (error) {
    if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error;
    const { code, message } = error;
    if (code === "FERRY-K006") {
      const text = "ask as somebody who may, or in a pod of svc-ferry";
      return { ...skip(`whoever asks may not look: ${message}`, { text }), code };
    }
    return fail(message, { text: "docs/codes.md says what the code means" }, code);
  }
}
