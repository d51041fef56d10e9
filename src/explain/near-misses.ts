/** Why no route takes a Service, in the words of whoever meant it to. Pure. */
import type { Service } from "../domain/objects.js";
import type { Requirement, Route } from "../domain/route.js";
import { matches, requirementText } from "../domain/selection.js";

/** What is missing for one route, and the label that would help; undefined: labels do not. */
export interface NearMiss {
  readonly route: string;
  readonly text: string;
  readonly label: string | undefined;
}

/** Nearest first: routes of the Service's namespace before others. */
export function nearMisses(service: Service, routes: readonly Route[]): readonly NearMiss[] {
  const all = routes.map((route) => ({
    ...nearMiss(service, route),
    here: isHere(service, route),
  }));
  return [...all.filter(({ here }) => here), ...all.filter(({ here }) => !here)].map(
    ({ route, text, label }) => ({ route, text, label }),
  );
}

function isHere({ namespace }: Service, { namespaces }: Route): boolean {
  return namespaces === "all" || namespaces.includes(namespace);
}

function nearMiss(service: Service, route: Route): NearMiss {
  const { name, namespaces, selector } = route;
  const failing = selector.requirements.filter(
    (requirement) => !matches({ text: "", requirements: [requirement] }, service.labels),
  );
  const [first] = failing;
  const texts = failing.map((requirement) => labelText(service, requirement));
  if (!isHere(service, route) && namespaces !== "all") {
    const list = namespaces.join(", ");
    texts.unshift(`namespace ${service.namespace} is none of its namespaces (${list})`);
    return { route: name, text: texts.join("; "), label: undefined };
  }
  const label = first === undefined || failing.length > 1 ? undefined : wantedLabel(first);
  return { route: name, text: texts.join("; "), label };
}

/** `label sync="True", and it selects sync=true` */
function labelText({ labels }: Service, requirement: Requirement): string {
  const { key } = requirement;
  const wants = `it selects ${requirementText(requirement)}`;
  const value = labels[key];
  if (value !== undefined) return `label ${key}=${JSON.stringify(value)}, and ${wants}`;
  const similar = Object.keys(labels).find((one) => plain(one) === plain(key));
  if (similar !== undefined) return `label ${similar} is not ${key}, and ${wants}`;
  return `no label ${key}, and ${wants}`;
}

/** What `kubectl label` would have to be told; undefined: to take one away is no label. */
function wantedLabel({ operator, key, values }: Requirement): string | undefined {
  switch (operator) {
    case "=":
    case "in":
      return `${key}=${values[0] ?? ""}`;
    case "exists":
      return `${key}=`;
    case "!=":
    case "notin":
    case "!exists":
      return `${key}-`;
  }
}

/** The same for slips of case, of a prefix and of separators. */
function plain(key: string): string {
  return key
    .slice(key.lastIndexOf("/") + 1)
    .toLowerCase()
    .replaceAll(/[-_.]/g, "");
}
