/** Services as the API server completes and checks them, for the fields that a mirror has. Facts measured on 1.36.3. */
import type { KubeObject, Resource } from "../../src/ports/kube-api.js";
import { invalid, type Problem } from "./api-failure.js";
import type { ClusterIps } from "./cluster-ips.js";
import type { KindRules } from "./kind-rules.js";
import { DNS_LABEL } from "./metadata-rules.js";
import { addressProblems, completeAddresses } from "./service-addresses.js";
import {
  type IpFamily,
  isExternalName,
  isHeadless,
  type ServicePort,
  type ServiceSpec,
  specOf,
  withDefaults,
} from "./service-spec.js";

export class ServiceRules implements KindRules {
  readonly createsOnUpdate = true;
  readonly needsResourceVersion = false;
  readonly hasGeneration = false;

  constructor(
    private readonly resource: Resource,
    private readonly families: readonly IpFamily[],
    private readonly ips: ClusterIps,
  ) {}

  complete(object: KubeObject, before: KubeObject | undefined): KubeObject {
    const old = before && specOf(before);
    const spec = completeAddresses(withDefaults(specOf(object)), old, this.families);
    const complete = { ...object, spec, status: { loadBalancer: {} } };
    return complete;
  }

  problems(object: KubeObject, before: KubeObject | undefined): readonly Problem[] {
    const spec = specOf(object);
    return [
      ...typeProblems(spec),
      ...portProblems(spec),
      ...addressProblems(spec, before && specOf(before), this.families),
    ];
  }

  /** Also gives back what the Service no longer has, e.g. when it became ExternalName. */
  allocate(object: KubeObject, before: KubeObject | undefined): KubeObject {
    const spec = specOf(object);
    const had = addressesOf(before);
    const clusterIPs = this.#addresses(object, spec, had);
    this.ips.release(had.filter((ip) => !clusterIPs.includes(ip)));
    const ports = spec.ports?.map((port) => this.#withNodePort(port, spec));
    const clusterIP = clusterIPs[0];
    const allocated: ServiceSpec = {
      ...spec,
      ...(ports && { ports }),
      ...(clusterIP !== undefined && { clusterIP, clusterIPs }),
    };
    const stored = { ...object, spec: allocated };
    return stored;
  }

  release(object: KubeObject): void {
    this.ips.release(addressesOf(object));
  }

  #addresses(object: KubeObject, spec: ServiceSpec, had: readonly string[]): readonly string[] {
    if (isExternalName(spec)) return [];
    if (isHeadless(spec)) return ["None"];
    return (spec.ipFamilies ?? []).map((family, i) => {
      const asked = spec.clusterIPs?.[i];
      if (asked === undefined) return this.ips.allocate(family);
      if (had.includes(asked) || this.ips.take(asked)) return asked;
      const what = `Invalid value: ["${asked}"]: failed to allocate IP ${asked}: provided IP is already allocated`;
      throw invalid(this.resource, object.metadata.name, [{ field: "spec.clusterIPs", what }]);
    });
  }

  #withNodePort(port: ServicePort, spec: ServiceSpec): ServicePort {
    const exposed = spec.type === "NodePort" || spec.type === "LoadBalancer";
    return exposed && port.nodePort === undefined
      ? { ...port, nodePort: this.ips.nodePort() }
      : port;
  }
}

/** The allocated addresses of a stored Service. */
export function addressesOf(object: KubeObject | undefined): readonly string[] {
  if (object === undefined) return [];
  return (specOf(object).clusterIPs ?? []).filter((ip) => ip !== "None");
}

function typeProblems(spec: ServiceSpec): Problem[] {
  const problems: Problem[] = [];
  const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
  if (!types.includes(spec.type ?? "")) {
    problems.push({ field: "spec.type", what: `Unsupported value: "${spec.type ?? ""}"` });
  }
  if (isExternalName(spec) && spec.externalName === undefined) {
    problems.push({ field: "spec.externalName", what: "Required value" });
  }
  if (spec.ports === undefined && !isHeadless(spec) && !isExternalName(spec)) {
    problems.push({ field: "spec.ports", what: "Required value" });
  }
  if (spec.sessionAffinity !== "None" && spec.sessionAffinity !== "ClientIP") {
    const what = `Unsupported value: "${spec.sessionAffinity ?? ""}": supported values: "ClientIP", "None"`;
    problems.push({ field: "spec.sessionAffinity", what });
  }
  return problems;
}

function portProblems(spec: ServiceSpec): Problem[] {
  const ports = spec.ports ?? [];
  return ports.flatMap((port, i) => {
    const field = `spec.ports[${i}]`;
    const earlier = ports.slice(0, i);
    return [
      ...portNameProblems(port, ports.length > 1, earlier, `${field}.name`),
      ...numberProblems(port.port, `${field}.port`),
      ...(typeof port.targetPort === "string"
        ? targetNameProblems(port.targetPort, `${field}.targetPort`)
        : numberProblems(port.targetPort, `${field}.targetPort`)),
      ...(["TCP", "UDP", "SCTP"].includes(port.protocol ?? "")
        ? []
        : [{ field: `${field}.protocol`, what: `Unsupported value: "${port.protocol ?? ""}"` }]),
      ...(earlier.some((other) => other.port === port.port && other.protocol === port.protocol)
        ? [{ field, what: `Duplicate value: ${String(port.port)}/${port.protocol ?? ""}` }]
        : []),
    ];
  });
}

function portNameProblems(
  port: ServicePort,
  required: boolean,
  earlier: readonly ServicePort[],
  field: string,
): Problem[] {
  const name = port.name ?? "";
  if (name === "") return required ? [{ field, what: "Required value" }] : [];
  if (earlier.some((other) => other.name === name)) {
    return [{ field, what: `Duplicate value: "${name}"` }];
  }
  const good = name.length <= 63 && DNS_LABEL.test(name);
  return good ? [] : [{ field, what: `Invalid value: "${name}": a lowercase RFC 1123 label` }];
}

function numberProblems(port: number | undefined, field: string): Problem[] {
  if (port !== undefined && Number.isInteger(port) && port >= 1 && port <= 65_535) return [];
  return [
    { field, what: `Invalid value: ${String(port)}: must be between 1 and 65535, inclusive` },
  ];
}

/** IANA service names: at most 15 characters, with a letter. */
function targetNameProblems(name: string, field: string): Problem[] {
  const good = name.length <= 15 && DNS_LABEL.test(name) && /[a-z]/.test(name);
  return good
    ? []
    : [{ field, what: `Invalid value: "${name}": must be no more than 15 characters` }];
}
