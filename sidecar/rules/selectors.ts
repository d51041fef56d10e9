/**
 * Label selectors with the meaning that Kubernetes gives them (k8s.io/apimachinery pkg/labels): `matchLabels` and all
 * `matchExpressions` must hold, NotIn and DoesNotExist also match what lacks the key, an empty selector matches everything.
 */

export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Some for In and NotIn, none for the others. */
  readonly values: readonly string[];
}

/** Requirements that must all hold; several may name one key. */
export type Selector = readonly Requirement[];

export type Labels = Readonly<Record<string, string>>;

/** Does one of the selectors match? A list without any matches everything. */
export function anyMatches(selectors: readonly Selector[], labels: Labels): boolean {
  return selectors.length === 0 || selectors.some((selector) => matches(selector, labels));
}

export function matches(selector: Selector, labels: Labels): boolean {
  for (const requirement of selector) {
    const { key } = requirement;
    // Label keys are the users': "constructor" is one, and every object has that.
    if (!holds(requirement, Object.hasOwn(labels, key) ? labels[key] : undefined)) return false;
  }
  return true;
}

/** @param value undefined: the key, or field, is not there */
export function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

export const OPERATORS: readonly Operator[] = ["In", "NotIn", "Exists", "DoesNotExist"];

export function isOperator(text: string): text is Operator {
  return (OPERATORS as readonly string[]).includes(text);
}

/** How many values an operator takes is all that can be wrong between them; undefined: nothing is. */
export function whyValuesAreWrong(operator: Operator, count: number): string | undefined {
  switch (operator) {
    case "In":
    case "NotIn":
      return count === 0 ? `${operator} needs at least one value` : undefined;
    case "Exists":
    case "DoesNotExist":
      return count > 0 ? `${operator} takes no values` : undefined;
  }
}

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
const DOMAIN_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const DOMAIN = new RegExp(`^${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*$`);
const MAX_DOMAIN_CHARS = 253;

/** A name, or a domain, a slash and a name (apimachinery pkg/util/validation, IsQualifiedName). */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash === -1) return NAME.test(text);
  const domain = text.slice(0, slash);
  return (
    domain.length <= MAX_DOMAIN_CHARS && DOMAIN.test(domain) && NAME.test(text.slice(slash + 1))
  );
}

/** Empty, or at most 63 characters like a name. */
export function isLabelValue(text: string): boolean {
  return text === "" || NAME.test(text);
}
