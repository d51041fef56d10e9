/** How a command answers that walks over all keys: what it finds as it finds it, and what that comes to at the end. */
import type { Flags } from "../config/given.js";
import type { MirrorCannot, Walk } from "../ports/mirror-answers.js";
import { cannot, EXIT_FOUND } from "./mirror-command.js";
import { EXIT_OK, type Terminal } from "./terminal.js";
import { jsonOutput, textOutput, walkLine, type WalkRow } from "./walk-output.js";

export interface WalkCommand<Entry, Summary> {
  readonly flags: Flags;
  /** Of the JSON document. */
  readonly kind: string;
  /** The entries' key in it. */
  readonly list: string;
  /** Of the text's first column. */
  readonly title: string;
  /** What stands in it. */
  readonly what: (entry: Entry) => string;
  readonly walk: (entry: (entry: Entry) => void) => Promise<Summary | MirrorCannot>;
  /** Parts of the text's last line but one; the last one says over what the walk went. */
  readonly sums: (summary: Summary) => readonly string[];
  /** Found what people want to know of by the exit code. */
  readonly isFound: (summary: Summary) => boolean;
}

/** Resolves with the exit code. */
export async function walked<
  Entry extends Omit<WalkRow, "what">,
  Summary extends Walk & { readonly kind: string },
>(terminal: Terminal, command: WalkCommand<Entry, Summary>): Promise<number> {
  const { flags, kind, list, title, what } = command;
  const output =
    flags["output"] === "json"
      ? jsonOutput<Entry>(terminal.stdout, kind, list)
      : textOutput<Entry>(terminal.stdout, title, (entry) => ({ ...entry, what: what(entry) }));
  const summary = await command.walk(output.entry);
  if (isCannot(summary)) {
    output.end(undefined, []);
    return cannot(terminal, summary);
  }
  output.end(summary, [command.sums(summary).join(" · "), walkLine(summary)]);
  return command.isFound(summary) ? EXIT_FOUND : EXIT_OK;
}

function isCannot(answer: MirrorCannot | { readonly kind: string }): answer is MirrorCannot {
  return answer.kind === "cannot";
}
