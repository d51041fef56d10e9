/** Colours for people at a terminal. Pipes, files and whoever asks for none get the bare words, which say the same. */
import { Option } from "commander";
import type { Terminal } from "./terminal.js";

export type Colour = "red" | "yellow" | "green" | "grey";

/** Gives a text its colour, or gives it back as it is. */
export type Paint = (colour: Colour, text: string) => string;

export const PLAIN: Paint = (_, text) => text;

/** ECMA-48, SGR: of the eight that every terminal has, and its own idea of grey. */
const SGR: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, grey: 90 };

export const NO_COLOR_OPTION: Option = new Option("--no-color", "plain text, also on a terminal");

/**
 * By no-color.org a NO_COLOR that is not empty turns colours off; a terminal that calls itself dumb has none.
 * @param color what commander makes of `--no-color`: false when it was given
 */
export function paintFor(
  { env, isColourful = false }: Pick<Terminal, "env" | "isColourful">,
  color: unknown,
): Paint {
  const isOff = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb" || color === false;
  if (isOff || !isColourful) return PLAIN;
  return (colour, text) => `\u001b[${SGR[colour]}m${text}\u001b[39m`;
}
