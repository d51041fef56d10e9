/** How a mirror stands, in one sentence. Pure. */
import type { MirrorStatusReport } from "../../src/ports/mirror-report.js";
import type { Tone } from "../../src/telemetry/page/page-row.js";

export interface Headline {
  readonly headline: string;
  readonly tone: Tone;
}

/** A change that waits for longer is no matter of milliseconds any more. */
const LATE_SECONDS = 10;

export function mirrorHeadline(report: MirrorStatusReport): Headline {
  const cutOff = report.etcds.filter(({ connected }) => !connected).map(({ name }) => name);
  if (report.activity === "starting") {
    const isTrouble = report.etcds.some(({ trouble }) => trouble !== undefined);
    const what = report.waitingFor.length > 0 ? report.waitingFor.join(" and ") : "its etcds";
    return { headline: `Waits for ${what}.`, tone: isTrouble ? "bad" : "none" };
  }
  if (cutOff.length > 0) return bad(`Out of reach: ${cutOff.join(", ")}.`);
  switch (report.activity) {
    case "waiting":
      return waiting(report);
    case "loading":
      return { headline: "Reads the books of the link.", tone: "none" };
    case "copying":
      return copying(report);
    case "following":
      return following(report);
    case "sealed":
      return bad("Sealed: nothing is written until somebody resumes it.");
    case "no-rules":
      return bad("There are no rules: nothing is mirrored, nothing is deleted.");
    default:
      // Text, as the report is read by other programs too: "stopped", and what a later version may say.
      return bad(`It is ${report.activity}.`);
  }
}

function waiting({ mode, fence }: MirrorStatusReport): Headline {
  if (fence.holder === undefined) return bad("Waits for the fence: nobody holds it yet.");
  if (mode === "active-standby") {
    return { headline: `Stands by: ${fence.holder} writes.`, tone: "good" };
  }
  return bad(`Waits: ${fence.holder} writes this link.`);
}

function copying({ pass }: MirrorStatusReport): Headline {
  if (pass === undefined) return { headline: "Copies.", tone: "none" };
  const of = pass.expected === undefined ? "" : ` of ${pass.expected}`;
  return {
    headline: `Copies: ${pass.read}${of} objects read, ${pass.written} written.`,
    tone: "none",
  };
}

function following(report: MirrorStatusReport): Headline {
  const { paused, brake, owned, lagSeconds, lagRevisions } = report;
  const debts = owedObjects(report);
  if (paused !== undefined) return bad(`Writes stand still: ${paused.why}.`);
  if (brake.engaged) return bad(`${counted(brake.held, "deletion")} held.`);
  if (debts === 1) return bad("1 object is not as the source has it.");
  if (debts > 1) return bad(`${debts} objects are not as the source has them.`);
  if (report.rejectedFiles.length > 0)
    return bad("A changed file is not valid, and was not taken.");
  if (report.destinationTooSlow) return bad("The destination is too slow for the source.");
  if (lagSeconds >= LATE_SECONDS) {
    if (lagRevisions === 0) return bad(`Behind for ${Math.floor(lagSeconds)} s.`);
    return bad(`${lagRevisions} revisions behind, for ${Math.floor(lagSeconds)} s.`);
  }
  return { headline: `${counted(owned, "object")} in sync.`, tone: "good" };
}

/** All debts together. */
export function owedObjects({ debts }: MirrorStatusReport): number {
  return Object.values(debts).reduce((sum, count) => sum + count, 0);
}

function bad(headline: string): Headline {
  return { headline, tone: "bad" };
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
