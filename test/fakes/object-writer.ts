/** The write path of the fake API server: what create, update and delete do to the store. Facts measured on 1.36.3. */
import { NAMESPACES, SERVICES } from "../../src/ports/kube-resources.js";
import type {
  KubeObject,
  ObjectMeta,
  ObjectRef,
  Preconditions,
  Resource,
} from "../../src/ports/kube-api.js";
import type { Clock } from "../../src/ports/clock.js";
import {
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  namespaceNotFound,
  namespaceTerminating,
  notFound,
  type Problem,
} from "./api-failure.js";
import { withGeneration } from "./generation.js";
import { omitEmpty, sameJson, wireCopy } from "./json.js";
import type { RulesOf } from "./kind-rules.js";
import type { MemoryEtcd } from "./memory-etcd.js";
import { completeMetadata, metadataProblems, updateProblems } from "./metadata-rules.js";
import type { SeededRandom } from "./seeded-random.js";
import { collectionOf, keyOf, StoredObject } from "./stored-object.js";
import { timestamp } from "./timestamp.js";

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

/** Metadata that the API knows and the port does not need. */
type FullMeta = ObjectMeta & {
  readonly generateName?: string;
  readonly deletionGracePeriodSeconds?: number;
};

export class ObjectWriter {
  constructor(
    private readonly etcd: MemoryEtcd,
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    private readonly rulesOf: RulesOf,
  ) {}

  create(resource: Resource, object: KubeObject): StoredObject {
    const named = this.#named(wireCopy(object));
    const { name, namespace, resourceVersion } = named.metadata;
    this.#admitTo(resource, namespace, name);
    if (resourceVersion !== undefined) {
      throw badRequest("resourceVersion should not be set on objects to be created");
    }
    const rules = this.rulesOf(resource);
    const complete = rules.complete(completeMetadata(typed(resource, named)), undefined);
    check(resource, name, [
      ...metadataProblems(complete.metadata, isService(resource)),
      ...rules.problems(complete, undefined),
    ]);
    const there = this.#find(resource, { namespace, name });
    if (there !== undefined) {
      throw alreadyExists(resource, name, there.full.metadata.deletionTimestamp !== undefined);
    }
    const metadata = {
      ...complete.metadata,
      uid: this.random.uuid(),
      creationTimestamp: timestamp(this.clock.now()),
      ...(rules.hasGeneration && { generation: 1 }),
    };
    const allocated = rules.allocate?.(complete, undefined) ?? complete;
    return this.#store(resource, { ...allocated, metadata });
  }

  /**
   * The object that `change` makes of the stored one, checked and stored. A write that changes nothing is not
   * stored and keeps the resourceVersion (measured for PATCH and PUT).
   */
  update(
    resource: Resource,
    ref: ObjectRef,
    change: (before: KubeObject) => KubeObject,
  ): StoredObject {
    const stored = this.#existing(resource, ref);
    const before = stored.full;
    const sent = change(before);
    this.#checkIdentity(resource, sent.metadata, before.metadata);
    const rules = this.rulesOf(resource);
    const complete = rules.complete(
      completeMetadata(typed(resource, { ...sent, metadata: merged(sent, before) })),
      before,
    );
    check(resource, ref.name, [
      ...metadataProblems(complete.metadata, isService(resource)),
      ...updateProblems(complete.metadata, before.metadata),
      ...rules.problems(complete, before),
    ]);
    if (sameJson(complete, before)) return stored;
    if (complete.metadata.deletionTimestamp !== undefined && !complete.metadata.finalizers) {
      // The last finalizer went: gone. The answer shows the object as it would have been, with the old revision.
      this.remove(stored);
      return new StoredObject(resource, complete);
    }
    const allocated = rules.allocate?.(complete, before) ?? complete;
    return this.#store(resource, withGeneration(rules, allocated, before));
  }

  /** PUT. Some kinds are created when they are absent, even though the request carries a resourceVersion (measured). */
  replace(resource: Resource, object: KubeObject): StoredObject {
    const { resourceVersion, uid, ...metadata } = object.metadata;
    const rules = this.rulesOf(resource);
    const there = this.#find(resource, metadata);
    if (there === undefined) {
      if (!rules.createsOnUpdate) throw notFound(resource, metadata.name);
      if (uid !== undefined) throw conflict(resource, metadata.name, "UID in precondition");
      return this.create(resource, { ...object, metadata });
    }
    if (resourceVersion === undefined && rules.needsResourceVersion) {
      const what = "Invalid value: 0: must be specified for an update";
      throw invalid(resource, metadata.name, [{ field: "metadata.resourceVersion", what }]);
    }
    if (uid !== undefined && uid !== there.uid) {
      // Unlike PATCH, which answers 422 to a wrong uid (measured).
      throw conflict(resource, metadata.name, "Precondition failed: UID in precondition");
    }
    return this.update(resource, metadata, () => wireCopy(object));
  }

