/**
 * What should be in the destination, or should not, and could not be written. Recorded before the checkpoint passes its
 * revision, so nothing that is refused, skipped or waiting is ever lost. A debt has no direction: it is paid by looking at the
 * source's current value again.
 */
import { BookUnreadable } from "../ledger/record.js";

/** Why it could not be written. Each is a label of a metric, a field of `/status` and an entry of docs/codes.md. */
export const DEBT_CODES = [
  /** An object that is not ours has the name. */
  "occupied",
  /** The destination has no such Namespace. */
  "no-namespace",
  /** The destination's Namespace is being deleted. */
  "namespace-terminating",
  /** The destination has no CRD for it. */
  "no-crd",
  /** The destination's CRD does not serve the version in which it is stored. */
  "version-not-served",
  /** Written, but without the reference to an owner that is not there yet. */
  "owner-missing",
  /** No key of the source's configuration opens the value. */
  "source-undecryptable",
  /** The value is no object that we understand: damaged, or CBOR. */
  "source-unreadable",
  /** It was encrypted, and the destination's configuration would store it in plain text. */
  "dest-plaintext",
  /** The destination's value, or those of its resource, cannot be opened with the destination's configuration. */
  "dest-undecryptable",
  /** Does not fit into one transaction together with its record. */
  "too-large",
  /** The brake holds its deletion. */
  "braked",
  /** It left the rules less than five minutes ago. */
  "rules-settling",
  /** To be written or removed through the destination's API server. */
  "via-api",
  /** The API server refused it. */
  "api-refused",
  /** Only an API server can delete it, and none is configured. */
  "needs-api",
  /** A Namespace or CRD that left the rules holds what is not ours: released. */
  "not-empty",
  /** Changed by somebody else in the destination, and `--on-drift report` leaves it so. */
  "drifted",
] as const;

export type DebtCode = (typeof DEBT_CODES)[number];

export interface Debt {
  readonly code: DebtCode;
  /** Wall clock, ms, when it was first owed for this reason. */
  readonly sinceMs: number;
  /** Revision of the source that was looked at. */
  readonly sourceRevision: bigint;
  /** For people: sizes, names of keys of encryption, field paths. Never values. */
  readonly detail: string | undefined;
}

/** Text, fields by spaces: `1 <code> <since> <revision> [<detail…>]`. */
export function encodeDebt(debt: Debt): Buffer {
  const detail = debt.detail === undefined ? "" : ` ${debt.detail}`;
  return Buffer.from(`1 ${debt.code} ${debt.sinceMs} ${debt.sourceRevision}${detail}`, "utf8");
}

/** @throws BookUnreadable */
export function decodeDebt(value: Buffer): Debt {
  const match = /^1 (\S+) (\d{1,15}) (\d{1,19})(?: (.*))?$/s.exec(value.toString("utf8"));
  const code = DEBT_CODES.find((one) => one === match?.[1]);
  const [, , since, revision, detail] = match ?? [];
  if (code === undefined || since === undefined || revision === undefined) {
    throw new BookUnreadable("debt");
  }
  return { code, sinceMs: Number(since), sourceRevision: BigInt(revision), detail };
}
