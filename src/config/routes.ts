/** The routes of a configuration: the flags' one, or the file's list. */
import type { Mark, Route, Selector } from "../domain/route.js";
import { matches } from "../domain/selection.js";
import type { ConfigFile, FileEntry } from "./config-file.js";
import type { Destination } from "./config.js";
import type { FileRoute } from "./file-schema.js";
import type { Given, GivenSettings } from "./given.js";
import { isLabelValue } from "./names.js";
import { problem, type Problem } from "./problems.js";
import { SETTINGS } from "./settings.js";
import { suggest } from "./suggest.js";

/** A route with what messages about it say. */
export interface LabelledRoute {
  readonly route: Route;
  /** Where the route, or this part of it, was written. */
  readonly label: (part: RoutePart) => string;
}

type RoutePart = "route" | "namespaces" | "target" | "mark";

/** k8s-svc-sync marked its mirrors so: the selector's `sync=true` became `sync=true-external`. */
const MARK_SUFFIX = "-external";

interface RouteContext {
  readonly given: GivenSettings;
  readonly destinations: readonly Destination[];
  /** Whether a list of destinations was written, right or wrong. */
  readonly destinationsComplete: boolean;
  readonly problems: Problem[];
}

/** @param context what is wrong is added to its `problems` */
export function routes(
  file: ConfigFile | undefined,
  context: RouteContext,
): readonly LabelledRoute[] {
  if (file?.routes === undefined) {
    const route = flagsRoute(context, file?.destinations !== undefined);
    return route === undefined ? [] : [route];
  }
  for (const setting of [context.given.read(SETTINGS.srcNs), context.given.read(SETTINGS.dstNs)]) {
    if (!setting.explicit) continue;
    const reason = "is given together with routes in the file; give the one or the other";
    context.problems.push(problem(setting.label, reason, { value: setting.text }));
  }
  const built = file.routes.flatMap((entry) => fileRoute(entry, context) ?? []);
  const names = new Set<string>();
  for (const [index, { route }] of built.entries()) {
    if (names.has(route.name)) {
      const label = built[index]?.label("route") ?? "routes";
      const value = route.name;
      context.problems.push(problem(label, "is the name of two routes", { value }));
    }
    names.add(route.name);
  }
  return built;
}

/** The route that k8s-svc-sync's flags describe. */
function flagsRoute(context: RouteContext, fromFile: boolean): LabelledRoute | undefined {
  const { given, destinations, problems } = context;
  const [destination, ...others] = destinations;
  if (destination === undefined) return undefined;
  if (fromFile && others.length > 0) {
    problems.push(problem("--config", "lists several destinations, but no routes to them"));
    return undefined;
  }
  const selector = given.read(SETTINGS.syncLabel);
  const source = given.read(SETTINGS.srcNs);
  const target = given.read(SETTINGS.dstNs);
  const markLabel = given.read(SETTINGS.markLabel);
  const mark = markLabel.value ?? markOf(selector.value);
  const label = labels({
    route: selector.label,
    namespaces: source.label,
    target: target.label,
    mark: markLabel.label,
  });
  if (mark === undefined) {
    problems.push(noMark(markLabel.label, selector.value));
    return undefined;
  }
  checkMark(mark, selector.value, label("mark"), problems);
  return {
    label,
    route: {
      name: "default",
      destination: destination.name,
      namespaces: [source.value],
      selector: selector.value,
      mark,
      target: { namespace: target.value, name: "{name}", allowedNamespaces: [] },
      copyAnnotations: [],
      addressCidrs: [],
      createNamespace: given.read(SETTINGS.createNamespace).value ?? true,
      paused: false,
    },
  };
}

function fileRoute(entry: FileEntry<FileRoute>, context: RouteContext): LabelledRoute | undefined {
  const { given, problems } = context;
  const { value } = entry;
  const destination = destinationName(entry, context);
  const selector = value.selector ?? given.read(SETTINGS.syncLabel).value;
  const markLabel = given.read(SETTINGS.markLabel);
  const mark = value.markLabel ?? markLabel.value ?? markOf(selector);
  const label = labels({
    route: entry.label("name"),
    namespaces: entry.label("namespaces"),
    target: entry.label("target"),
    mark: markPlace(entry, markLabel),
  });
  if (mark === undefined) problems.push(noMark(entry.label("markLabel"), selector));
  else checkMark(mark, selector, label("mark"), problems);
  if (mark === undefined || destination === undefined) return undefined;
  const createNamespace = given.read(SETTINGS.createNamespace).value ?? false;
  return { label, route: routeOf(value, { destination, selector, mark, createNamespace }) };
}

/** @param settled what is settled for it beyond its own entry; its own createNamespace goes before that of the settings */
function routeOf(
  written: FileRoute,
  settled: Pick<Route, "destination" | "selector" | "mark" | "createNamespace">,
): Route {
  const { name, namespaces, target, targets } = written;
  return {
    ...settled,
    name,
    namespaces: namespaces === "all" ? "all" : [...new Set(namespaces)],
    target: {
      namespace: target.namespace,
      name: target.name ?? "{name}",
      allowedNamespaces: targets?.namespaces ?? [],
    },
    copyAnnotations: written.copyAnnotations ?? [],
    addressCidrs: written.addressCIDRs ?? [],
    createNamespace: written.createNamespace ?? settled.createNamespace,
    paused: written.paused ?? false,
  };
}

function labels(places: Readonly<Record<RoutePart, string>>): LabelledRoute["label"] {
  return (part) => places[part];
}

function markPlace(
  { value, label }: FileEntry<FileRoute>,
  setting: Given<Mark | undefined>,
): string {
  return value.markLabel === undefined && setting.explicit ? setting.label : label("markLabel");
}

function destinationName(
  { value, label }: FileEntry<FileRoute>,
  { destinations, destinationsComplete, problems }: RouteContext,
): string | undefined {
  const known = [...new Set(destinations.map(({ name }) => name))];
  const [only, ...others] = known;
  if (value.destination === undefined) {
    if (only !== undefined && others.length === 0) return only;
    if (destinationsComplete) {
      problems.push(problem(label("destination"), "is missing", { allowed: known.join(", ") }));
    }
    return undefined;
  }
  if (known.includes(value.destination)) return value.destination;
  if (destinationsComplete) {
    problems.push(
      problem(label("destination"), "is not a destination", {
        value: value.destination,
        allowed: known.join(", "),
        suggestion: suggest(value.destination, known),
      }),
    );
  }
  return undefined;
}

/** `sync=true` -> `sync=true-external`; undefined when the selector is anything but one equality, or the value too long. */
function markOf(selector: Selector): Mark | undefined {
  const [requirement, ...others] = selector.requirements;
  if (requirement?.operator !== "=" || others.length > 0) return undefined;
  const value = `${requirement.values[0] ?? ""}${MARK_SUFFIX}`;
  return isLabelValue(value) ? { key: requirement.key, value } : undefined;
}

function noMark(label: string, selector: Selector): Problem {
  return problem(label, `is required with the selector ${selector.text}`, {
    allowed: "key=value, the label that every mirror gets",
  });
}

/** A mark that the selector itself asks for would make every mirror look like a source. */
function checkMark(mark: Mark, selector: Selector, label: string, problems: Problem[]): void {
  const isAskedFor = selector.requirements.some(({ key }) => key === mark.key);
  if (!isAskedFor || !matches(selector, { [mark.key]: mark.value })) return;
  problems.push(
    problem(label, `is selected by ${selector.text}, so each mirror would travel again`, {
      value: `${mark.key}=${mark.value}`,
    }),
  );
}