  /** With finalizers the object only gets its deletionTimestamp. Deleting it once more changes nothing. Answers the last state. */
  delete(
    resource: Resource,
    ref: ObjectRef,
    preconditions: Preconditions | undefined,
  ): StoredObject {
    const stored = this.#existing(resource, ref);
    const { metadata } = stored.full;
    if (preconditions !== undefined) {
      const { uid, resourceVersion } = preconditions;
      if (uid !== stored.uid) throw conflict(resource, ref.name, "the UID does not match");
      if (resourceVersion !== undefined && resourceVersion !== stored.resourceVersion) {
        throw conflict(resource, ref.name, "the ResourceVersion does not match");
      }
    }
    const isNamespace = collectionOf(resource) === collectionOf(NAMESPACES);
    if (!isNamespace && metadata.finalizers === undefined) {
      this.remove(stored);
    } else if (metadata.deletionTimestamp === undefined) {
      const deletionTimestamp = timestamp(this.clock.now());
      const grace = isNamespace ? {} : { deletionGracePeriodSeconds: 0 };
      const phase = isNamespace ? { status: { phase: "Terminating" } } : {};
      const terminating = { ...metadata, deletionTimestamp, ...grace };
      return this.#store(resource, { ...stored.full, ...phase, metadata: terminating });
    }
    return stored;
  }

  /** Takes the object out of the store, whatever stands in the way. */
  remove(stored: StoredObject): void {
    this.rulesOf(stored.resource).release?.(stored.full);
    this.etcd.remove(collectionOf(stored.resource), keyOf(stored.full.metadata));
  }

  #named(object: KubeObject): KubeObject {
    const { generateName, ...metadata }: FullMeta = object.metadata;
    if (generateName === undefined || metadata.name) return object;
    const name = `${generateName}${this.random.id().slice(0, 5)}`;
    return { ...object, metadata: { ...object.metadata, name } };
  }

  #admitTo(resource: Resource, namespace: string | undefined, name: string): void {
    if (resource.namespaced !== (namespace !== undefined)) {
      throw badRequest("the namespace of the object does not fit its resource");
    }
    if (namespace === undefined) return;
    const found = this.#find(NAMESPACES, { name: namespace });
    if (found === undefined) throw namespaceNotFound(namespace);
    if (found.full.metadata.deletionTimestamp !== undefined) {
      throw namespaceTerminating(resource, name, namespace);
    }
  }

  /** The revision is looked at first: a wrong uid shows only where the revision is right or not given (measured). */
  #checkIdentity(resource: Resource, sent: ObjectMeta, before: ObjectMeta): void {
    if (sent.resourceVersion !== undefined && sent.resourceVersion !== before.resourceVersion) {
      throw conflict(resource, before.name, MODIFIED);
    }
    if (sent.name !== before.name) {
      throw badRequest(
        `the name of the object (${sent.name}) does not match the name on the URL (${before.name})`,
      );
    }
    if (sent.uid !== undefined && sent.uid !== before.uid) {
      const what = `Invalid value: "${sent.uid}": field is immutable`;
      throw invalid(resource, before.name, [{ field: "metadata.uid", what }]);
    }
  }

  #existing(resource: Resource, ref: ObjectRef): StoredObject {
    const stored = this.#find(resource, ref);
    if (stored === undefined) throw notFound(resource, ref.name);
    return stored;
  }

  #find(resource: Resource, ref: ObjectRef): StoredObject | undefined {
    return this.etcd.get(collectionOf(resource), keyOf(ref));
  }

  #store(resource: Resource, object: KubeObject): StoredObject {
    return this.etcd.put(collectionOf(resource), keyOf(object.metadata), (revision) => {
      const metadata = { ...object.metadata, resourceVersion: String(revision) };
      return new StoredObject(resource, { ...object, metadata });
    });
  }
}

function isService(resource: Resource): boolean {
  return collectionOf(resource) === collectionOf(SERVICES);
}

function typed(resource: Resource, object: KubeObject): KubeObject {
  const { group, version, kind } = resource;
  return { ...object, kind, apiVersion: group === "" ? version : `${group}/${version}` };
}

function check(resource: Resource, name: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw invalid(resource, name, problems);
}

/** What the request may set, and what only the server sets as it was. */
function merged(sent: KubeObject, before: KubeObject): ObjectMeta {
  const own: FullMeta = before.metadata;
  const { labels, annotations, ownerReferences, finalizers } = omitEmpty(sent.metadata);
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...system } = own;
  return {
    ...system,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
    ...(finalizers && { finalizers }),
  };
}
