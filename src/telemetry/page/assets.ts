/**
 * What browsers load beside the HTML. NB: the build puts a module in the place of this one that holds the texts (see
 * build.config.ts), so that a bundle reads no file; unbundled they are read where they lie.
 */
import { readFileSync } from "node:fs";

/** The module that follows the stream. */
export function browserModule(): string {
  return textOf("browser.js");
}

export function styleSheet(): string {
  return textOf("page.css");
}

/** Of the tab. */
export function icon(): string {
  return textOf("icon.svg");
}

function textOf(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
