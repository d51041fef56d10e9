/** How far one link is: the state key. Written with the checkpoint; whoever takes the fence reads it and goes on from there. */
import { BookUnreadable } from "../ledger/record.js";

/**
 * - `copy`: a pass has begun and not ended; it goes on after `pass.lastPath`
 * - `tail`: everything at or below `applied` is in the destination, or is a debt
 * - `sealed`: promoted; nobody writes until the link is resumed
 */
export type Phase = "copy" | "tail" | "sealed";

/** Why a pass over the whole source runs. Also the label `cause` of a metric. */
export const PASS_CAUSES = [
  /** Nothing was copied yet. */
  "first",
  /** A pass was interrupted. */
  "resumed",
  /** The source compacted what the watch still needed. */
  "compacted",
  /** Other rules, or other encryption. */
  "reload",
  /** The rules have stood for five minutes: what left them may go now. */
  "rules-settled",
  /** The source answers with another cluster_id, or an older revision: restored from a backup. */
  "source-changed",
  /** The destination is another cluster, and the operator has accepted it. */
  "destination-changed",
  /** Once a day, comparing what is there. */
  "verify",
  /** An operator has released the brake or resumed the link, or another link that wrote into the source was sealed or has left. */
  "requested",
] as const;

export type PassCause = (typeof PASS_CAUSES)[number];

interface PassState {
  readonly cause: PassCause;
  /** Header revision of the pass's first answer: the watch begins after it. */
  readonly startRevision: bigint;
  /** Everything up to here, in the pass's own order, is done; "" at the beginning. */
  readonly lastPath: string;
}

interface Sealed {
  /** Who promoted the destination, as the command says. */
  readonly by: string;
  /** Wall clock, ms. */
  readonly atMs: number;
}

export interface LinkState {
  readonly phase: Phase;
  /** Low-water mark: every change of the source at or below it is applied or a debt; undefined before the first pass began. */
  readonly applied: bigint | undefined;
  /** The pass that runs; undefined: none. */
  readonly pass: PassState | undefined;
  /** Decimal, as cluster_id of the headers; revisions mean something within it only. */
  readonly sourceClusterId: string;
  readonly destinationClusterId: string;
  /** Counts histories of the source: one more after each restore, so that old revisions decide nothing. From FIRST_HISTORY. */
  readonly history: number;
  /** Hash of the rules that are in force. */
  readonly rulesHash: string;
  /** What objects are made with now: see TransformEpoch. */
  readonly epoch: string;
  /** Wall clock, ms, when rules that replaced others came into force; undefined: they are the first. */
  readonly rulesSinceMs: number | undefined;
  readonly sealed: Sealed | undefined;
  /** Wall clock, ms, of this writing: how old the destination's data is when the source is lost. */
  readonly writtenAtMs: number;
  /** Wall clock, ms, when the last pass that compared everything ended. */
  readonly verifiedAtMs: number | undefined;
}

/** LinkState.history of a link that has never seen its source restored. */
export const FIRST_HISTORY = 1;

/** The pass that follows other rules or keys, before it has begun: noted with them, so that no restart forgets it. */
export function reloadOf(applied: bigint | undefined): PassState {
  return { cause: "reload", startRevision: applied ?? 0n, lastPath: "" };
}

/** What was made is not as it would be made now. False also where nothing was made yet, or nobody goes by what was. */
export function isOfOtherEpoch(state: LinkState | undefined, epoch: string): boolean {
  return state !== undefined && state.epoch !== "" && state.epoch !== epoch;
}

/**
 * A pass looks for what is missing: after other rules or keys, or one that was interrupted. The checkpoint says nothing of that. A
 * comparison has no reason to find any, and what left the rules is only removed.
 */
export function isSearching({ pass }: LinkState): boolean {
  return pass !== undefined && pass.cause !== "verify" && pass.cause !== "rules-settled";
}

/** Version of everything below `/svc-ferry/<link>/`. */
const FORMAT_VERSION = 1;

/** JSON, because people read it when things are bad; it is written every few seconds at most. */
export function encodeState(state: LinkState): Buffer {
  const { applied, pass } = state;
  return Buffer.from(
    JSON.stringify({
      formatVersion: FORMAT_VERSION,
      ...state,
      applied: applied?.toString(),
      pass: pass && { ...pass, startRevision: pass.startRevision.toString() },
    }),
    "utf8",
  );
}

/** @throws BookUnreadable */
export function decodeState(value: Buffer): LinkState {
  const json = parsed(value);
  if (json["formatVersion"] !== FORMAT_VERSION) throw new BookUnreadable("state");
  return {
    phase: oneOf(["copy", "tail", "sealed"] as const, json["phase"]),
    applied: optional(json["applied"], revision),
    pass: optional(json["pass"], passState),
    sourceClusterId: text(json["sourceClusterId"]),
    destinationClusterId: text(json["destinationClusterId"]),
    history: number(json["history"]),
    rulesHash: text(json["rulesHash"]),
    epoch: text(json["epoch"]),
    rulesSinceMs: optional(json["rulesSinceMs"], number),
    sealed: optional(json["sealed"], sealed),
    writtenAtMs: number(json["writtenAtMs"]),
    verifiedAtMs: optional(json["verifiedAtMs"], number),
  };
}

/**
 * Whether the state key says that its link was promoted.
 * @param value undefined: the link has not begun, or has left
 * @throws BookUnreadable
 */
export function isSealed(value: Buffer | undefined): boolean {
  return value !== undefined && decodeState(value).phase === "sealed";
}

function passState(value: unknown): PassState {
  const json = record(value);
  return {
    cause: oneOf(PASS_CAUSES, json["cause"]),
    startRevision: revision(json["startRevision"]),
    lastPath: text(json["lastPath"]),
  };
}

function sealed(value: unknown): Sealed {
  const json = record(value);
  return { by: text(json["by"]), atMs: number(json["atMs"]) };
}

function parsed(value: Buffer): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(value.toString("utf8")));
  } catch {
    throw new BookUnreadable("state");
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new BookUnreadable("state");
  return { ...value };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function revision(value: unknown): bigint {
  const digits = text(value);
  if (!/^\d{1,19}$/.test(digits)) throw new BookUnreadable("state");
  return BigInt(digits);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new BookUnreadable("state");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new BookUnreadable("state");
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new BookUnreadable("state");
  return found;
}
