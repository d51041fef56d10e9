/**
 * Whether the destination is what the rules say, also while a mirror runs. What a rehearsal would change is only suspected: two
 * clusters have no common revision, and what the mirror has not done yet is no fault. So
 *
 * 1. A rehearsal finds suspects.
 * 2. The running mirror is waited for until it has applied what the source held at the end of that.
 * 3. Another rehearsal: who is suspected again *with the same ledger record* is a finding, because the mirror has had its time
 *    and has not touched it. Who is suspected again with another record is on the move: back to 2, for as long as there is time.
 *    Who is on the move even then is being mirrored, and no finding.
 */
import type {
  Finding,
  FindingKind,
  MirrorCannot,
  VerifySummary,
} from "../../src/ports/mirror-answers.js";
import { compareKeys, KubePrefix } from "../link/keyspace.js";
import { isSearching } from "../link/state.js";
import type { Change, ChangeKind } from "../rehearsal/changes.js";
import { rehearse, type Rehearsed } from "../rehearsal/rehearse.js";
import { cannot } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";
import type { Planning } from "./plan.js";

export interface Verifying extends Omit<Planning, "state"> {
  readonly books: LinkBooks;
  /** How long a running mirror is given. */
  readonly waitMs: number;
}

type Suspects = ReadonlyMap<string, Change>;

interface Look {
  readonly suspects: Suspects;
  readonly rehearsed: Rehearsed;
}

const KINDS: Readonly<Record<ChangeKind, "missing" | "different" | "extra">> = {
  create: "missing",
  update: "different",
  adopt: "different",
  delete: "extra",
};
const REASONS: Readonly<Record<ChangeKind, string>> = {
  create: "not-there",
  update: "differs",
  adopt: "not-ours",
  delete: "not-wanted",
};
/** Between two looks at how far the mirror is. */
const LOOK_MS = 500;

/** @throws what `rehearse` throws */
export async function verify(
  verifying: Verifying,
  show: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<VerifySummary | MirrorCannot> {
  const { books, clock, waitMs, link } = verifying;
  const read = await books.state({ signal });
  if (read === undefined) {
    return cannot(`link ${link} has never written into this destination`, "run the mirror first");
  }
  if (verifying.parts.rules === undefined) {
    return cannot("there are no rules to compare with", "see that --mirror-rule names them");
  }
  const endMs = clock.monotonicMs() + waitMs;
  const running = (await books.holder({ signal })) !== undefined;
  let last = await look(verifying, signal);
  let suspects = last.suspects;
  while (running && suspects.size > 0) {
    const [, revision] = last.rehearsed.sourceRevisions;
    const hasCaughtUp = await untilApplied(verifying, { revision, endMs }, signal);
    last = await look(verifying, signal);
    const { settled, moving } = compared(suspects, last.suspects);
    suspects = settled;
    if (!hasCaughtUp || moving.size === 0 || clock.monotonicMs() >= endMs) break;
    suspects = new Map([...settled, ...moving]);
  }
  return summary(verifying, { rehearsed: last.rehearsed, suspects, running }, show, signal);
}

async function look(verifying: Verifying, signal: AbortSignal): Promise<Look> {
  const suspects = new Map<string, Change>();
  const state = (await verifying.books.state({ signal }))?.state;
  const rehearsed = await rehearse(
    { ...verifying, state, onChange: (change) => void suspects.set(change.path, change) },
    signal,
  );
  return { suspects, rehearsed };
}

/** Who was not suspected before has changed since, and is no suspect: the mirror's time for it has not come. */
function compared(
  before: Suspects,
  now: Suspects,
): { readonly settled: Suspects; readonly moving: Suspects } {
  const settled = new Map<string, Change>();
  const moving = new Map<string, Change>();
  for (const [path, change] of before) {
    const again = now.get(path);
    if (again === undefined) continue;
    if (again.recordRevision === change.recordRevision) settled.set(path, change);
    else moving.set(path, again);
  }
  return { settled, moving };
}

/** False: time is over before. */
async function untilApplied(
  { books, clock }: Verifying,
  { revision, endMs }: { readonly revision: bigint; readonly endMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    signal.throwIfAborted();
    const state = (await books.state({ signal }))?.state;
    const isPassed = state?.phase === "tail" && !isSearching(state);
    if (isPassed && (state.applied ?? 0n) >= revision) return true;
    if (clock.monotonicMs() >= endMs) return false;
    await clock.sleep(LOOK_MS, signal);
  }
}

interface Outcome {
  readonly rehearsed: Rehearsed;
  /** Who is left. */
  readonly suspects: Suspects;
  readonly running: boolean;
}

async function summary(
  { books, link, destinationPrefix }: Verifying,
  { rehearsed, suspects, running }: Outcome,
  show: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<VerifySummary> {
  const prefix = new KubePrefix(destinationPrefix);
  const applied = (await books.state({ signal }))?.state.applied;
  const [first, last] = rehearsed.sourceRevisions;
  const counts = { missing: 0, different: 0, extra: 0, debt: 0, pending: 0 };
  const findings: Finding[] = [];
  const note = (finding: FindingKind, path: string, reason: string, detail?: string): void => {
    counts[finding] += 1;
    findings.push({ finding, key: prefix.key(path), reason, detail });
  };
  for (const [path, change] of suspects) {
    const kind = isApplied(change, applied, last) ? KINDS[change.kind] : "pending";
    note(kind, path, REASONS[change.kind]);
  }
  for (const [path, { code, detail }] of rehearsed.debts) {
    if (!suspects.has(path)) note("debt", path, code, detail);
  }
  for (const finding of findings.toSorted((a, b) => compareKeys(a.key, b.key))) show(finding);
  const unequal = [...suspects.values()].filter(({ kind }) => kind !== "delete").length;
  return {
    kind: "verified",
    link,
    sourceRevisions: [first.toString(), last.toString()],
    destinationRevision: rehearsed.destinationRevision.toString(),
    appliedRevision: applied?.toString(),
    counts,
    equal: Math.max(0, rehearsed.owned - unequal),
    running,
  };
}

/** Is this something that the mirror had its time for? Of what is gone from the source nobody knows since when. */
function isApplied(
  { sourceRevision }: Change,
  applied: bigint | undefined,
  sourceNow: bigint,
): boolean {
  return applied !== undefined && (sourceRevision ?? sourceNow) <= applied;
}
