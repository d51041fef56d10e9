/** What of a view is new to somebody who has seen another. Pure; applied by browser.js. */
import type { PageRow } from "./page-row.js";
import type { PageView } from "./page-view.js";

/** Only what differs; sent as JSON. */
export interface PagePatch {
  readonly texts: Readonly<Partial<Record<TextPart, string>>>;
  readonly tables: Readonly<Partial<Record<TablePart, TablePatch>>>;
}

interface TablePatch {
  /** How many rows there are now: those behind are taken away. */
  readonly length: number;
  readonly rows: Readonly<Record<number, PageRow>>;
}

const TEXTS = ["headline", "tone", "about", "found"] as const;
const TABLES = ["clusters", "services", "audit"] as const;
type TextPart = (typeof TEXTS)[number];
type TablePart = (typeof TABLES)[number];

/** undefined: nothing is new. @param seen undefined: nothing was seen yet, so everything is new */
export function pageDiff(seen: PageView | undefined, view: PageView): PagePatch | undefined {
  const texts = TEXTS.filter((part) => seen?.[part] !== view[part]);
  const tables = TABLES.map((part) => [part, tableDiff(seen?.[part], view[part])] as const).filter(
    ([, patch]) => patch !== undefined,
  );
  if (texts.length === 0 && tables.length === 0) return undefined;
  return {
    texts: Object.fromEntries(texts.map((part) => [part, view[part]])),
    tables: Object.fromEntries(tables),
  };
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
