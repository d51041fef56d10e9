/**
 * What a walk finds, told as it is found: memory does not follow the number of keys. Text has fixed columns, JSON is one
 * document that is written piece by piece.
 */
import type { Walk } from "../ports/mirror-answers.js";
import { printable } from "../ports/printable.js";

/** One row: what, which key, why. */
export interface WalkRow {
  readonly what: string;
  readonly key: string;
  readonly reason: string;
  readonly detail: string | undefined;
}

export interface WalkOutput<Entry> {
  readonly entry: (entry: Entry) => void;
  /** The document's or the table's end. With undefined the walk could not be ended: what stands there is not all. */
  readonly end: (summary: object | undefined, text: readonly string[]) => void;
}

const WHAT_WIDTH = 9;

export function textOutput<Entry>(
  stdout: (text: string) => void,
  title: string,
  row: (entry: Entry) => WalkRow,
): WalkOutput<Entry> {
  let isFirst = true;
  const line = (what: string, key: string, why: string): void =>
    stdout(`${what.padEnd(WHAT_WIDTH)} ${key}  ${why}\n`);
  return {
    entry: (entry) => {
      if (isFirst) line(title, "KEY", "REASON");
      isFirst = false;
      const { what, key, reason, detail } = row(entry);
      const why = detail === undefined ? reason : `${reason}: ${detail}`;
      line(what, printable(key, 1_024), printable(why, 1_024));
    },
    end: (_summary, lines) => {
      for (const text of lines) stdout(`${printable(text, 1_024)}\n`);
    },
  };
}

export function jsonOutput<Entry extends object>(
  stdout: (text: string) => void,
  kind: string,
  list: string,
): WalkOutput<Entry> {
  let separator = `{"apiVersion":"svc-ferry.io/cli/v1","kind":"${kind}","${list}":[`;
  return {
    entry: (entry) => {
      stdout(`${separator}\n${JSON.stringify(entry)}`);
      separator = ",";
    },
    end: (summary) => {
      const begin = separator === "," ? "" : separator;
      stdout(`${begin}\n],"summary":${JSON.stringify(summary ?? null)}}\n`);
    },
  };
}

/** "link mirror · source revisions 100 to 120 · destination revision 55 · applied 99" */
export function walkLine(walk: Walk): string {
  const [first, last] = walk.sourceRevisions;
  const applied = walk.appliedRevision ?? "nothing yet";
  return [
    `link ${walk.link}`,
    `source revision ${first === last ? first : `${first} to ${last}`}`,
    `applied ${applied}`,
    `destination revision ${walk.destinationRevision}`,
  ].join(" · ");
}

/** "12 create · 1 delete"; without those of which there are none. */
export function countsText(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
}
