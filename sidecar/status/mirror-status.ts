/** What a running mirror tells of itself: `/status`, metrics and `mirror status` are made from this alone. */
import type { DebtCode } from "../debts/debt.js";
import type { PassCause, Phase } from "../link/state.js";
import type { PassRates } from "../pass/convergence.js";

/**
 * - `waiting`: another process holds the fence
 * - `loading`: the fence is ours, books are being read
 * - `copying`: a pass without which there is nothing to follow
 * - `following`: the tail
 * - `sealed`, `no-rules`: nothing is written until a person acts
 * - `stopped`: ended, or refused: see lastError
 */
export type Activity =
  "waiting" | "loading" | "copying" | "following" | "sealed" | "no-rules" | "stopped";

export interface FenceStatus {
  readonly held: boolean;
  /** Who holds it, as they call themselves; undefined: nobody, or not known. */
  readonly holder: string | undefined;
  /** Why it cannot be taken: "no-space" and the like. */
  readonly trouble: string | undefined;
}

interface RuleCounts {
  /** "sequential[0]": where it stands in the file. */
  readonly label: string;
  /** Objects in the destination that are there because of it. */
  readonly owned: number;
}

export interface PassStatus {
  readonly cause: PassCause;
  readonly startRevision: bigint;
  /** Objects read in the source, so far. */
  readonly read: number;
  /** Wanted by a rule, so far. */
  readonly matched: number;
  readonly written: number;
  readonly bytes: number;
  /** Objects of the source below the prefixes that are read, counted when it began; undefined: not counted. */
  readonly expected: number | undefined;
  /** Wall clock, ms. */
  readonly startedAtMs: number;
}

/** One object that is not written, for people: the newest of each reason. */
export interface RefusedObject {
  readonly path: string;
  readonly code: DebtCode;
  readonly detail: string | undefined;
  readonly sinceMs: number;
}

/** The writer stands still and tries again. */
export interface WriterPause {
  /** Kind of the error: "no-space", "auth", "unavailable" … */
  readonly why: string;
  readonly message: string;
  readonly sinceMs: number;
}

export interface BrakeStatus {
  readonly engaged: boolean;
  /** What wanted to delete so much: a pass's cause, "namespace", "events". */
  readonly causes: readonly string[];
  /** Deletions that are held. */
  readonly held: number;
}

export interface TransactionCounts {
  readonly succeeded: number;
  /** Something had changed between reading and writing. */
  readonly conflicted: number;
  readonly failed: number;
  /** Sent, and no answer came: looked up before anything was sent again. */
  readonly unknown: number;
}

export interface LastError {
  /** Kind or name, never a message with a request in it. */
  readonly code: string;
  readonly message: string;
  /** Wall clock, ms. */
  readonly atMs: number;
}

export interface MirrorStatus {
  readonly link: string;
  readonly activity: Activity;
  /** As in the state key; undefined before it was read. */
  readonly phase: Phase | undefined;
  readonly fence: FenceStatus;
  /** Newest revision of the source that has been read. */
  readonly revisionRead: bigint | undefined;
  /** Low-water mark: everything at or below it is in the destination or a debt. */
  readonly revisionApplied: bigint | undefined;
  /** See LowWaterMark.lagMs. */
  readonly lagMs: number;
  /**
   * For how long the oldest object waits that goes through the destination's API server; 0: none does. Raw writes never wait for that
   * server, so this is by how much the one way is behind the other.
   */
  readonly apiLagMs: number;
  readonly rules: readonly RuleCounts[];
  readonly rulesHash: string | undefined;
  /** Objects that are ours. */
  readonly owned: number;
  readonly debts: Readonly<Record<DebtCode, number>>;
  /** At most a hundred. */
  readonly refused: readonly RefusedObject[];
  readonly pass: PassStatus | undefined;
  /** Passes that ended, by cause, in this process. */
  readonly passes: Readonly<Record<PassCause, number>>;
  /** The destination is slower than the source changes: passes do not shrink. */
  readonly destinationTooSlow: boolean;
  /** Of that; undefined when it keeps up. */
  readonly rates: PassRates | undefined;
  /** Foreign objects that were met, by what was done. */
  readonly conflicts: { readonly skipped: number; readonly adopted: number };
  readonly drift: {
    readonly repaired: number;
    readonly reported: number;
    readonly touched: number;
  };
  readonly brake: BrakeStatus;
  readonly transactions: TransactionCounts;
  /** Bytes of values written to the destination. */
  readonly bytesWritten: number;
  readonly objects: { readonly put: number; readonly deleted: number; readonly ledgerOnly: number };
  readonly mode: "live" | "cold";
  /** undefined: writes go on. */
  readonly paused: WriterPause | undefined;
  readonly lastError: LastError | undefined;
}
