/** Where a selected Service goes: the one mapping, used by core, webhook and explain alike. */
import type { Reason } from "./codes.js";
import { TARGET_NAMESPACE_ANNOTATION, TARGET_NAME_ANNOTATION } from "./labels.js";
import type { Service } from "./objects.js";
import type { Route } from "./route.js";
import { serviceKey, type ServiceKey } from "./service-key.js";
import { selectingRoutes, type SelectionContext } from "./selection.js";

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

/** RFC 1035 label, what a Service's name must be in every supported release. */
const SERVICE_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** RFC 1123 label. */
const NAMESPACE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_LABEL_LENGTH = 63;

/**
 * One mapping for each route that selects the Service. Two routes that give the same target in the same
 * destination count once: the first in the configuration.
 */
export function mappings(service: Service, context: MappingContext): readonly Mapping[] {
  const seen = new Set<string>();
  return selectingRoutes(service, context)
    .map((route) => mapping(service, route, context))
    .filter((result) => {
      const id = `${result.route.destination} ${result.target}`;
      return !seen.has(id) && seen.add(id);
    });
}

function mapping(service: Service, route: Route, context: MappingContext): Mapping {
  const routeNamespace = fill(route.target.namespace, service);
  const namespace = service.annotations[TARGET_NAMESPACE_ANNOTATION] ?? routeNamespace;
  const name = service.annotations[TARGET_NAME_ANNOTATION] ?? fill(route.target.name, service);
  const target = serviceKey(namespace, name);
  const reason =
    whyNamespaceRefused(namespace, routeNamespace, route, context) ?? whyNameRefused(name, service);
  return reason === undefined
    ? { kind: "target", route, target }
    : { kind: "refused", route, target, reason };
}

/** Fills `{namespace}` and `{name}`. */
export function fill(template: string, service: { namespace: string; name: string }): string {
  return template.replace(/\{(namespace|name)\}/g, (_, field: "namespace" | "name") => service[field]);
}

function whyNamespaceRefused(
  namespace: string,
  routeNamespace: string,
  route: Route,
  context: MappingContext,
): Reason | undefined {
  if (!NAMESPACE_NAME.test(namespace) || namespace.length > MAX_LABEL_LENGTH) {
    return {
      code: "invalid-namespace",
      message: `"${namespace}" is no namespace name (lower-case letters, digits, "-", at most ${MAX_LABEL_LENGTH}); correct ${TARGET_NAMESPACE_ANNOTATION}`,
    };
  }
  const spelledOut =
    route.target.allowedNamespaces.includes(namespace) || route.target.namespace === namespace;
  if (spelledOut) return undefined;
  const reserved = namespace.startsWith("kube-") || context.ownNamespaces.has(namespace);
  if (namespace === routeNamespace && !reserved) return undefined;
  const allowed = [...new Set([routeNamespace, ...route.target.allowedNamespaces])].join(", ");
  return {
    code: "target-not-allowed",
    message: `route ${route.name} may not write to namespace ${namespace}; allowed: ${allowed}; remove ${TARGET_NAMESPACE_ANNOTATION} or ask the platform team to add it to the route's targets`,
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
  if (!SERVICE_NAME.test(name)) {
    return {
      code: "invalid-name",
      message: `"${name}" is no Service name (a lower-case letter first, then letters, digits, "-"); ${fix}`,
    };
  }
  return undefined;
}
