/** Lines of the tables of the page. */

/** good: in order; bad: somebody should look; none: neither. */
export type Tone = "good" | "bad" | "none";

/** One line of a table. */
export interface PageRow {
  readonly tone: Tone;
  /** As many as the table has columns. */
  readonly cells: readonly string[];
}

/** In a cell that has nothing to say; left out where each cell is a line of its own. */
export const NOTHING = "–";

/** In UTC. Moments, not ages: an age would change every row every second. */
export function moment(rfc3339: string | undefined): string {
  return rfc3339 === undefined ? NOTHING : rfc3339.slice(0, 19).replace("T", " ");
}
