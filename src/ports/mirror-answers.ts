/**
 * What the commands of the mirror are answered: plain values, so that the command line needs no word of etcd. Revisions are
 * decimal text, moments RFC 3339 in UTC. Never a value of an object: keys, reasons, field paths and sizes only.
 */

/** It could not be done. */
export interface MirrorCannot {
  readonly kind: "cannot";
  readonly problem: string;
  readonly fix: string;
}

/** What a walk over both sides has seen. */
export interface Walk {
  readonly link: string;
  /** Of the source, at the first and at the last page. */
  readonly sourceRevisions: readonly [first: string, last: string];
  /** Of the destination, at the last page. */
  readonly destinationRevision: string;
  /** Low-water mark of the mirror; undefined: it has never run. */
  readonly appliedRevision: string | undefined;
}

/**
 * - `send`: written or removed through the destination's API server, which nobody asks here
 * - `refuse`: it would not be written, and owed from then on
 */
export type PlanAction = "create" | "update" | "delete" | "adopt" | "send" | "refuse";

/** One key that the mirror would not leave as it is. */
export interface PlannedKey {
  readonly action: PlanAction;
  /** In the destination. */
  readonly key: string;
  /** A debt's code, or a word of docs/mirror.md. */
  readonly reason: string;
  readonly detail: string | undefined;
}

export interface PlanSummary extends Walk {
  readonly kind: "planned";
  readonly counts: Readonly<Record<PlanAction, number>>;
  /** Wanted, and there as wanted. */
  readonly unchanged: number;
}

/**
 * - `missing`: wanted, and not there
 * - `different`: there, and its desired part is another
 * - `extra`: ours, and wanted no more
 * - `debt`: owed: it cannot be written now
 * - `pending`: as one of the first three, but the mirror has not come so far yet
 */
export type FindingKind = "missing" | "different" | "extra" | "debt" | "pending";

/** One key that is not as it should be. */
export interface Finding {
  readonly finding: FindingKind;
  /** In the destination. */
  readonly key: string;
  readonly reason: string;
  readonly detail: string | undefined;
}

export interface VerifySummary extends Walk {
  readonly kind: "verified";
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly equal: number;
  /** A mirror of this link ran meanwhile: what it had not done yet was waited for. */
  readonly running: boolean;
}

/** What is owed, as `drain` and `promote` tell it. */
export interface OpenDebts {
  readonly count: number;
  /** By reason, none with 0. */
  readonly byCode: Readonly<Record<string, number>>;
  /** The first hundred in key order. */
  readonly first: readonly {
    readonly path: string;
    readonly code: string;
    readonly detail: string | undefined;
  }[];
}

export type DrainAnswer =
  | MirrorCannot
  | {
      readonly kind: "drained";
      /** Of the source when the command began: everything up to it is in the destination or a debt. */
      readonly sourceRevision: string;
      /** Below the source's where nothing that a mirror watches has changed since. */
      readonly appliedRevision: string;
      readonly debts: OpenDebts;
    }
  | {
      readonly kind: "behind";
      readonly sourceRevision: string;
      /** undefined: not even the first copy has ended. */
      readonly appliedRevision: string | undefined;
      /** Why a pass has not ended that looks for what is missing; undefined: none runs. */
      readonly pass: string | undefined;
    };

export type PromoteAnswer =
  | MirrorCannot
  | {
      readonly kind: "promoted";
      /** It was already; by whom and when. */
      readonly before: { readonly by: string; readonly at: string } | undefined;
      readonly appliedRevision: string | undefined;
      /** When the mirror last said how far it is: how old the data is. */
      readonly dataAt: string;
      /** A first copy or another pass had not ended: what it had not reached is not there. */
      readonly unfinished: boolean;
      readonly debts: OpenDebts;
      /** Who held the fence, and writes no more. */
      readonly holder: string | undefined;
    };

export type ResumeAnswer =
  | MirrorCannot
  | {
      readonly kind: "resumed";
      readonly before: { readonly by: string; readonly at: string };
    };

/** `keep`: the objects stay and belong to nobody. `remove`: those that nobody touched go. */
export type LeaveHow = "keep" | "remove";

export type LeaveAnswer =
  | MirrorCannot
  | {
      readonly kind: "left";
      readonly owned: number;
      readonly removed: number;
      /** Written through the API server, there still, and with the link's mark on them: docs/mirror.md says how it comes off. */
      readonly marked: number;
      /** Stay though `remove` was asked, with why: touched since, or only an API server may delete them. */
      readonly stayed: readonly { readonly path: string; readonly why: string }[];
      /** Of those, how many `stayed` does not name. */
      readonly stayedMore: number;
    };

export type ReleaseBrakeAnswer =
  | MirrorCannot
  /** The mirror that holds the fence does them in its next pass; without one, the next mirror that runs. */
  | { readonly kind: "released"; readonly held: number; readonly holder: string | undefined }
  | { readonly kind: "not-braked" };
