/** Which rights of the table one configuration needs, each as the question that an authorizer answers. Pure. */
import { leaseNamespace, targetNamespaces } from "./namespaces.js";
import type { Feature, Right, Verb } from "./right.js";
import { RIGHTS } from "./rights.js";
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
  /** Where renewed tokens are kept; undefined: nothing says that there are any. */
  readonly kubeconfigSecret: string | undefined;
  /** The ServiceAccount in destinations; undefined: not known, or svc-ferry is none there. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
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

/** Needed by those only who are let into namespaces one by one. */
const BY_NAMESPACE: ReadonlySet<Feature> = new Set(["strays", "gone-namespaces"]);

function needed(
  cluster: Right["cluster"],
  question: RightsQuestion,
  places: Places,
): readonly NeededRight[] {
  const features = featuresOf(question);
  return RIGHTS.filter((right) => right.cluster === cluster && features.has(right.feature))
    .filter(({ feature }) => !BY_NAMESPACE.has(feature) || places.routes !== "all")
    .flatMap((right) =>
      namespacesOf(right, question, places).flatMap((namespace) =>
        namesOf(right, question, places).flatMap((name) =>
          right.verbs.map((verb) => ({ right, verb, namespace, name })),
        ),
      ),
    );
}

function featuresOf({
  routes,
  endpoints,
  webhook,
  kubeconfigSecret,
}: RightsQuestion): ReadonlySet<Feature> {
  const features = new Set<Feature>(["core", "events", "strays", "gone-namespaces", "families"]);
  if (endpoints !== "endpoints") features.add("slices");
  if (endpoints !== "slices") features.add("endpoints");
  if (routes.some(({ createNamespace }) => createNamespace)) features.add("create-namespace");
  if (webhook.on) features.add("webhook");
  if (webhook.on && webhook.certsMode === "self") features.add("ca-bundle");
  if (kubeconfigSecret !== undefined) features.add("renewal");
  return features;
}

/** Empty: the right is not needed, or nobody knows where. */
function namespacesOf(
  { place }: Right,
  { account }: RightsQuestion,
  places: Places,
): readonly (string | undefined)[] {
  switch (place) {
    case "cluster":
      return [undefined];
    case "routes":
      return places.routes === "all" ? [undefined] : places.routes;
    case "lease":
      return [places.lease];
    case "account":
      return account === undefined ? [] : [account.namespace];
    case "default":
      return ["default"];
  }
}

function namesOf(
  { names }: Right,
  { lease, webhook, account, kubeconfigSecret }: RightsQuestion,
  places: Places,
): readonly (string | undefined)[] {
  if (names === undefined) return [undefined];
  const byNames: Readonly<Record<typeof names, readonly (string | undefined)[]>> = {
    "kube-system": ["kube-system"],
    kubernetes: ["kubernetes"],
    lease: [lease.name],
    link: [places.link],
    "mapped-namespaces": places.routes === "all" ? [] : places.routes,
    "webhook-secret": [webhook.secret],
    "webhook-configuration": [webhook.configuration],
    account: [account?.name],
    "kubeconfig-secret": [kubeconfigSecret],
  };
  return byNames[names];
}
