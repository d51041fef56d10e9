/** How long certificates live and when they are replaced. All in ms. */
export interface RotationSettings {
  readonly caValidityMs: number;
  /** A new CA begins to be trusted when the signing one ends this soon. */
  readonly caRenewBeforeMs: number;
  readonly leafValidityMs: number;
  /** A leaf is replaced when it ends this soon. */
  readonly leafRenewBeforeMs: number;
  /**
   * How late whoever reads the bundle or a certificate may be: a CA is trusted for so long before it signs, and for so long after
   * its successor signs.
   */
  readonly overlapMs: number;
}

const DAY_MS = 86_400_000;

/**
 * CA 5 years, leaf 90 days, both replaced long before their end: a cluster may be left alone for a month. A day of overlap: a
 * replica that is cut off for a night finds its way back by itself.
 */
export const DEFAULT_ROTATION: RotationSettings = {
  caValidityMs: 5 * 365 * DAY_MS,
  caRenewBeforeMs: 365 * DAY_MS,
  leafValidityMs: 90 * DAY_MS,
  leafRenewBeforeMs: 30 * DAY_MS,
  overlapMs: DAY_MS,
};

/** After a write, at first. */
export const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/**
 * The longest that the leader pauses between two writes, when something undoes what it writes. What comes due meanwhile is late by
 * as much, and readers come after that: so it is a small part of how late they may be.
 */
export function maxPauseMs({ overlapMs }: Pick<RotationSettings, "overlapMs">): number {
  return Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, overlapMs / 8));
}

/** Why these settings would let something expire that is still in use; undefined: they do not. */
export function whyNotRotatable(settings: RotationSettings): string | undefined {
  const { caValidityMs, caRenewBeforeMs, leafValidityMs, leafRenewBeforeMs, overlapMs } = settings;
  const laterMs = overlapMs + maxPauseMs(settings);
  if (leafRenewBeforeMs < laterMs) {
    return "a leaf must be renewed at least one overlap and a pause before its end";
  }
  if (leafRenewBeforeMs >= leafValidityMs) return "a leaf would be renewed as soon as it is made";
  // One overlap until the new CA signs, another until the last reader has what it signed.
  if (caRenewBeforeMs < 2 * laterMs) {
    return "a CA must be renewed at least two overlaps and two pauses before its end";
  }
  if (caRenewBeforeMs >= caValidityMs) return "a CA would be renewed as soon as it is made";
  return undefined;
}
