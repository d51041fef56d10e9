/** What zod found wrong in the `--config` file, in our words and with the line. */
import type { z } from "zod";
import { problem, type Problem } from "./problems.js";
import { suggest } from "./suggest.js";

/** Keys and indexes from the file's root. */
export type FilePath = readonly (string | number)[];

export interface FilePlaces {
  /** "ferry.yaml:12 routes[0].selector" */
  readonly label: (path: FilePath) => string;
  /** What is written there, undefined when nothing is. */
  readonly at: (path: FilePath) => unknown;
}

/** One problem for each thing that is wrong. `known` are the keys that the object at the issue's path may have. */
export function schemaProblems(
  issues: readonly z.core.$ZodIssue[],
  base: FilePath,
  places: FilePlaces,
  knownKeys: (path: FilePath) => readonly string[],
): readonly Problem[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.filter((part) => typeof part !== "symbol")];
    if (issue.code === "unrecognized_keys") {
      const known = knownKeys(issue.path.map(String));
      return issue.keys.map((key) => unknownKey([...path, key], places, known));
    }
    if (issue.code === "invalid_union") return unionProblems(issue, path, places, knownKeys);
    return [valueProblem(issue, path, places)];
  });
}

/** A key that nobody reads: never ignored, it is a slip more often than not. */
export function unknownKey(path: FilePath, places: FilePlaces, known: readonly string[]): Problem {
  const key = String(path.at(-1));
  return problem(places.label(path), "is not a known key", {
    allowed: known.join(", "),
    suggestion: suggest(key, known),
  });
}

/** The only union is `namespaces`: the list's own mistakes when a list is written, else both forms. */
function unionProblems(
  issue: z.core.$ZodIssueInvalidUnion,
  path: FilePath,
  places: FilePlaces,
  knownKeys: (path: FilePath) => readonly string[],
): readonly Problem[] {
  const value = places.at(path);
  const listIssues = issue.errors[0];
  if (Array.isArray(value) && listIssues !== undefined) {
    return schemaProblems(listIssues, path, places, knownKeys);
  }
  const reason = value === undefined ? "is missing" : "is not valid";
  const allowed = 'a list of namespaces or "*"';
  return [problem(places.label(path), reason, { value: shown(value), allowed })];
}

function valueProblem(issue: z.core.$ZodIssue, path: FilePath, places: FilePlaces): Problem {
  const value = places.at(path);
  const label = places.label(path);
  if (value === undefined) return problem(label, "is missing");
  if (issue.code === "too_small") return problem(label, "is empty");
  const reason =
    issue.code === "invalid_type"
      ? `is not ${WORDS[issue.expected] ?? issue.expected}`
      : issue.message;
  const rule: unknown = issue.code === "custom" ? issue.params?.["allowed"] : undefined;
  const allowed = typeof rule === "string" ? rule : undefined;
  return problem(label, reason, { value: shown(value), allowed });
}

const WORDS: Readonly<Record<string, string>> = {
  string: "a text (put it in quotes)",
  array: "a list",
  object: "a map of keys",
  boolean: "true or false",
};

/** Scalars as written; of lists and maps only that they are. */
function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return "[…]";
  if (typeof value === "object" && value !== null) return "{…}";
  return typeof value === "string" ? value : JSON.stringify(value);
}
