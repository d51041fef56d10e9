/** What the benchmark creates: selectorless Services and hand-written slices, so that no controller does work between. */

/** A Service without selector. */
export function service(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels },
    spec: { ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }] },
  };
}

/** A slice with `count` endpoints, as full of what does not travel as a controller's. */
export function slice(serviceName: string, firstIp: number, count: number): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${serviceName}-1`,
      labels: {
        "kubernetes.io/service-name": serviceName,
        "endpointslice.kubernetes.io/managed-by": "bench",
      },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: endpoints(serviceName, firstIp, count),
  };
}

/** The endpoints of a slice; other addresses with another `firstIp`. */
export function endpoints(serviceName: string, firstIp: number, count: number): readonly object[] {
  return addresses(firstIp, count).map((address, index) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: `node-${index}`,
    zone: "zone-a",
    targetRef: {
      kind: "Pod",
      name: `${serviceName}-${index}`,
      namespace: "bench",
      uid: `${firstIp}-${index}`,
    },
  }));
}

/** Core/v1 Endpoints of a Service. */
export function coreEndpoints(serviceName: string, firstIp: number, count: number): object {
  const metadata = {
    name: serviceName,
    labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
  };
  const apiVersion = "v1";
  return { apiVersion, kind: "Endpoints", metadata, subsets: subsets(addresses(firstIp, count)) };
}

/** The subsets of core/v1 Endpoints. */
export function subsets(ready: readonly string[]): readonly object[] {
  const ports = [{ name: "http", port: 8080, protocol: "TCP" }];
  return [{ addresses: ready.map((ip) => ({ ip })), ports }];
}

/** `count` addresses of 10.128.0.0/9, where no Service has its own. */
export function addresses(first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index;
    return `10.${128 + ((n >> 16) & 127)}.${(n >> 8) & 255}.${n & 255}`;
  });
}

export function servicesOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/services`;
}

export function slicesOf(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
}

export function endpointsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/endpoints`;
}

/** `count` names. */
export function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
