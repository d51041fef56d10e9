/** A mirror's report as text for people: how far it is in two lines, then what is not in order. Pure. */
import { printable } from "../ports/printable.js";
import { ageAt } from "./age.js";
import type { ReadMirrorStatus } from "./mirror-status-schema.js";
import { tableLines } from "./table.js";

/** A mirror that follows and owes nothing; or one that stands by for another, as it is meant to. */
export function isMirrorInOrder(report: ReadMirrorStatus): boolean {
  if (!report.etcds.every(({ connected }) => connected)) return false;
  if (report.activity === "waiting") {
    return report.mode === "active-standby" && report.fence.holder !== undefined;
  }
  return (
    report.activity === "following" &&
    Object.values(report.debts).every((count) => count === 0) &&
    !report.brake.engaged &&
    !report.destinationTooSlow &&
    report.paused === undefined &&
    report.rejectedFiles.length === 0
  );
}

/** Ends with a line feed. */
export function mirrorStatusText(report: ReadMirrorStatus): string {
  const lines = [
    headLine(report),
    progressLine(report),
    ownedLine(report),
    ...troubleLines(report).map((line) => printable(line, 1_000)),
    ...refusedLines(report),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** "link mirror · following · standalone, live · fence held by pod-1" */
function headLine({ link, activity, mode, writes, fence, podName }: ReadMirrorStatus): string {
  const holder = fence.held ? podName : (fence.holder ?? "nobody");
  const trouble = fence.trouble === undefined ? "" : ` (${fence.trouble})`;
  return printable(
    `link ${link} · ${activity} · ${mode}, ${writes} · fence held by ${holder}${trouble}`,
    1_000,
  );
}

/** "source read to 1234, applied to 1230 · 4 revisions behind, for 0.2 s" */
function progressLine(report: ReadMirrorStatus): string {
  const { revisionRead, revisionApplied, lagRevisions, lagSeconds, apiLagSeconds } = report;
  if (revisionRead === undefined) return "source not read yet";
  const behind = behindText(lagRevisions, lagSeconds.toFixed(1), lagSeconds === 0);
  const throughApi =
    apiLagSeconds === 0 ? "" : ` · through the API server behind for ${apiLagSeconds.toFixed(1)} s`;
  return printable(
    `source read to ${revisionRead}, applied to ${revisionApplied ?? "none"} · ${behind}${throughApi}`,
  );
}

function behindText(revisions: number, seconds: string, isFresh: boolean): string {
  if (revisions > 0) return `${revisions} revisions behind, for ${seconds} s`;
  return isFresh ? "nothing behind" : `behind for ${seconds} s`;
}

function ownedLine({ owned, rules, debts }: ReadMirrorStatus): string {
  const byRule = rules.map(({ label, owned: count }) => `${label} ${count}`).join(", ");
  const open = Object.entries(debts).filter(([, count]) => count > 0);
  const sum = open.reduce((all, [, count]) => all + count, 0);
  const owed =
    sum === 0
      ? "no debts"
      : `${sum} debts: ${open.map(([code, count]) => `${count} ${code}`).join(", ")}`;
  return printable(`${owned} objects${byRule === "" ? "" : ` (${byRule})`} · ${owed}`, 1_000);
}

function tooSlowLine({ rates }: ReadMirrorStatus): string {
  const line = "DESTINATION TOO SLOW: the source changes faster than passes can copy";
  if (rates === undefined) return line;
  return `${line}: ${rates.sourcePerSecond}/s change, ${rates.destinationPerSecond}/s are written`;
}

function cutOffLines({ etcds }: ReadMirrorStatus): readonly string[] {
  return etcds
    .filter(({ connected }) => !connected)
    .map(
      ({ name, trouble }) => `${name} NOT CONNECTED${trouble === undefined ? "" : ` (${trouble})`}`,
    );
}

function troubleLines(report: ReadMirrorStatus): readonly string[] {
  const { pass, brake, paused, lastError, drift, time } = report;
  const ago = (moment: string): string => ageAt(moment, time) ?? moment;
  const lines: string[] = [];
  if (report.waitingFor.length > 0) lines.push(`not ready: ${report.waitingFor.join(", ")}`);
  lines.push(...cutOffLines(report));
  if (pass !== undefined) {
    const { cause, read, expected, written, startedAt } = pass;
    const of = expected === undefined ? "" : ` of ${expected}`;
    lines.push(`pass ${cause}: ${read}${of} read, ${written} written, for ${ago(startedAt)}`);
  }
  if (report.destinationTooSlow) {
    lines.push(tooSlowLine(report));
  }
  if (brake.engaged) {
    const why = brake.causes.join(", ");
    lines.push(
      `BRAKE: ${brake.held} deletions held (${why}); svc-ferry mirror release-brake lets them pass`,
    );
  }
  if (paused !== undefined) {
    lines.push(`WRITES STAND STILL for ${ago(paused.since)}: ${paused.why}: ${paused.message}`);
  }
  for (const { path, problems, since } of report.rejectedFiles) {
    lines.push(`NOT TAKEN for ${ago(since)}: ${path}; what was there before is in force`);
    lines.push(...problems.map((problem) => `  ${problem}`));
  }
  const reported = drift["reported"] ?? 0;
  if (reported > 0) lines.push(`${reported} objects were changed by others and left so`);
  if (lastError !== undefined) {
    lines.push(`last error ${ago(lastError.at)} ago: ${lastError.code}: ${lastError.message}`);
  }
  return lines;
}

function refusedLines({ refused, time }: ReadMirrorStatus): readonly string[] {
  if (refused.length === 0) return [];
  return tableLines([
    ["PATH", "REASON", "AGE", "DETAIL"],
    ...refused.map(({ path, code, since, detail }) => [
      path,
      code,
      ageAt(since, time) ?? "-",
      detail ?? "-",
    ]),
  ]);
}
