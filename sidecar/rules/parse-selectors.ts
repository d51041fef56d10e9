/** Selectors as they are written: `matchLabels` and `matchExpressions`, checked as the API server checks them. */
import {
  isLabelKey,
  isLabelValue,
  isOperator,
  OPERATORS,
  whyValuesAreWrong,
  type Operator,
  type Requirement,
} from "./selectors.js";
import { fieldsOf, meant } from "./written-fields.js";
import type { YamlNode } from "./yaml-tree.js";

/** A Requirement that knows where it stands. */
interface WrittenRequirement extends Requirement {
  readonly place: YamlNode;
}

/** Fits wherever a Selector does. */
export type WrittenSelector = readonly WrittenRequirement[];

/** What the keys of a selector are. Fields have paths and values of any form, labels have the form of labels. */
export type SelectorOf = "labels" | "fields";

/** A list of selectors; requirements that are wrong are left out, and the problems say so. */
export function parseSelectors(
  list: YamlNode | undefined,
  of: SelectorOf,
): readonly WrittenSelector[] {
  return (list?.list() ?? []).map((selector) => parseSelector(selector, of));
}

function parseSelector(node: YamlNode, of: SelectorOf): WrittenSelector {
  const field = fieldsOf(node, ["matchLabels", "matchExpressions"]);
  const labels = field("matchLabels");
  const entries = labels === undefined || labels.isEmpty ? undefined : labels.entries();
  const equal = [...(entries ?? [])].flatMap(([key, value]) => equality(key, value, of));
  const expressions = field("matchExpressions")?.list() ?? [];
  return [...equal, ...expressions.flatMap((expression) => parseExpression(expression, of))];
}

function equality(key: string, place: YamlNode, of: SelectorOf): WrittenSelector {
  const value = place.text();
  if (value === undefined) {
    if (place.isEmpty) place.problem('has no value; write "" for an empty one');
    return [];
  }
  return checked({ key, operator: "In", values: [value], place }, of, { key: place, value: place });
}

function parseExpression(place: YamlNode, of: SelectorOf): WrittenSelector {
  const field = fieldsOf(place, ["key", "operator", "values"]);
  const places = { key: field("key") ?? place, value: field("values") ?? place };
  const operator = operatorOf(field("operator") ?? place, field("operator")?.text());
  const values = valuesOf(field("values"));
  const why = operator === undefined ? undefined : whyValuesAreWrong(operator, values.length);
  if (why !== undefined) places.value.problem(why);
  const key = field("key")?.text();
  if (key === undefined) place.problem("has no key");
  if (operator === undefined || key === undefined || why !== undefined) return [];
  return checked({ key, operator, values, place }, of, places);
}

function valuesOf(list: YamlNode | undefined): readonly string[] {
  return list === undefined ? [] : list.list().map((value) => value.text() ?? "");
}

function operatorOf(place: YamlNode, written: string | undefined): Operator | undefined {
  if (written !== undefined && isOperator(written)) return written;
  const allowed = `allowed are ${OPERATORS.join(", ")}`;
  if (written === undefined) place.problem(`has no operator; ${allowed}`);
  else place.problem(`"${written}" is no operator; ${allowed}${meant(written, OPERATORS)}`);
  return undefined;
}

/** The requirement, or nothing when its key or a value cannot be one. */
function checked(
  requirement: WrittenRequirement,
  of: SelectorOf,
  places: { readonly key: YamlNode; readonly value: YamlNode },
): WrittenSelector {
  const { key, values } = requirement;
  if (of === "fields") {
    if (isFieldPath(key)) return [requirement];
    places.key.problem(`"${key}" is no path of a field, such as type or spec.nodeName`);
    return [];
  }
  const wrong = values.find((value) => !isLabelValue(value));
  if (!isLabelKey(key)) places.key.problem(`"${key}" is no key of a label`);
  if (wrong !== undefined) places.value.problem(`"${wrong}" is no value of a label`);
  return isLabelKey(key) && wrong === undefined ? [requirement] : [];
}

/** Names with dots between them; a name with dots in it cannot be reached. */
function isFieldPath(text: string): boolean {
  return text !== "" && text.split(".").every((name) => name !== "" && !/\s/.test(name));
}
