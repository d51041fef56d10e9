/** What a mirror has to be: the allow-list of what is copied, as one pure function. */
import type { Reason } from "./codes.js";
import {
  copiedLabels,
  isOurAnnotation,
  keysRecord,
  KEYS_ANNOTATION,
  LINK_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  ROUTE_ANNOTATION,
  SOURCE_ANNOTATION,
  SOURCE_CLUSTER_ANNOTATION,
  SOURCE_UID_ANNOTATION,
} from "./labels.js";
import type { Editable, IpFamily, Service, ServicePort, StringMap } from "./objects.js";
import type { Route } from "./route.js";
import { serviceKey } from "./service-key.js";

/** What is known beside the Service and its route. */
export interface DesiredContext {
  readonly link: string;
  /** UID of the source's kube-system. */
  readonly sourceCluster: string;
  readonly selectorKeys: ReadonlySet<string>;
  /** `name@digest` by route name. */
  readonly routeRecords: ReadonlyMap<string, string>;
  /** The families the destination is known to have, primary first. */
  readonly families: readonly IpFamily[];
}

/** The spec fields that we send and compare; all others are the destination's. */
export interface DesiredSpec {
  readonly type: "ClusterIP" | "ExternalName";
  readonly headless: boolean;
  readonly externalName: string | undefined;
  readonly ports: readonly ServicePort[];
  readonly sessionAffinity: "None" | "ClientIP";
  /** Seconds; only with ClientIP. */
  readonly affinityTimeout: number | undefined;
  readonly publishNotReadyAddresses: boolean;
  /** Sent always but for ExternalName: the primary family; a second one follows from the policy. */
  readonly family: IpFamily | undefined;
  readonly familyPolicy: "SingleStack" | "PreferDualStack" | undefined;
}

export interface DesiredMirror {
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly spec: DesiredSpec;
  /** Synced all the same, but somebody should know. */
  readonly remarks: readonly Reason[];
}

/** kube-apiserver's default for sessionAffinityConfig.clientIP.timeoutSeconds (pkg/apis/core/v1/defaults.go). */
export const DEFAULT_AFFINITY_TIMEOUT_SECONDS = 10_800;

/** The mirror of one Service, or why the destination cannot have it. */
export function desired(
  service: Service,
  route: Route,
  context: DesiredContext,
): DesiredMirror | { readonly refused: Reason } {
  const families = commonFamilies(service, context.families);
  if ("refused" in families) return families;
  const labels = copiedLabels(service.labels, context.selectorKeys);
  const annotations = copiedAnnotations(service.annotations, route);
  return {
    labels: {
      ...labels,
      [MANAGED_BY_LABEL]: MANAGED_BY,
      [LINK_LABEL]: context.link,
      [route.mark.key]: route.mark.value,
    },
    annotations: {
      ...annotations,
      [LINK_LABEL]: context.link,
      [SOURCE_CLUSTER_ANNOTATION]: context.sourceCluster,
      [SOURCE_ANNOTATION]: serviceKey(service.namespace, service.name),
      [SOURCE_UID_ANNOTATION]: service.uid,
      [ROUTE_ANNOTATION]: context.routeRecords.get(route.name) ?? route.name,
      [KEYS_ANNOTATION]: keysRecord(
        [...Object.keys(labels), route.mark.key],
        Object.keys(annotations),
      ),
    },
    spec: { ...specOf(service), ...families },
    remarks: remarks(service),
  };
}

/** What a mirror's spec has of its Service, in whatever destination. */
export function specOf(service: Service): Omit<DesiredSpec, "family" | "familyPolicy"> {
  const { spec } = service;
  const external = spec.type === "ExternalName";
  const clientIp = spec.sessionAffinity === "ClientIP" && !external;
  return {
    type: external ? "ExternalName" : "ClusterIP",
    headless: !external && spec.clusterIP === "None",
    externalName: external ? spec.externalName : undefined,
    ports: (spec.ports ?? []).map(canonicalPort),
    sessionAffinity: clientIp ? "ClientIP" : "None",
    affinityTimeout: clientIp
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_TIMEOUT_SECONDS)
      : undefined,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
  };
}

/** One order of fields and all defaults written out, so that equal ports give equal JSON. */
export function canonicalPort(given: ServicePort): ServicePort {
  const { name = "", port, appProtocol } = given;
  const protocol = given.protocol ?? "TCP";
  const canonical: Editable<ServicePort> =
    name === "" ? { port, protocol } : { name, port, protocol };
  if (appProtocol !== undefined) canonical.appProtocol = appProtocol;
  canonical.targetPort = given.targetPort ?? port;
  return canonical;
}

/**
 * A dual-stack source asks for PreferDualStack with the primary family only: the destination adds the second one if it
 * has it, and a single-stack cluster does not refuse it, nor is what it adds taken for drift.
 */
function commonFamilies(
  service: Service,
  available: readonly IpFamily[],
): Pick<DesiredSpec, "family" | "familyPolicy"> | { readonly refused: Reason } {
  if (service.spec.type === "ExternalName") return { family: undefined, familyPolicy: undefined };
  const wanted = service.spec.ipFamilies ?? [];
  const family = wanted.length === 0 ? available[0] : wanted.find((one) => available.includes(one));
  if (family === undefined) {
    return {
      refused: {
        code: "no-common-ip-family",
        message: `the source has ${wanted.join(", ")}, the destination ${available.join(", ")}; give the Service a family that both clusters have`,
      },
    };
  }
  return { family, familyPolicy: wanted.length > 1 ? "PreferDualStack" : "SingleStack" };
}

function copiedAnnotations(annotations: StringMap, route: Route): StringMap {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => route.copyAnnotations.includes(key) && !isOurAnnotation(key),
    ),
  );
}

/** Synced all the same, but somebody should know. */
export function remarks(service: Service): readonly Reason[] {
  const { type, externalName = "" } = service.spec;
  if (type === "NodePort" || type === "LoadBalancer") {
    return [
      {
        code: "type-reduced",
        message: `type ${type} becomes ClusterIP in the destination: node ports and load balancers stay in the source`,
      },
    ];
  }
  if (type === "ExternalName" && /\.svc(\.|$)|\.cluster\.local\.?$/.test(externalName)) {
    return [
      {
        code: "cluster-local-external-name",
        message: `externalName ${externalName} is looked up in the destination, where it names that cluster's own Service`,
      },
    ];
  }
  return [];
}
