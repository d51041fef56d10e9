/** Where a selected Service goes: the one mapping, used by core, webhook and explain alike. */
import type { Reason } from "./codes.js";
import { TARGET_NAMESPACE_ANNOTATION, TARGET_NAME_ANNOTATION } from "./labels.js";
import type { Service } from "./objects.js";
import type { Route } from "./route.js";
import { serviceKey, type ServiceKey } from "./service-key.js";
import {
  isOrdinaryMirror,
  selectingRoutes,
  whyMirror,
  type SelectionContext,
} from "./selection.js";

export type Mapping =
  | { readonly kind: "target"; readonly route: Route; readonly target: ServiceKey }
  | {
      readonly kind: "refused";
      readonly route: Route;
      /** What was asked for, as well as it can be told: "namespace/name". */
      readonly target: ServiceKey;
      readonly reason: Reason;
    };

export interface MappingContext extends SelectionContext {
  /** Namespaces of the installation itself: never a target unless spelled out. */
  readonly ownNamespaces: ReadonlySet<string>;
}

/**
 * RFC 1123 label, for namespaces and Services alike. Releases before 1.36 want a letter first in a Service's name: such a
 * destination refuses it itself (rejected-by-destination).
 */
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_LABEL_LENGTH = 63;

/**
 * One mapping for each route that selects the Service. Two routes that give the same target in the same
 * destination count once: the first in the configuration, but for one that refuses what the other allows.
 */
export function mappings(service: Service, context: MappingContext): readonly Mapping[] {
  const routes = selectingRoutes(service, context);
  const mirror = routes.length === 0 ? undefined : whyMirror(service, context);
  if (mirror !== undefined) return refusedMirror(service, routes, mirror);
  if (routes.length <= 1) return routes.map((route) => mapping(service, route, context));
  const found = new Map<string, Mapping>();
  for (const route of routes) {
    const result = mapping(service, route, context);
    const id = `${route.destination} ${result.target}`;
    const before = found.get(id);
    if (before === undefined || (before.kind === "refused" && result.kind === "target")) {
      found.set(id, result);
    }
  }
  return [...found.values()];
}

/** A mirror never travels on; that is worth a word only where a person seems to have asked for it. */
function refusedMirror(
  service: Service,
  routes: readonly Route[],
  reason: Reason,
): readonly Mapping[] {
  const [route] = routes;
  if (route === undefined || isOrdinaryMirror(service, routes)) return [];
  const namespace = fill(route.target.namespace, service);
  return [{ kind: "refused", route, target: serviceKey(namespace, service.name), reason }];
}

function mapping(service: Service, route: Route, context: MappingContext): Mapping {
  const asked = service.annotations[TARGET_NAMESPACE_ANNOTATION];
  const given = fill(route.target.namespace, service);
  const namespace = asked ?? given;
  const name = service.annotations[TARGET_NAME_ANNOTATION] ?? fill(route.target.name, service);
  const target = serviceKey(namespace, name);
  const reason =
    whyNoNamespace({ asked, given }, route) ??
    whyNotAllowed({ asked, given }, route, context) ??
    whyNameRefused(name, service);
  return reason === undefined
    ? { kind: "target", route, target }
    : { kind: "refused", route, target, reason };
}

/** Fills `{namespace}` and `{name}`. */
export function fill(template: string, service: { namespace: string; name: string }): string {
  // What nearly every route has.
  if (template === "{name}") return service.name;
  if (!template.includes("{")) return template;
  return template.replace(
    /\{(namespace|name)\}/g,
    (_, field: "namespace" | "name") => service[field],
  );
}

/** Namespaces for one Service: the one that it asks for itself, which counts, and the one that its route gives. */
interface TargetNamespaces {
  readonly asked: string | undefined;
  readonly given: string;
}

function whyNoNamespace({ asked, given }: TargetNamespaces, route: Route): Reason | undefined {
  const namespace = asked ?? given;
  if (LABEL.test(namespace) && namespace.length <= MAX_LABEL_LENGTH) return undefined;
  const fix =
    asked === undefined
      ? `the target namespace "${route.target.namespace}" of route ${route.name}`
      : TARGET_NAMESPACE_ANNOTATION;
  return {
    code: "invalid-namespace",
    message: `"${namespace}" is no namespace name (lower-case letters, digits, "-", at most ${MAX_LABEL_LENGTH}); correct ${fix}`,
  };
}

function whyNotAllowed(
  { asked, given }: TargetNamespaces,
  route: Route,
  context: MappingContext,
): Reason | undefined {
  const namespace = asked ?? given;
  const isReserved = given.startsWith("kube-") || context.ownNamespaces.has(given);
  const isOpen = !isReserved || route.target.namespace === given;
  if (isOpen && namespace === given) return undefined;
  const allowed = new Set([...(isOpen ? [given] : []), ...route.target.allowedNamespaces]);
  if (allowed.has(namespace)) return undefined;
  const list = allowed.size === 0 ? "none" : [...allowed].join(", ");
  const fix = asked === undefined ? "" : `remove ${TARGET_NAMESPACE_ANNOTATION} or `;
  return {
    code: "target-not-allowed",
    message: `route ${route.name} may not write to namespace ${namespace}; allowed: ${list}; ${fix}ask the platform team to add it to the route's targets`,
  };
}

function whyNameRefused(name: string, service: Service): Reason | undefined {
  const fix =
    service.annotations[TARGET_NAME_ANNOTATION] === undefined
      ? `set ${TARGET_NAME_ANNOTATION} to another name`
      : `correct ${TARGET_NAME_ANNOTATION}`;
  if (name.length > MAX_LABEL_LENGTH) {
    return {
      code: "name-too-long",
      message: `"${name}" has ${name.length} characters, a Service's name at most ${MAX_LABEL_LENGTH}; ${fix}`,
    };
  }
  if (!LABEL.test(name)) {
    return {
      code: "invalid-name",
      message: `"${name}" is no Service name (lower-case letters, digits, "-"); ${fix}`,
    };
  }
  return undefined;
}
