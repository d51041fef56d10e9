/** Makes `/status` from what the mirror tells of itself. Reads memory only. */
import type { MirrorConfig } from "../../src/config/mirror-config.js";
import type { Readiness } from "../../src/ports/health.js";
import type {
  MirrorPassReport,
  MirrorStatusReport,
  RejectedFile,
} from "../../src/ports/mirror-report.js";
import { rfc3339 } from "../../src/ports/timestamps.js";
import type { MirrorStatus, PassStatus } from "./mirror-status.js";

export interface ReportParts {
  readonly config: Pick<MirrorConfig, "podName" | "link" | "mode" | "writing">;
  readonly version: string;
  readonly nowMs: number;
  /** undefined: the etcds have not said who they are yet. */
  readonly status: MirrorStatus | undefined;
  readonly rejectedFiles: readonly RejectedFile[];
  /** Source, then destination. */
  readonly sides: readonly SideState[];
}

/** What is known of one side's etcd. */
export interface SideState {
  readonly name: "source" | "destination";
  readonly connected: boolean;
  /** Kind of the error; undefined: there was none, or it was not asked yet. */
  readonly trouble: string | undefined;
  /** Wall clock, ms. */
  readonly lastContactMs: number | undefined;
}

/**
 * Ready: it writes, or it stands by for a process that does. A link that is sealed, without rules or paused is not, because
 * nothing that happens in the source reaches the destination; nor is one of which an etcd is out of reach.
 */
export function readiness({ status, config, sides }: ReportParts): Readiness {
  if (status === undefined) return { ok: false, waitingFor: missing(sides) };
  const lost = sides.filter(({ trouble }) => trouble !== undefined);
  const waitingFor = [...new Set([...whyNotReady(status, config.mode), ...missing(lost)])];
  return { ok: waitingFor.length === 0, waitingFor };
}

function missing(sides: readonly SideState[]): readonly string[] {
  return sides
    .filter(({ connected }) => !connected)
    .map(({ name, trouble }) => `the ${name}${trouble === undefined ? "" : ` (${trouble})`}`);
}

function whyNotReady(status: MirrorStatus, mode: MirrorConfig["mode"]): readonly string[] {
  const { paused } = status;
  switch (status.activity) {
    case "waiting":
      return whyNoFence(status, mode);
    case "loading":
      return ["the books of the link"];
    case "copying":
      return ["the end of a pass"];
    case "following":
      return paused === undefined ? [] : [`the destination (${paused.why})`];
    case "sealed":
      return ["somebody to resume the sealed link"];
    case "no-rules":
      return ["rules"];
    case "stopped":
      return ["nothing: it has stopped"];
  }
}

function whyNoFence({ fence }: MirrorStatus, mode: MirrorConfig["mode"]): readonly string[] {
  const { trouble, holder } = fence;
  if (trouble !== undefined) return [`the fence (${trouble})`];
  if (holder === undefined) return ["the fence, held by nobody yet"];
  return mode === "active-standby" ? [] : [`the fence, held by ${holder}`];
}

export function statusReport(parts: ReportParts): MirrorStatusReport {
  const { config, version, nowMs, status, rejectedFiles } = parts;
  const { ok, waitingFor } = readiness(parts);
  const head = {
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "MirrorStatusReport",
    time: rfc3339(nowMs),
    version,
    podName: config.podName,
    link: config.link,
    mode: config.mode,
    ready: ok,
    waitingFor,
    rejectedFiles,
    etcds: parts.sides.map(({ lastContactMs, ...side }) => ({
      ...side,
      lastContact: lastContactMs === undefined ? undefined : rfc3339(lastContactMs),
    })),
  } as const;
  if (status === undefined) {
    return { ...head, ...NOTHING_YET, writes: config.writing.cold ? "cold" : "live" };
  }
  return {
    ...head,
    activity: status.activity,
    phase: status.phase,
    writes: status.mode,
    fence: status.fence,
    revisionRead: status.revisionRead?.toString(),
    revisionApplied: status.revisionApplied?.toString(),
    lagRevisions: lagRevisions(status),
    lagSeconds: status.lagMs / 1_000,
    apiLagSeconds: status.apiLagMs / 1_000,
    owned: status.owned,
    rules: status.rules,
    rulesHash: status.rulesHash,
    debts: positive(status.debts),
    refused: status.refused.map(({ path, code, detail, sinceMs }) => ({
      path,
      code,
      detail,
      since: rfc3339(sinceMs),
    })),
    pass: status.pass && passReport(status.pass),
    passes: positive(status.passes),
    destinationTooSlow: status.destinationTooSlow,
    ...(status.rates && { rates: status.rates }),
    conflicts: status.conflicts,
    drift: status.drift,
    brake: status.brake,
    transactions: status.transactions,
    objects: status.objects,
    bytesWritten: status.bytesWritten,
    ...troubles(status),
  };
}

/** Read, and not applied yet. */
export function lagRevisions({ revisionRead, revisionApplied }: MirrorStatus): number {
  if (revisionRead === undefined || revisionApplied === undefined) return 0;
  return revisionRead > revisionApplied ? Number(revisionRead - revisionApplied) : 0;
}

const NOTHING_YET = {
  activity: "starting",
  fence: { held: false },
  lagRevisions: 0,
  lagSeconds: 0,
  apiLagSeconds: 0,
  owned: 0,
  rules: [],
  debts: {},
  refused: [],
  passes: {},
  destinationTooSlow: false,
  conflicts: { skipped: 0, adopted: 0 },
  drift: { repaired: 0, reported: 0, touched: 0 },
  brake: { engaged: false, causes: [], held: 0 },
  transactions: { succeeded: 0, conflicted: 0, failed: 0, unknown: 0 },
  objects: { put: 0, deleted: 0, ledgerOnly: 0 },
  bytesWritten: 0,
} as const;

function troubles({
  paused,
  lastError,
}: MirrorStatus): Pick<MirrorStatusReport, "paused" | "lastError"> {
  return {
    ...(paused && {
      paused: { why: paused.why, message: paused.message, since: rfc3339(paused.sinceMs) },
    }),
    ...(lastError && {
      lastError: {
        code: lastError.code,
        message: lastError.message,
        at: rfc3339(lastError.atMs),
      },
    }),
  };
}

function passReport({ startRevision, startedAtMs, ...pass }: PassStatus): MirrorPassReport {
  return { ...pass, startRevision: startRevision.toString(), startedAt: rfc3339(startedAtMs) };
}

function positive(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
