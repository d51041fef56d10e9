/**
 * The parts of Kubernetes objects that the rules read, as the API server writes
 * them in JSON. Whoever reads the API parses into these once; inside nobody re-checks.
 */

export type StringMap = Readonly<Record<string, string>>;

/** An object while it is made, field by field: several times faster than one that is spread of others. Nobody else has it yet. */
export type Editable<T> = { -readonly [Field in keyof T]: T[Field] };

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque; compared for equality only. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339 in UTC with seconds, so text order is time order. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

export type IpFamily = "IPv4" | "IPv6";

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
  readonly ports?: readonly ServicePort[];
  readonly selector?: StringMap;
  readonly sessionAffinity?: string;
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
  readonly publishNotReadyAddresses?: boolean;
  readonly ipFamilies?: readonly IpFamily[];
  readonly ipFamilyPolicy?: string;
}

/** A Service, source or mirror. Only what the rules read is kept of its spec. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  /** What its name was made of; it has it for life, and before it is stored nothing else. */
  readonly generateName?: string | undefined;
  /** `deletionTimestamp` is set: it counts as gone. */
  readonly deleting: boolean;
  /** Deleted in the foreground: the garbage collector takes away what it owns, as often as somebody makes it anew. */
  readonly losesDependents?: true;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly spec: ServiceSpec;
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  };
  readonly hostname?: string;
}

export interface EndpointPort {
  readonly name?: string;
  /** Absent: all ports. */
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

export type AddressType = IpFamily | "FQDN";
