/** The rules file, from its text to a ruleset or to everything that is wrong with it. */
import { AppliedRules } from "./applied-rules.js";
import { checkRules, type RuleOptions } from "./check-rules.js";
import { parseRules } from "./parse-rules.js";
import type { Ruleset } from "./ruleset.js";
import { readYaml, type RuleProblem } from "./yaml-tree.js";

export type LoadedRules =
  /** Nothing is mirrored, and nothing that was mirrored is deleted. `why` is a sentence for people. */
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "ok"; readonly ruleset: Ruleset; readonly warnings: readonly string[] }
  /** All problems, in the order of their lines. At start: exit 2; at a reload: the old rules stay. */
  | { readonly kind: "invalid"; readonly problems: readonly RuleProblem[] };

/** @param text of the file, already read: whether it can be read is the caller's to say */
export function loadRules(text: string, options: RuleOptions): LoadedRules {
  const problems: RuleProblem[] = [];
  const root = readYaml(text, problems);
  if (root === undefined) {
    if (problems.length > 0) return { kind: "invalid", problems };
    return { kind: "none", why: "the rules file is empty: nothing is mirrored" };
  }
  const written = parseRules(root);
  const { rules, warnings } = checkRules(written, options);
  if (problems.length > 0) {
    return { kind: "invalid", problems: problems.toSorted((one, other) => one.line - other.line) };
  }
  if (rules.length === 0) {
    return { kind: "none", why: "the rules file holds no rules: nothing is mirrored" };
  }
  return { kind: "ok", ruleset: new AppliedRules(rules), warnings };
}
