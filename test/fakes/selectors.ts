/**
 * Label and field selectors as the API server reads them. Written for the fake
 * alone: the product's own parser must not judge itself.
 */
import type { KubeObject } from "../../src/ports/kube-api.js";
import { badRequest } from "./api-failure.js";

export type Matcher = (object: KubeObject) => boolean;

type Labels = Readonly<Record<string, string>>;
type LabelRule = (labels: Labels) => boolean;

/** What a watch or a list lets through. Empty and absent selectors let everything through. @throws ApiFailure 400 */
export function matcher(
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Matcher {
  const rules = split(labelSelector ?? "").map(labelRule);
  const fields = split(fieldSelector ?? "").map(fieldRule);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return rules.every((rule) => rule(labels)) && fields.every((rule) => rule(object));
  };
}

const KEY = "[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?";
const VALUE = "[-A-Za-z0-9_.]*";
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);

/** At the commas outside of parentheses. */
function split(text: string): string[] {
  if (text.trim() === "") return [];
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

/** NB: `!=` and `notin` also match objects without the key (measured). */
function labelRule(text: string): LabelRule {
  const exists = EXISTS.exec(text);
  if (exists !== null) {
    const [, not, key = ""] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === "");
  }
  const equality = EQUALITY.exec(text);
  if (equality !== null) {
    const [, key = "", operator, value] = equality;
    return (labels) => (labels[key] === value) === (operator !== "!=");
  }
  const set = SET.exec(text);
  if (set === null) throw badRequest(`unable to parse requirement: ${text}`);
  const [, key = "", operator, list = ""] = set;
  const values = new Set(list.split(",").map((value) => value.trim()));
  return (labels) => {
    const value = labels[key];
    return (value !== undefined && values.has(value)) === (operator === "in");
  };
}

function fieldRule(text: string): Matcher {
  const [, field, operator, value] = /^([^=!]+?)(==|=|!=)(.*)$/.exec(text) ?? [];
  if (field !== "metadata.name" && field !== "metadata.namespace") {
    throw badRequest(
      `"${field ?? text}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
  const wantEqual = operator !== "!=";
  return field === "metadata.name"
    ? ({ metadata }) => (metadata.name === value) === wantEqual
    : ({ metadata }) => ((metadata.namespace ?? "") === value) === wantEqual;
}
