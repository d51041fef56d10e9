/** The edge: what another replica shows becomes a view, or nothing. It is one of us, but maybe of another release. */
import type { PageRow, Tone } from "./page-row.js";
import type { PagerView, PageView, TableLayout, TableView } from "./page-view.js";

const TONES: readonly Tone[] = ["good", "bad", "none"];
/** Of one table. */
const MAX_ROWS = 200;
/** The page itself with a search: a link leads nowhere else. */
const OWN_ADDRESS = /^(?:\/(?:\?[\w.~%&=+*-]*)?)?$/;

/**
 * undefined: it is no view of these tables.
 * @param tables in which it would be shown: cells have to fit their columns
 */
export function readView(value: unknown, tables: readonly TableLayout[]): PageView | undefined {
  const { tone, headline, about, tables: shown, pager } = fieldsOf(value);
  const read = tables.map(({ id, columns }) => readTable(fieldsOf(shown)[id], columns.length));
  if (!isTone(tone) || typeof headline !== "string" || typeof about !== "string") return undefined;
  if (!read.every((table) => table !== undefined)) return undefined;
  const byId = Object.fromEntries(tables.map(({ id }, index) => [id, read[index] ?? { rows: [] }]));
  return { tone, headline, about, tables: byId, pager: readPager(pager) };
}

function readTable(value: unknown, columns: number): TableView | undefined {
  const { rows, count } = fieldsOf(value);
  if (!Array.isArray(rows) || rows.length > MAX_ROWS) return undefined;
  const read = rows.map((row: unknown) => readRow(row, columns));
  if (!read.every((row) => row !== undefined)) return undefined;
  return { rows: read, count: typeof count === "string" ? count : undefined };
}

function readRow(value: unknown, columns: number): PageRow | undefined {
  const { tone, cells } = fieldsOf(value);
  if (!isTone(tone) || !Array.isArray(cells) || cells.length !== columns) return undefined;
  const texts = cells.filter((cell: unknown): cell is string => typeof cell === "string");
  return texts.length === columns ? { tone, cells: texts } : undefined;
}

function readPager(value: unknown): PagerView | undefined {
  const { position, previous, next } = fieldsOf(value);
  if (typeof position !== "string" || !isOwn(previous) || !isOwn(next)) return undefined;
  return { position, previous, next };
}

function isTone(value: unknown): value is Tone {
  return TONES.some((tone) => tone === value);
}

function isOwn(value: unknown): value is string {
  return typeof value === "string" && OWN_ADDRESS.test(value);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null;
  // Any object can be read as one of unknown fields.
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
