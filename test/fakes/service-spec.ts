/** The part of a Service's spec that the fake API server reads, and its defaults as the real one sets them. */
import { isObject, omitEmpty } from "./json.js";

export type IpFamily = "IPv4" | "IPv6";

export interface ServicePort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port?: number;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
  readonly appProtocol?: string;
}

export interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly ports?: readonly ServicePort[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly sessionAffinity?: string;
  readonly sessionAffinityConfig?: unknown;
  readonly ipFamilies?: readonly IpFamily[];
  readonly ipFamilyPolicy?: string;
  readonly internalTrafficPolicy?: string | undefined;
  readonly externalTrafficPolicy?: string | undefined;
  readonly allocateLoadBalancerNodePorts?: boolean | undefined;
  readonly publishNotReadyAddresses?: boolean;
}

/** `object.spec`, {} when there is none. */
export function specOf(object: object): ServiceSpec {
  const spec = (object as { spec?: unknown }).spec;
  return isObject(spec) ? spec : {};
}

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIP === "None";
}

export function isExternalName(spec: ServiceSpec): boolean {
  return spec.type === "ExternalName";
}

/** Defaults that depend on this spec alone. Addresses and families are a matter of service-addresses.ts. */
export function withDefaults(sent: ServiceSpec): ServiceSpec {
  const spec = omitEmpty(sent);
  const type = spec.type ?? "ClusterIP";
  const exposed = type === "NodePort" || type === "LoadBalancer";
  const affinity = spec.sessionAffinity ?? "None";
  return omitEmpty({
    ...spec,
    type,
    ports: (spec.ports ?? []).map((port) => withPortDefaults(port, exposed)),
    sessionAffinity: affinity,
    sessionAffinityConfig:
      affinity === "ClientIP"
        ? (spec.sessionAffinityConfig ?? { clientIP: { timeoutSeconds: 10_800 } })
        : undefined,
    internalTrafficPolicy:
      type === "ExternalName" ? undefined : (spec.internalTrafficPolicy ?? "Cluster"),
    externalTrafficPolicy: exposed ? (spec.externalTrafficPolicy ?? "Cluster") : undefined,
    allocateLoadBalancerNodePorts:
      type === "LoadBalancer" ? (spec.allocateLoadBalancerNodePorts ?? true) : undefined,
  });
}

/** nodePort survives only in types that have one (measured: NodePort → ClusterIP drops it). */
function withPortDefaults(port: ServicePort, exposed: boolean): ServicePort {
  const { nodePort, ...rest } = port;
  const target = port.targetPort;
  const targetPort = target === undefined || target === 0 || target === "" ? port.port : target;
  return {
    ...rest,
    protocol: port.protocol ?? "TCP",
    ...(targetPort === undefined ? {} : { targetPort }),
    ...(exposed && nodePort !== undefined ? { nodePort } : {}),
  };
}
