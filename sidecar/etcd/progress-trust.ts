/**
 * From which servers a watch's progress is true: that everything up to its revision has been delivered.
 *
 * Older ones could tell a revision ahead of events that were still on their way (etcd#15220), or tell nothing to a watch
 * that had no events (etcd#17507, fixed in 3.4.31 and 3.5.13). There only events move the resume point.
 */

const FIRST_TRUSTED_PATCH: ReadonlyMap<number, number> = new Map([
  [4, 31],
  [5, 13],
]);

/** @param version as Maintenance.Status tells it, "3.5.13"; anything else is not trusted */
export function isProgressTrusted(version: string): boolean {
  const parsed = /^3\.(\d+)\.(\d+)$/.exec(version);
  if (parsed === null) return false;
  const [minor, patch] = [Number(parsed[1]), Number(parsed[2])];
  const first = FIRST_TRUSTED_PATCH.get(minor);
  return first === undefined ? minor >= 6 : patch >= first;
}
