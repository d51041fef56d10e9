import type { Cluster } from "./cluster.js";
import type { Manifest, Stored } from "./manifest.js";
import { waitFor } from "./wait-for.js";

/** An EndpointSlice as tests read it. */
export interface Slice extends Stored {
  readonly addressType: string;
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly hostname?: string;
    readonly conditions?: Readonly<Record<string, boolean>>;
    readonly [field: string]: unknown;
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}

interface EventObject {
  readonly involvedObject: { readonly name: string };
  readonly reportingComponent?: string;
  readonly reason: string;
  readonly message: string;
}

interface EndpointsObject {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip: string }[] }[];
}

/** One namespace of a cluster: what a test does there and waits for. */
export class NamespaceView {
  constructor(
    readonly cluster: Cluster,
    readonly namespace: string,
  ) {}

  async get(kind: string, name: string): Promise<Stored | undefined> {
    return this.cluster.get(kind, this.namespace, name);
  }

  async patch(kind: string, name: string, patch: object): Promise<Stored> {
    return this.cluster.patch(kind, this.namespace, name, patch);
  }

  async remove(kind: string, name: string): Promise<void> {
    await this.cluster.remove(kind, this.namespace, name);
  }

  async apply(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) await this.cluster.apply(object);
  }

  async service(name: string): Promise<Stored> {
    const found = await this.get("Service", name);
    if (found === undefined) throw new Error(`no Service ${this.namespace}/${name}`);
    return found;
  }

  /** The Service once it is there and fulfils the condition. */
  async untilService(
    name: string,
    holds: (service: Stored) => boolean = () => true,
    timeoutMs = 15_000,
  ): Promise<Stored> {
    let seen: Stored | undefined;
    return waitFor(
      async () => {
        seen = await this.get("Service", name);
        return seen !== undefined && holds(seen) && seen;
      },
      { what: `the Service ${this.namespace}/${name}`, timeoutMs },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\nit is ${JSON.stringify(seen)}`, { cause: error });
    });
  }

  async untilGone(kind: string, name: string): Promise<void> {
    await waitFor(async () => (await this.get(kind, name)) === undefined, {
      what: `the end of ${kind} ${this.namespace}/${name}`,
    });
  }

  /** All slices under a Service's name, whosever they are. */
  async slices(name: string): Promise<readonly Slice[]> {
    const selector = `kubernetes.io/service-name=${name}`;
    const found = await this.cluster.list("EndpointSlice", this.namespace, selector);
    return found as unknown as readonly Slice[];
  }

  /** Waits until the slices under a Service's name hold exactly these addresses. */
  async untilAddresses(name: string, addresses: readonly string[]): Promise<readonly Slice[]> {
    const wanted = addresses.toSorted().join(" ");
    return waitFor(
      async () => {
        const slices = await this.slices(name);
        return addressesOf(slices).join(" ") === wanted && slices;
      },
      { what: `${this.namespace}/${name} to have the addresses ${wanted.slice(0, 200)}` },
    );
  }

  /** Waits until core/v1 Endpoints hold exactly these ready addresses. */
  async untilEndpoints(name: string, addresses: readonly string[]): Promise<Stored> {
    const wanted = addresses.toSorted().join(" ");
    return waitFor(
      async () => {
        const found = await this.get("Endpoints", name);
        return found !== undefined && readyIps(found).join(" ") === wanted && found;
      },
      { what: `Endpoints ${this.namespace}/${name} to have ${wanted.slice(0, 200)}` },
    );
  }

  /** svc-ferry's Events about the object of this name: "Reason: message". The cluster's own components write some, too. */
  async events(name: string): Promise<readonly string[]> {
    const found = await this.cluster.list("Event", this.namespace);
    return (found as unknown as readonly EventObject[])
      .filter(({ reportingComponent }) => reportingComponent === "svc-ferry")
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  async untilEvent(name: string, pattern: RegExp): Promise<string> {
    return waitFor(async () => (await this.events(name)).find((event) => pattern.test(event)), {
      what: `an Event ${pattern} about ${this.namespace}/${name}`,
    });
  }
}

/** Every address in these slices, sorted. */
export function addressesOf(slices: readonly Slice[]): readonly string[] {
  return slices
    .flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses))
    .toSorted();
}

/** Ready addresses of core/v1 Endpoints, each once, sorted. */
export function readyIps(endpoints: Stored): readonly string[] {
  const { subsets = [] } = endpoints as EndpointsObject;
  const ips = subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  return [...new Set(ips)].toSorted();
}

/** A Service's spec, as loosely as tests read it. */
export function specOf(object: Stored): Readonly<Record<string, unknown>> {
  return (object["spec"] ?? {}) as Readonly<Record<string, unknown>>;
}

/** Numbers of a Service's ports. */
export function portsOf(object: Stored): readonly number[] {
  const ports = specOf(object)["ports"] as readonly { readonly port: number }[] | undefined;
  return (ports ?? []).map(({ port }) => port);
}
