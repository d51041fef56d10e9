/** The rules file, as it is watched. Not there, or empty: nothing is mirrored and nothing deleted, which is no mistake. */
import { loadRules, type LoadedRules } from "../rules/load.js";
import type { RuleOptions } from "../rules/check-rules.js";
import type { Reading } from "./watched-file.js";

/** What is in force. */
export type Rules = Exclude<LoadedRules, { readonly kind: "invalid" }>;

/** @param required somebody named the file */
export function readRules(
  text: string | undefined,
  path: string,
  options: RuleOptions,
): Reading<Rules> {
  if (text === undefined) {
    const why = `there is no rules file ${path}: nothing is mirrored`;
    return { kind: "ok", value: { kind: "none", why }, warnings: [why] };
  }
  const loaded = loadRules(text, options);
  switch (loaded.kind) {
    case "none":
      return { kind: "ok", value: loaded, warnings: [loaded.why] };
    case "ok":
      return { kind: "ok", value: loaded, warnings: loaded.warnings };
    case "invalid":
      return {
        kind: "invalid",
        problems: loaded.problems.map(({ line, path: where, message }) =>
          where === "" ? `${path}:${line}: ${message}` : `${path}:${line} ${where}: ${message}`,
        ),
      };
  }
}
