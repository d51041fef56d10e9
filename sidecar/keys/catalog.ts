/**
 * Between etcd keys and objects of the API, both ways: the built-in resources and those of the CRDs that the source stores.
 * Immutable: a CRD that comes, changes or goes makes a new catalog.
 */
import { posix } from "node:path";
import { BUILTIN_RESOURCES } from "./builtin-resources.js";
import { customResource, type Crd } from "./crd.js";
import type { ObjectKey, StoredResource } from "./resource.js";

/**
 * Why a key names no object that could be mirrored.
 * - `outside`: not below the kube prefix (`compact_rev_key` and whatever else shares the store)
 * - `allocator`: a bitmap of addresses or ports of the API server (`ranges/`)
 * - `server-lease`: an API server's own sign of life (`masterleases/`, `peerserverleases/`)
 * - `unknown-resource`: no built-in resource and no CRD that we know; may become an object when its CRD arrives
 * - `malformed`: the resource is known, but what follows is no `name` or `namespace/name`
 */
type NoObject = "outside" | "allocator" | "server-lease" | "unknown-resource" | "malformed";

export type KeyReading =
  | { readonly kind: "object"; readonly object: ObjectKey }
  | { readonly kind: "no-object"; readonly why: NoObject };

/** First segments that look like a resource and are none. */
const NO_RESOURCES: ReadonlyMap<string, NoObject> = new Map([
  ["ranges", "allocator"],
  ["masterleases", "server-lease"],
  ["peerserverleases", "server-lease"],
]);

interface Index {
  readonly byPath: ReadonlyMap<string, StoredResource>;
  readonly byKind: ReadonlyMap<string, StoredResource>;
  readonly byResource: ReadonlyMap<string, StoredResource>;
}

const BUILTIN: Index = indexOf(BUILTIN_RESOURCES);

interface Defined {
  readonly crd: Crd;
  /** One object for as long as the CRD does not change: others keep by it what they worked out. */
  readonly resource: StoredResource;
}

export class Catalog {
  readonly #prefix: string;
  /** By the CRD's name. */
  readonly #defined: ReadonlyMap<string, Defined>;
  readonly #custom: Index;

  private constructor(prefix: string, defined: ReadonlyMap<string, Defined>) {
    this.#prefix = prefix;
    this.#defined = defined;
    this.#custom = indexOf([...defined.values()].map(({ resource }) => resource));
  }

  /**
   * With the built-in resources alone.
   * @param prefix as the API server's `--etcd-prefix`: "registry", "/registry" and "/registry/" are the same
   */
  static builtin(prefix = "/registry"): Catalog {
    return new Catalog(normalizedPrefix(prefix), new Map());
  }

  /** "/registry", no slash at its end; "" when the API server keeps its keys at the root. */
  get prefix(): string {
    return this.#prefix;
  }

