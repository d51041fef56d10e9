/**
 * Label selectors in the API server's own grammar (k8s.io/apimachinery/pkg/labels/selector.go): `a=b`, `a==b`,
 * `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. `<` and `>` are refused: nothing here orders labels.
 */
import type { Requirement, Selector } from "../domain/route.js";
import { requirementText } from "../domain/selection.js";
import { isLabelValue, isQualifiedName } from "./names.js";
import { invalid, ok, type Parsed } from "./parsed.js";

/**
 * Reads a selector. The empty one is refused: in Kubernetes it selects everything, and so every Service of a
 * namespace would travel because a value was forgotten.
 */
export function parseSelector(text: string): Parsed<Selector> {
  const tokens = text.match(/[(),]|==|!=|[=!<>]|[^\s(),=!<>]+/g) ?? [];
  if (tokens.length === 0) return invalid("is empty and would select every Service");
  const requirements: Requirement[] = [];
  const rest = new Tokens(tokens);
  do {
    const parsed = parseRequirement(rest);
    if (parsed.kind === "invalid") return parsed;
    requirements.push(parsed.value);
  } while (rest.take(","));
  const left = rest.next();
  if (left !== undefined) return invalid(`has "${left}" where a comma or the end should be`);
  return ok({ text: requirements.map(requirementText).join(","), requirements });
}

function parseRequirement(tokens: Tokens): Parsed<Requirement> {
  const negated = tokens.take("!");
  const key = tokens.word();
  if (key === undefined) return invalid(`lacks a label key ${tokens.place()}`);
  if (!isQualifiedName(key)) return invalid(`has "${key}", which is no label key`);
  if (negated) return ok({ key, operator: "!exists", values: [] });
  if (tokens.take("=") || tokens.take("==")) return single(tokens, key, "=");
  if (tokens.take("!=")) return single(tokens, key, "!=");
  if (tokens.take("in")) return list(tokens, key, "in");
  if (tokens.take("notin")) return list(tokens, key, "notin");
  if (tokens.take("<") || tokens.take(">")) return invalid("compares with < or >");
  return ok({ key, operator: "exists", values: [] });
}

/** `a=` has the empty value. */
function single(tokens: Tokens, key: string, operator: "=" | "!="): Parsed<Requirement> {
  return requirement(key, operator, [tokens.word() ?? ""]);
}

function list(tokens: Tokens, key: string, operator: "in" | "notin"): Parsed<Requirement> {
  if (!tokens.take("(")) return invalid(`lacks "(" after ${operator}`);
  const values: string[] = [];
  do values.push(tokens.word() ?? "");
  while (tokens.take(","));
  if (!tokens.take(")")) return invalid(`lacks ")" ${tokens.place()}`);
  return requirement(key, operator, [...new Set(values)].toSorted());
}

function requirement(
  key: string,
  operator: Requirement["operator"],
  values: readonly string[],
): Parsed<Requirement> {
  const wrong = values.find((value) => !isLabelValue(value));
  if (wrong !== undefined) return invalid(`has "${wrong}", which is no label value`);
  return ok({ key, operator, values });
}

/** The text in pieces, taken from the front. */
class Tokens {
  #position = 0;

  constructor(private readonly tokens: readonly string[]) {}

  next(): string | undefined {
    return this.tokens[this.#position];
  }

  take(token: string): boolean {
    if (this.next() !== token) return false;
    this.#position += 1;
    return true;
  }

  /** A key or a value; `in` and `notin` may be either. undefined when punctuation or the end comes next. */
  word(): string | undefined {
    const token = this.next();
    if (token === undefined || /^[(),=!<>]/.test(token)) return undefined;
    this.#position += 1;
    return token;
  }

  place(): string {
    const token = this.next();
    return token === undefined ? "at the end" : `before "${token}"`;
  }
}
