import type { Catalog } from "../keys/catalog.js";
import { localAnnotations } from "../wire/local-annotations.js";
import type { WireKind } from "../wire/stored-object.js";
import type { Wanted } from "./source-view.js";

/** How values of this object's kind are compared and edited. */
export function wireKindOf(
  { at, object, mirrorsStatus }: Pick<Wanted, "at" | "object" | "mirrorsStatus">,
  catalog: Catalog,
): WireKind {
  const { resource } = at;
  const crd = catalog.crdOf(resource);
  const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
  // Of a CRD one version is stored at a time; what the API server stores of its own kinds follows its release.
  const newer =
    crd === undefined
      ? newerThan(version, resource.versions)
      : othersThan(version, crd.storageVersion);
  return {
    apiVersion: object.apiVersion,
    newerVersions: newer.map((one) => `${resource.group}/${one}`),
    kind: object.kind,
    hasStatus: crd?.versions.find(({ name }) => name === version)?.hasStatus ?? true,
    mirrorsStatus,
    localAnnotations: localAnnotations(resource.group, resource.kind),
  };
}

/** @param versions newest first */
function newerThan(version: string, versions: readonly string[]): readonly string[] {
  return versions.slice(0, Math.max(0, versions.indexOf(version)));
}

function othersThan(version: string, stored: string): readonly string[] {
  return stored === version ? [] : [stored];
}
