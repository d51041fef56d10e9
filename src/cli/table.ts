/** Columns under each other. Every cell is made safe to print, and cut where that cuts. */
import { printable } from "../ports/printable.js";

/** One line for each row, without blanks at its end. */
export function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const safe = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = (safe[0] ?? []).map((_, column) =>
    Math.max(...safe.map((row) => (row[column] ?? "").length)),
  );
  return safe.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
