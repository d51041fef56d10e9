/**
 * What the mirror has to know of a CustomResourceDefinition, out of its stored JSON: the parsing edge for CRDs.
 *
 * API servers store CRDs as apiextensions.k8s.io/v1beta1 to this day (kubernetes#82292), where `spec.version` and
 * `spec.subresources` may stand for all versions; v1 has them in each version. Both are read.
 */
import type { StoredResource } from "./resource.js";
import type { StoredObject } from "../wire/stored-object.js";

interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  /** Writes of the main resource leave `status` alone: it belongs to the cluster's own controllers. */
  readonly hasStatus: boolean;
}

export interface Crd {
  /** `<plural>.<group>`. */
  readonly name: string;
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** As the CRD orders them; at least one. */
  readonly versions: readonly CrdVersion[];
  /** The version that new objects are stored at; older ones may be stored at any other. */
  readonly storageVersion: string;
}

export type CrdReading =
  | { readonly kind: "crd"; readonly crd: Crd }
  /** Nothing of it is used: its objects count as unknown until it changes. */
  | { readonly kind: "invalid"; readonly why: string };

/** @param object a value below `apiextensions.k8s.io/customresourcedefinitions/` */
export function readCrd(object: Pick<StoredObject, "bytes" | "encoding">): CrdReading {
  if (object.encoding !== "json") return invalid("it is not stored as JSON");
  let root: unknown;
  try {
    root = JSON.parse(object.bytes.toString("utf8"));
  } catch {
    // What the parser would say repeats the text, which may be anything.
    return invalid("it is not JSON");
  }
  return readSpec(at(root, "metadata", "name"), at(root, "spec"));
}

/** Where the objects of a CRD lie. */
export function customResource({ group, plural, kind, namespaced, versions }: Crd): StoredResource {
  return Object.freeze({
    group,
    resource: plural,
    kind,
    namespaced,
    path: `${group}/${plural}`,
    versions: versions.map(({ name }) => name),
    custom: true,
  });
}

function readSpec(name: unknown, spec: unknown): CrdReading {
  const group = text(at(spec, "group"));
  const plural = text(at(spec, "names", "plural"));
  const kind = text(at(spec, "names", "kind"));
  const scope = at(spec, "scope");
  if (group === undefined || !group.includes(".")) return invalid("spec.group is no domain");
  if (plural === undefined) return invalid("spec.names.plural is missing");
  if (kind === undefined) return invalid("spec.names.kind is missing");
  if (scope !== "Namespaced" && scope !== "Cluster") {
    return invalid("spec.scope is neither Namespaced nor Cluster");
  }
  // The API server admits no other name; a key that says something else was written by nobody's API server.
  if (name !== `${plural}.${group}`) return invalid("its name is not <plural>.<group>");
  const versions = versionsOf(spec);
  const storageVersion = versions.find(({ storage }) => storage)?.name;
  if (storageVersion === undefined) return invalid("no version is the stored one");
  const namespaced = scope === "Namespaced";
  return {
    kind: "crd",
    crd: { name, group, plural, kind, namespaced, versions, storageVersion },
  };
}

function versionsOf(spec: unknown): readonly CrdVersion[] {
  const everywhere = isRecord(at(spec, "subresources", "status"));
  const listed = at(spec, "versions");
  const versions = (Array.isArray(listed) ? listed : []).flatMap((version: unknown) => {
    const name = text(at(version, "name"));
    if (name === undefined) return [];
    const own = isRecord(at(version, "subresources", "status"));
    const served = at(version, "served") === true;
    return [
      { name, served, storage: at(version, "storage") === true, hasStatus: everywhere || own },
    ];
  });
  const single = text(at(spec, "version"));
  if (versions.length > 0 || single === undefined) return versions;
  return [{ name: single, served: true, storage: true, hasStatus: everywhere }];
}

function invalid(why: string): CrdReading {
  return { kind: "invalid", why };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (current, key) => (isRecord(current) && Object.hasOwn(current, key) ? current[key] : undefined),
    value,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !value.includes("/") ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
