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
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    hasStatus: crd?.versions.find(({ name }) => name === version)?.hasStatus ?? true,
    mirrorsStatus,
    localAnnotations: localAnnotations(resource.group, resource.kind),
  };
}
