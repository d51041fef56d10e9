/** What the fake API server does with objects of one kind beyond storing them: defaults, validation, immutable fields. */
import type { KubeObject, Resource } from "../../src/ports/kube-api.js";
import type { Problem } from "./api-failure.js";

export interface KindRules {
  /** PUT of an absent name creates it, even with a resourceVersion (measured: Service, Endpoints and Lease do, EndpointSlice and ConfigMap do not). */
  readonly createsOnUpdate: boolean;
  /** PUT without resourceVersion is invalid (measured: Lease). */
  readonly needsResourceVersion: boolean;
  /** generation 1, then one more for each change of spec or labels (measured: EndpointSlice; Service, Lease and Endpoints have none). */
  readonly hasGeneration: boolean;
  /** The object with defaults; `before` is undefined for a create. Neither argument may be edited. */
  complete(object: KubeObject, before: KubeObject | undefined): KubeObject;
  /** What is wrong with the completed object. */
  problems(object: KubeObject, before: KubeObject | undefined): readonly Problem[];
  /** Called once a valid object is about to be stored; the answer is stored. May throw ApiFailure. */
  allocate?(object: KubeObject, before: KubeObject | undefined): KubeObject;
  /** Called when the object is gone for good. */
  release?(object: KubeObject): void;
}

/** Kinds of which the fake knows nothing: any content is right, also as a custom resource. */
export const PLAIN: KindRules = {
  createsOnUpdate: false,
  needsResourceVersion: false,
  hasGeneration: false,
  complete: (object) => object,
  problems: () => [],
};

/** Finds the rules of a resource by group and plural. */
export type RulesOf = (resource: Resource) => KindRules;
