import { expect, it } from "vitest";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { readCrd } from "../../../../sidecar/keys/crd.js";
import { wireKindOf } from "../../../../sidecar/view/wire-kind.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";
import { json } from "../../../fixtures/wire/values.js";

/** Of a CRD that stores v1. */
function widgets(): Catalog {
  const reading = readCrd(storedJson(crdJson("example.com", "widgets", "Widget")));
  if (reading.kind === "invalid") throw new Error(reading.why);
  return Catalog.builtin().withCrd(reading.crd);
}

it.each<[path: string, apiVersion: string, newer: readonly string[]]>([
  ["poddisruptionbudgets/shop/a", "policy/v1beta1", ["policy/v1"]],
  ["poddisruptionbudgets/shop/a", "policy/v1", []],
  ["poddisruptionbudgets/shop/a", "policy/v9", []],
  ["configmaps/shop/a", "v1", []],
  ["example.com/widgets/shop/a", "example.com/v1beta1", ["example.com/v1"]],
  ["example.com/widgets/shop/a", "example.com/v1", []],
])(
  "an object at %s, stored as %s, may be stored as %j in the destination",
  (path, apiVersion, newer) => {
    const catalog = widgets();
    const at = catalog.fromKey(`/registry/${path}`);
    if (at === undefined) throw new Error("no object");
    const object = json(`{"apiVersion":"${apiVersion}","kind":"${at.resource.kind}"}`);

    const { newerVersions } = wireKindOf({ at, object, mirrorsStatus: false }, catalog);

    expect(newerVersions).toEqual(newer);
  },
);
