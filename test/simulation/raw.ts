/** The fields of raw objects that the simulation reads: its own eyes, not the product's parser. */
import type { KubeObject, Resource } from "../../src/ports/kube-api.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";

export interface RawPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
  readonly targetPort?: number | string;
}

export interface RawService extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly ports?: readonly RawPort[];
    readonly selector?: Readonly<Record<string, string>>;
    readonly sessionAffinity?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly ipFamilies?: readonly string[];
    readonly ipFamilyPolicy?: string;
  };
}

interface RawEndpoint {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  readonly conditions?: Readonly<Record<string, boolean>>;
}

export interface RawSlice extends KubeObject {
  readonly addressType?: string;
  readonly endpoints?: readonly RawEndpoint[] | null;
  readonly ports?: readonly RawPort[] | null;
}

export interface RawEndpoints extends KubeObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string; readonly hostname?: string }[];
    readonly notReadyAddresses?: readonly { readonly ip: string }[];
    readonly ports?: readonly RawPort[];
  }[];
}

export function all<T extends KubeObject>(
  server: MemoryApiServer,
  resource: Resource,
): readonly T[] {
  return server.list(resource).items as readonly T[]; // the server stores what it checked
}

export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

export function label({ metadata }: KubeObject, key: string): string | undefined {
  return metadata.labels?.[key];
}

export function annotation({ metadata }: KubeObject, key: string): string | undefined {
  return metadata.annotations?.[key];
}
