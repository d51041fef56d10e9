/** What of a mirror is not in order, and what to do: rows of its page. Pure. */
import type { MirrorStatusReport } from "../../src/ports/mirror-report.js";
import { moment, NOTHING, type PageRow, type Tone } from "../../src/telemetry/page/page-row.js";

/** A file that is wrong may be so in every line. */
const MOST_PROBLEMS = 5;

/** Each row: what, since when, what it means and what to do. What stops everything comes first. */
export function troubleRows(report: MirrorStatusReport): readonly PageRow[] {
  return [
    ...activityRows(report),
    ...writingRows(report),
    ...fileRows(report),
    ...historyRows(report),
  ];
}

function activityRows(report: MirrorStatusReport): readonly PageRow[] {
  const { activity, fence, waitingFor, ready } = report;
  if (activity === "sealed") {
    const text = "Nothing is written until somebody runs svc-ferry mirror resume, or leave.";
    return [bad("sealed", undefined, text)];
  }
  if (activity === "no-rules") {
    return [
      bad("no rules", undefined, "Nothing is mirrored, and nothing is deleted: see --mirror-rule."),
    ];
  }
  if (fence.trouble !== undefined) {
    return [
      bad(
        "fence not held",
        undefined,
        `The destination does not let it be taken: ${fence.trouble}.`,
      ),
    ];
  }
  // A pass that runs is work, not trouble.
  if (ready || activity === "copying" || activity === "loading") return [];
  return [bad("not ready", undefined, `It waits for ${waitingFor.join(", ")}.`)];
}

function writingRows(report: MirrorStatusReport): readonly PageRow[] {
  const { paused, brake, destinationTooSlow, rates } = report;
  const rows: PageRow[] = [];
  if (paused !== undefined) {
    rows.push(bad("writes stand still", paused.since, `${paused.why}: ${paused.message}`));
  }
  if (brake.engaged) {
    const text = `${brake.held} deletions are held (${brake.causes.join(", ")}). If they are right: svc-ferry mirror release-brake. If not: correct rules, labels or source.`;
    rows.push(bad("deletions held", undefined, text));
  }
  if (destinationTooSlow) {
    const speed =
      rates === undefined
        ? ""
        : `: ${rates.sourcePerSecond}/s change, ${rates.destinationPerSecond}/s are written`;
    const text = `The source changes faster than passes can copy${speed}.`;
    rows.push(bad("destination too slow", undefined, text));
  }
  return rows;
}

function fileRows({ rejectedFiles }: MirrorStatusReport): readonly PageRow[] {
  return rejectedFiles.map(({ path, problems, since }) => {
    const told = problems.slice(0, MOST_PROBLEMS).join("; ");
    const more = problems.length - MOST_PROBLEMS;
    const rest = more > 0 ? `; and ${more} more` : "";
    const text = `${path}: ${told}${rest}. What was there before is in force.`;
    return bad("file not taken", since, text);
  });
}

function historyRows({ drift, conflicts, lastError }: MirrorStatusReport): readonly PageRow[] {
  const rows: PageRow[] = [];
  if (drift.reported > 0) {
    const text = `${drift.reported} objects were changed by others in the destination and left so: --on-drift=repair undoes that.`;
    rows.push(row("none", "drift", undefined, text));
  }
  if (conflicts.adopted > 0) {
    const text = `${conflicts.adopted} objects of others were taken over, as --on-conflict says.`;
    rows.push(row("none", "taken over", undefined, text));
  }
  if (lastError !== undefined) {
    const { code, message, at } = lastError;
    rows.push(row("none", "last error", at, `${code}: ${message}`));
  }
  return rows;
}

function bad(what: string, since: string | undefined, text: string): PageRow {
  return row("bad", `▲ ${what}`, since, text);
}

function row(tone: Tone, what: string, since: string | undefined, text: string): PageRow {
  return { tone, cells: [what, since === undefined ? NOTHING : moment(since), text] };
}
