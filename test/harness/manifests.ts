/** Objects of the API as tests write them, with what does not matter left out. */
import type { Manifest } from "./manifest.js";

type Labels = Readonly<Record<string, string>>;

export interface ServiceOptions {
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A ferried ClusterIP Service without selector, one port 80; `spec` is laid over that. */
export function service(namespace: string, name: string, options: ServiceOptions = {}): Manifest {
  const { labels = { sync: "true" }, annotations = {}, spec = {} } = options;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name, labels, annotations },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

export interface SliceOptions {
  /** Default `<service>-hand`. */
  readonly name?: string;
  readonly addressType?: "IPv4" | "IPv6" | "FQDN";
  readonly ports?: readonly object[];
}

/** A hand-written slice of a Service: an endpoint for each address, or the endpoints given. */
export function slice(
  namespace: string,
  serviceName: string,
  endpoints: readonly (string | object)[],
  options: SliceOptions = {},
): Manifest {
  const { name = `${serviceName}-hand`, addressType = "IPv4", ports = [{ port: 8080 }] } = options;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name, labels: { "kubernetes.io/service-name": serviceName } },
    addressType,
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === "string" ? { addresses: [endpoint] } : endpoint,
    ),
    ports,
  };
}

/** `count` addresses from 10.20.0.1 on, none of them ending in 0 or 255. */
export function addresses(count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index + from;
    return `10.20.${Math.floor(at / 250)}.${(at % 250) + 1}`;
  });
}

/** A CustomResourceDefinition of namespaced Widgets that may hold anything. */
export function widgets(group: string, labels: Labels): Manifest {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}`, labels },
    spec: {
      group,
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          },
        },
      ],
    },
  };
}
