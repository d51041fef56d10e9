/** One object at one revision, frozen, with the shapes in which the API server shows it. */
import type { KubeObject, ObjectRef, Resource } from "../../src/ports/kube-api.js";
import { frozen } from "./json.js";

export class StoredObject {
  /** As get, create, patch and watch answer it. */
  readonly full: KubeObject;
  #listed: KubeObject | undefined;
  #partial: KubeObject | undefined;

  constructor(
    readonly resource: Resource,
    object: KubeObject,
  ) {
    this.full = frozen(object);
  }

  /** As an item of a list: without apiVersion and kind (measured). */
  get listed(): KubeObject {
    if (this.#listed === undefined) {
      const { apiVersion: _apiVersion, kind: _kind, ...rest } = this.full;
      this.#listed = frozen(rest);
    }
    return this.#listed;
  }

  /** As PartialObjectMetadata: with apiVersion and kind in lists too (measured). */
  get partial(): KubeObject {
    this.#partial ??= frozen({
      kind: "PartialObjectMetadata",
      apiVersion: "meta.k8s.io/v1",
      metadata: this.full.metadata,
    });
    return this.#partial;
  }

  get uid(): string {
    return this.full.metadata.uid ?? "";
  }

  get resourceVersion(): string {
    return this.full.metadata.resourceVersion ?? "";
  }

  /** The same content at another revision. */
  at(revision: number): StoredObject {
    return new StoredObject(this.resource, {
      ...this.full,
      metadata: { ...this.full.metadata, resourceVersion: String(revision) },
    });
  }
}

/** Key of a collection, the same for all versions of a resource. */
export function collectionOf(resource: Resource): string {
  return `${resource.group}/${resource.plural}`;
}

/** "namespace/name"; cluster-scoped: "name". Sorts as etcd's keys do. */
export function keyOf(ref: ObjectRef): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}
