/** Which rights of the table one configuration needs, each as the question that an authorizer answers. Pure. */
import { leaseNamespace, targetNamespaces } from "./namespaces.js";
import { RIGHTS, type Feature, type Right, type Verb } from "./rights.js";
import type { Route } from "./route.js";

/** What decides which rights one configuration needs. */
export interface RightsQuestion {
  /** All of the configuration. */
  readonly routes: readonly Route[];
  readonly endpoints: "slices" | "endpoints" | "both";
  /** The Lease in the source. */
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly webhook: {
    readonly on: boolean;
    readonly certsMode: "self" | "cert-manager" | "provided";
    readonly configuration: string;
    readonly secret: string;
  };
}

/** One question to an authorizer: may this be done with this object? */
export interface NeededRight {
  readonly right: Right;
  readonly verb: Verb;
  /** undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined;
  /** undefined: any. */
  readonly name: string | undefined;
}

/** What this configuration needs in its source. */
export function sourceRights(question: RightsQuestion): readonly NeededRight[] {
  const { routes, lease } = question;
  const all = routes.map(({ namespaces }) => namespaces);
  return needed("source", question, {
    routes: all.includes("all") ? "all" : [...new Set(all.flat())],
    lease: lease.namespace,
    link: undefined,
  });
}

/** What it needs in one destination. @param link undefined: not known, because the source could not be asked */
export function destinationRights(
  question: RightsQuestion,
  destination: string,
  link: string | undefined,
): readonly NeededRight[] {
  const routes = question.routes.filter((route) => route.destination === destination);
  return needed(
    "destination",
    { ...question, routes },
    { routes: targetNamespaces(routes), lease: leaseNamespace(routes), link },
  );
}

interface Places {
  readonly routes: readonly string[] | "all";
  readonly lease: string;
  readonly link: string | undefined;
}

function needed(
  cluster: Right["cluster"],
  question: RightsQuestion,
  places: Places,
): readonly NeededRight[] {
  const features = featuresOf(question);
  return RIGHTS.filter((right) => right.cluster === cluster && features.has(right.feature))
    .filter(({ feature }) => feature !== "strays" || places.routes !== "all")
    .flatMap((right) =>
      namespacesOf(right, places).flatMap((namespace) =>
        namesOf(right, question, places).flatMap((name) =>
          right.verbs.map((verb) => ({ right, verb, namespace, name })),
        ),
      ),
    );
}

function featuresOf({ routes, endpoints, webhook }: RightsQuestion): ReadonlySet<Feature> {
  const features = new Set<Feature>(["core", "events", "strays", "families", "doctor"]);
  if (endpoints !== "endpoints") features.add("slices");
  if (endpoints !== "slices") features.add("endpoints");
  if (routes.some(({ createNamespace }) => createNamespace)) features.add("create-namespace");
  if (webhook.on) features.add("webhook");
  if (webhook.on && webhook.certsMode === "self") features.add("ca-bundle");
  return features;
}

function namespacesOf({ place }: Right, places: Places): readonly (string | undefined)[] {
  switch (place) {
    case "cluster":
      return [undefined];
    case "routes":
      return places.routes === "all" ? [undefined] : places.routes;
    case "lease":
      return [places.lease];
    case "default":
      return ["default"];
  }
}

function namesOf(
  { names }: Right,
  { lease, webhook }: RightsQuestion,
  places: Places,
): readonly (string | undefined)[] {
  if (names === undefined) return [undefined];
  switch (names) {
    case "kube-system":
    case "kubernetes":
      return [names];
    case "lease":
      return [lease.name];
    case "link":
      return [places.link];
    case "mapped-namespaces":
      return places.routes === "all" ? [undefined] : places.routes;
    case "webhook-secret":
      return [webhook.secret];
    case "webhook-configuration":
      return [webhook.configuration];
  }
}
