/** The read path of the fake API server: get and paged list. */
import type {
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Resource,
} from "../../src/ports/kube-api.js";
import { badRequest, expired, notFound } from "./api-failure.js";
import type { MemoryEtcd } from "./memory-etcd.js";
import { matcher } from "./selectors.js";
import { collectionOf, keyOf, type StoredObject } from "./stored-object.js";

export class ObjectReader {
  constructor(private readonly etcd: MemoryEtcd) {}

  /** @throws ApiFailure 404 */
  get(resource: Resource, ref: ObjectRef): KubeObject {
    const stored = this.etcd.get(collectionOf(resource), keyOf(ref));
    if (stored === undefined) throw notFound(resource, ref.name);
    return stored.full;
  }

  /**
   * All pages of one list show the state at the first page's revision. A namespace that does not exist is empty, not
   * an error (measured).
   * @throws ApiFailure 410 when that state was compacted. NB: a real server of 1.36 may still answer from its cache.
   */
  list(resource: Resource, options: ListOptions): KubeList {
    const from = parseToken(options.continueToken);
    const revision = from?.revision ?? this.etcd.revision;
    if (revision < this.etcd.compactedRevision || revision > this.etcd.revision) {
      throw expired(
        "The provided continue parameter is too old to display a consistent list result.",
      );
    }
    const matches = matcher(options.labelSelector, options.fieldSelector);
    const all = this.etcd.sortedAt(collectionOf(resource), revision).filter((stored) => {
      const { metadata } = stored.full;
      const inNamespace =
        options.namespace === undefined || metadata.namespace === options.namespace;
      return (
        inNamespace && (from === undefined || keyOf(metadata) > from.key) && matches(stored.full)
      );
    });
    const page = options.limit ? all.slice(0, options.limit) : all;
    const last = page.at(-1);
    return {
      items: page.map((stored) => shown(stored, options.metadataOnly)),
      resourceVersion: String(revision),
      continueToken:
        last === undefined || page.length === all.length
          ? undefined
          : `${revision}:${keyOf(last.full.metadata)}`,
    };
  }
}

function shown(stored: StoredObject, metadataOnly: boolean | undefined): KubeObject {
  return metadataOnly === true ? stored.partial : stored.listed;
}

function parseToken(
  token: string | undefined,
): { readonly revision: number; readonly key: string } | undefined {
  if (token === undefined) return undefined;
  const [, revision, key] = /^(\d+):(.+)$/.exec(token) ?? [];
  if (revision === undefined || key === undefined) throw badRequest("invalid continue token");
  return { revision: Number(revision), key };
}
