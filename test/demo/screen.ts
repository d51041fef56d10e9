import { styleText } from "node:util";

/** Below a step's heading. */
const INDENT = "   ";

/**
 * What the demo prints. Colours appear on a terminal only, and not with NO_COLOR: `styleText` looks at both.
 */
export const screen = {
  /** A plain line at the left edge. */
  say(line = ""): void {
    process.stdout.write(`${line}\n`);
  },

  heading(text: string): void {
    screen.say(`\n${styleText("bold", text)}`);
  },

  /** What a person would type. */
  typed(command: string): void {
    screen.say(INDENT + styleText("cyan", `$ ${command}`));
  },

  /** What a program answered, as it is; empty lines are left out. */
  shown(text: string): void {
    for (const line of text.split("\n")) {
      if (line.trim() !== "") screen.say(`${INDENT}${line.trimEnd()}`);
    }
  },

  /** What the demo itself saw. */
  note(text: string): void {
    screen.say(`${INDENT}${styleText("yellow", "→")} ${text}`);
  },

  ok(ms: number): void {
    screen.say(`${INDENT}${styleText(["green", "bold"], "ok")}  ${whole(ms)}`);
  },

  failed(ms: number, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    screen.say(`${INDENT}${styleText(["red", "bold"], "FAILED")}  ${whole(ms)}: ${why}`);
  },
};

/** "12 ms"; below ten with one decimal, "7.4 ms". */
export function whole(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
