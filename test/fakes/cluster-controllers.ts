/**
 * Two controllers that every cluster runs: the garbage collector removes objects
 * whose owners are all gone, the namespace controller empties what is being
 * deleted. Both come a little later than the deletion, as the real ones do.
 */
import { NAMESPACES } from "../../src/ports/kube-resources.js";
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { MemoryApiServer } from "./memory-api-server.js";
import type { Change } from "./memory-etcd.js";
import type { SeededRandom } from "./seeded-random.js";
import { collectionOf, keyOf, type StoredObject } from "./stored-object.js";

/** How late they come. */
const DELAY_MS = [5, 500] as const;

export class ClusterControllers {
  /** Uid of an owner -> what it owns, as collection and key. */
  readonly #dependents = new Map<string, Set<string>>();
  /** Uids of everything that exists: an owner may be of any kind. */
  readonly #uids = new Set<string>();

  constructor(
    private readonly server: MemoryApiServer,
    private readonly random: SeededRandom,
  ) {}

  start(): void {
    const { etcd } = this.server;
    this.#learn();
    etcd.onRestore(() => {
      this.#learn();
    });
    etcd.onChange((change) => {
      this.#noticed(change);
    });
  }

  #learn(): void {
    const { etcd } = this.server;
    this.#uids.clear();
    this.#dependents.clear();
    for (const collection of etcd.collections) {
      for (const stored of etcd.values(collection)) {
        this.#index(stored, collection, keyOf(stored.full.metadata));
      }
    }
  }

  #index(stored: StoredObject, collection: string, key: string): void {
    this.#uids.add(stored.uid);
    for (const { uid } of stored.full.metadata.ownerReferences ?? []) {
      const owned = this.#dependents.get(uid) ?? new Set();
      this.#dependents.set(uid, owned.add(`${collection} ${key}`));
    }
  }

  #noticed(change: Change): void {
    const { before, after, collection, key } = change;
    if (after !== undefined) {
      this.#index(after, collection, key);
      const owners = after.full.metadata.ownerReferences ?? [];
      if (owners.some(({ uid }) => !this.#uids.has(uid))) {
        this.#later(() => {
          this.#collect(collection, key);
        });
      }
    } else if (before !== undefined) {
      this.#uids.delete(before.uid);
      if (this.#dependents.has(before.uid)) {
        this.#later(() => {
          this.#orphaned(before.uid);
        });
      }
    }
    const touched = after ?? before;
    if (touched !== undefined) this.#namespaceOf(touched.full);
  }

  #orphaned(uid: string): void {
    const owned = this.#dependents.get(uid) ?? [];
    this.#dependents.delete(uid);
    for (const entry of owned) {
      const [collection = "", key = ""] = entry.split(" ");
      this.#collect(collection, key);
    }
  }

  #collect(collection: string, key: string): void {
    const stored = this.server.etcd.get(collection, key);
    const owners = stored?.full.metadata.ownerReferences ?? [];
    if (stored === undefined || owners.length === 0) return;
    if (owners.some(({ uid }) => this.#uids.has(uid))) return;
    this.#delete(stored, "garbage-collector");
  }

  /** A namespace that is being deleted is emptied, then goes itself; finalizers hold both up. */
  #namespaceOf(object: KubeObject): void {
    const name = object.metadata.namespace ?? object.metadata.name;
    const namespace = this.server.etcd.get(collectionOf(NAMESPACES), name);
    if (namespace?.full.metadata.deletionTimestamp === undefined) return;
    this.#later(() => {
      this.#empty(name);
    });
  }

  #empty(name: string): void {
    const { etcd } = this.server;
    const namespace = etcd.get(collectionOf(NAMESPACES), name);
    if (namespace?.full.metadata.deletionTimestamp === undefined) return;
    const content = etcd.collections.flatMap((collection) =>
      [...etcd.values(collection)].filter(({ full }) => full.metadata.namespace === name),
    );
    for (const stored of content) {
      if (stored.full.metadata.deletionTimestamp === undefined) {
        this.#delete(stored, "namespace-controller");
      }
    }
    if (content.length === 0) this.server.purge(namespace);
  }

  #delete(stored: StoredObject, as: string): void {
    const { namespace, name } = stored.full.metadata;
    const preconditions = { uid: stored.uid };
    this.server.delete(stored.resource, { namespace, name }, preconditions, as);
  }

  #later(act: () => void): void {
    this.server.clock.schedule(this.random.between(...DELAY_MS), act);
  }
}
