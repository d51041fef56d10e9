/** What a command of the mirror was answered: lines for people, or with `-o json` one document. */
import type { Flags } from "../config/given.js";
import { textOf } from "./mirror-command.js";
import type { Terminal } from "./terminal.js";

/** By whom a document is known. */
type AnswerKind =
  "MirrorDrain" | "MirrorPromotion" | "MirrorResumption" | "MirrorLeave" | "MirrorBrakeRelease";

export interface Answer {
  readonly kind: AnswerKind;
  readonly link: string;
  /** Its `kind` is the document's `outcome`. */
  readonly answer: { readonly kind: string };
  /** The same for people. */
  readonly lines: readonly string[];
}

/** Of several answers of one command the document is the last one's. */
export type AnswerOutput = (...answers: readonly Answer[]) => void;

/** NB: what could not be done at all is told on standard error in both formats, and then there is no document. */
export function answerOutput({ stdout }: Terminal, flags: Flags): AnswerOutput {
  if (flags["output"] !== "json") {
    return (...answers) => stdout(textOf(answers.flatMap(({ lines }) => lines)));
  }
  return (...answers) => {
    const last = answers.at(-1);
    if (last === undefined) return;
    const { kind, link, answer } = last;
    const { kind: outcome, ...rest } = answer;
    const document = { apiVersion: "svc-ferry.io/cli/v1", kind, link, outcome, ...rest };
    stdout(`${JSON.stringify(document, undefined, 2)}\n`);
  };
}
