/** Which Services travel, and why the others do not. */
import type { Reason } from "./codes.js";
import { LINK_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SOURCE_ANNOTATION } from "./labels.js";
import type { Service, StringMap } from "./objects.js";
import type { Requirement, Route, Selector } from "./route.js";

/** Does the selector match, as the API server would say? */
export function matches(selector: Selector, labels: StringMap): boolean {
  return selector.requirements.every((requirement) => {
    const { key } = requirement;
    // Label keys are the users': "constructor" is one, and every object has that.
    return holds(requirement, Object.hasOwn(labels, key) ? labels[key] : undefined);
  });
}

function holds(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case "=":
    case "in":
      return value !== undefined && requirement.values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "!exists":
      return value === undefined;
  }
}

/** What about the installation decides whether a Service may be a source at all. */
export interface SelectionContext {
  readonly routes: readonly Route[];
  /** Namespaces of the *source* cluster that a route writes to, because source and destination are one cluster. */
  readonly ownTargetNamespaces: ReadonlySet<string>;
}

/**
 * A mirror is never a source, whatever its labels: else two clusters that sync each other, or a person who
 * relabels a mirror, would send it round for ever.
 */
export function whyMirror(
  service: Pick<Service, "namespace" | "labels" | "annotations">,
  context: SelectionContext,
): Reason | undefined {
  const { labels, annotations } = service;
  const because = (what: string): Reason => ({
    code: "is-a-mirror",
    message: `it ${what}, so it is a mirror itself and never travels on; label its origin instead`,
  });
  if (labels[MANAGED_BY_LABEL] === MANAGED_BY) return because(`is managed by ${MANAGED_BY}`);
  if (labels[LINK_LABEL] !== undefined) return because(`carries the label ${LINK_LABEL}`);
  if (Object.keys(annotations).some((key) => key.startsWith(SOURCE_ANNOTATION))) {
    return because(`carries ${SOURCE_ANNOTATION}`);
  }
  const mark = context.routes.find((route) => labels[route.mark.key] === route.mark.value)?.mark;
  if (mark !== undefined) return because(`carries the mark ${mark.key}=${mark.value}`);
  if (context.ownTargetNamespaces.has(service.namespace)) {
    return because(`lies in ${service.namespace}, which a route of this installation writes to`);
  }
  return undefined;
}

/** The routes whose namespaces and labels match; none for a Service that is being deleted. */
export function selectingRoutes(service: Service, context: SelectionContext): readonly Route[] {
  if (service.deleting) return [];
  return context.routes.filter((route) => selects(route, service));
}

/**
 * Does a mirror that a selector matches look as we made it? With `exists` or set-based selectors the mirrors of the other
 * direction match by themselves, and nobody wants to hear of each; one without its mark was relabelled by a person.
 */
export function isOrdinaryMirror(
  service: Pick<Service, "labels">,
  routes: readonly Route[],
): boolean {
  return routes.some((route) => service.labels[route.mark.key] === route.mark.value);
}

function selects(route: Route, service: Pick<Service, "namespace" | "labels">): boolean {
  return (
    (route.namespaces === "all" || route.namespaces.includes(service.namespace)) &&
    matches(route.selector, service.labels)
  );
}

/** All label keys that any route selects by: never copied. */
export function selectorKeys(routes: readonly Route[]): ReadonlySet<string> {
  return new Set(
    routes.flatMap((route) => [
      route.mark.key,
      ...route.selector.requirements.map((requirement) => requirement.key),
    ]),
  );
}

/** In its shortest spelling, as kubectl takes it; values in their order. */
export function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "=":
    case "!=":
      return `${key}${operator}${values[0] ?? ""}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    case "exists":
      return key;
    case "!exists":
      return `!${key}`;
  }
}