  /** Every stored resource, built-in ones first; of two groups that share their objects (events) both. */
  get resources(): readonly StoredResource[] {
    return [...BUILTIN_RESOURCES, ...this.#custom.byResource.values()];
  }

  get crds(): readonly Crd[] {
    return [...this.#defined.values()].map(({ crd }) => crd);
  }

  /** undefined when the key names no object; `read` says why. */
  fromKey(key: string): ObjectKey | undefined {
    const reading = this.read(key);
    return reading.kind === "object" ? reading.object : undefined;
  }

  read(key: string): KeyReading {
    const start = this.#prefix.length + 1;
    if (!key.startsWith(this.#prefix) || key.charAt(start - 1) !== "/") return noObject("outside");
    const first = segmentEnd(key, start);
    const segment = key.slice(start, first);
    const special = NO_RESOURCES.get(segment);
    if (special !== undefined) return noObject(special);
    // Groups have a dot and built-in plurals have none, so the first segment tells `group/plural` from `plural`.
    const twoSegments = segment === "services" || segment.includes(".");
    const end = twoSegments ? segmentEnd(key, first + 1) : first;
    const path = key.slice(start, end);
    const resource = BUILTIN.byPath.get(path) ?? this.#custom.byPath.get(path);
    if (resource === undefined) return noObject("unknown-resource");
    return objectAt(key, end, resource);
  }

  /** @param namespace undefined for cluster-scoped resources. @throws Error when that does not fit the resource */
  key(resource: StoredResource, namespace: string | undefined, name: string): string {
    if (resource.namespaced !== (namespace !== undefined)) {
      throw new Error(`${resource.kind} is ${resource.namespaced ? "" : "not "}namespaced`);
    }
    const below = namespace === undefined ? name : `${namespace}/${name}`;
    return `${this.#prefix}/${resource.path}/${below}`;
  }

  /** What all keys of a resource begin with, "/registry/secrets/"; with a namespace, all in it. */
  keysOf(resource: StoredResource, namespace?: string): string {
    const all = `${this.#prefix}/${resource.path}/`;
    return namespace === undefined ? all : `${all}${namespace}/`;
  }

  byKind(group: string, kind: string): StoredResource | undefined {
    const name = indexName(group, kind);
    return BUILTIN.byKind.get(name) ?? this.#custom.byKind.get(name);
  }

  byResource(group: string, resource: string): StoredResource | undefined {
    const name = indexName(group, resource);
    return BUILTIN.byResource.get(name) ?? this.#custom.byResource.get(name);
  }

  /** The CRD behind a custom resource; undefined for built-in ones. */
  crdOf(resource: StoredResource): Crd | undefined {
    if (!resource.custom) return undefined;
    return this.#defined.get(`${resource.resource}.${resource.group}`)?.crd;
  }

  /** With these, each in the place of an earlier one of its name. A CRD that names a built-in resource changes nothing. */
  withCrds(crds: readonly Crd[]): Catalog {
    const merged = new Map(this.#defined);
    for (const crd of crds) {
      if (BUILTIN.byResource.has(indexName(crd.group, crd.plural))) continue;
      merged.set(crd.name, { crd, resource: customResource(crd) });
    }
    return new Catalog(this.#prefix, merged);
  }

  withCrd(crd: Crd): Catalog {
    return this.withCrds([crd]);
  }

  /** @param name of the CRD, `<plural>.<group>` */
  withoutCrd(name: string): Catalog {
    if (!this.#defined.has(name)) return this;
    const rest = new Map(this.#defined);
    rest.delete(name);
    return new Catalog(this.#prefix, rest);
  }
}

/** As the API server does: `path.Join("/", prefix)`. */
function normalizedPrefix(prefix: string): string {
  return posix.join("/", prefix).replace(/\/$/, "");
}

function segmentEnd(key: string, start: number): number {
  const slash = key.indexOf("/", start);
  return slash === -1 ? key.length : slash;
}

/** @param end of the resource's path in the key */
function objectAt(key: string, end: number, resource: StoredResource): KeyReading {
  const start = end + 1;
  const slash = key.indexOf("/", start);
  if (!resource.namespaced) {
    if (start >= key.length || slash !== -1) return noObject("malformed");
    return {
      kind: "object",
      object: { key, resource, namespace: undefined, name: key.slice(start) },
    };
  }
  const incomplete = slash <= start || slash === key.length - 1;
  if (incomplete || key.includes("/", slash + 1)) return noObject("malformed");
  const namespace = key.slice(start, slash);
  return { kind: "object", object: { key, resource, namespace, name: key.slice(slash + 1) } };
}

function noObject(why: NoObject): KeyReading {
  return { kind: "no-object", why };
}

/** The first of two resources with one path keeps it: that is the one that is stored. */
function indexOf(resources: readonly StoredResource[]): Index {
  const byPath = new Map<string, StoredResource>();
  const byKind = new Map<string, StoredResource>();
  const byResource = new Map<string, StoredResource>();
  for (const resource of resources) {
    if (!byPath.has(resource.path)) byPath.set(resource.path, resource);
    byKind.set(indexName(resource.group, resource.kind), resource);
    byResource.set(indexName(resource.group, resource.resource), resource);
  }
  return { byPath, byKind, byResource };
}

/** No group, kind or plural holds a slash. */
function indexName(group: string, name: string): string {
  return `${group}/${name}`;
}
