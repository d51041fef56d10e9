/** What of a view is new to somebody who has seen another. Pure; applied by browser.js. */
import type { PageRow, Tone } from "./page-row.js";
import type { PageView } from "./page-view.js";

/** Only what differs; sent as JSON. Keys are ids of elements. */
export interface PagePatch {
  readonly tone?: Tone;
  readonly texts: Readonly<Record<string, string>>;
  /** Where they lead; "": nowhere. */
  readonly links: Readonly<Record<string, string>>;
  /** By the id of a table's body. */
  readonly tables: Readonly<Record<string, TablePatch>>;
}

interface TablePatch {
  /** How many rows there are now: those behind are taken away. */
  readonly length: number;
  readonly rows: Readonly<Record<number, PageRow>>;
}

/** undefined: nothing is new. @param seen undefined: nothing was seen yet, so everything is new */
export function pageDiff(seen: PageView | undefined, view: PageView): PagePatch | undefined {
  const texts = news(seen && textsOf(seen), textsOf(view));
  const links = news(seen && linksOf(seen), linksOf(view));
  const tables: Record<string, TablePatch> = {};
  for (const [id, { rows }] of Object.entries(view.tables)) {
    const patch = tableDiff(seen?.tables[id]?.rows, rows);
    if (patch !== undefined) tables[id] = patch;
  }
  const isSameTone = seen?.tone === view.tone;
  if (isSameTone && [texts, links, tables].every((part) => Object.keys(part).length === 0)) {
    return undefined;
  }
  return { ...(isSameTone ? {} : { tone: view.tone }), texts, links, tables };
}

/** By the id of the element that shows it. */
function textsOf({ headline, about, tables, pager }: PageView): Readonly<Record<string, string>> {
  const counts = Object.entries(tables).flatMap(([id, { count }]) =>
    count === undefined ? [] : [[countId(id), count] as const],
  );
  return {
    headline,
    about,
    ...Object.fromEntries(counts),
    ...(pager && { position: pager.position }),
  };
}

function linksOf({ pager }: PageView): Readonly<Record<string, string>> {
  return pager === undefined ? {} : { previous: pager.previous, next: pager.next };
}

/** Of the element beside a table's caption. */
export function countId(table: string): string {
  return `${table}-count`;
}

function news(
  seen: Readonly<Record<string, string>> | undefined,
  now: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(now).filter(([id, text]) => seen?.[id] !== text));
}

function tableDiff(
  seen: readonly PageRow[] | undefined,
  rows: readonly PageRow[],
): TablePatch | undefined {
  const changed = rows.flatMap((row, index) => (isSame(seen?.[index], row) ? [] : [[index, row]]));
  if (changed.length === 0 && seen?.length === rows.length) return undefined;
  return { length: rows.length, rows: Object.fromEntries(changed) };
}

function isSame(seen: PageRow | undefined, row: PageRow): boolean {
  return (
    seen !== undefined &&
    seen.tone === row.tone &&
    seen.cells.every((cell, index) => cell === row.cells[index])
  );
}
