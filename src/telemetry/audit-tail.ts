import type { AuditLines } from "../ports/audit-lines.js";

/** As many as fit on a page that is meant for the latest; each is as short as the log keeps its lines. */
const KEPT_LINES = 40;

/** Remembers the end of the audit: what the log says of changes, one line for each outcome. */
export class AuditTail implements AuditLines {
  #lines: readonly string[] = [];

  add(line: string): void {
    this.#lines = [...this.#lines.slice(1 - KEPT_LINES), line];
  }

  latest(): readonly string[] {
    return this.#lines;
  }
}
