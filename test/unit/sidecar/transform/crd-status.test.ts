import { describe, expect, it } from "vitest";
import { crdStatus } from "../../../../sidecar/transform/crd-status.js";
import { parseStored } from "../../../../sidecar/wire/parse.js";
import type { StoredObject } from "../../../../sidecar/wire/stored-object.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";

/**
 * With the stored version v1.
 * @param status none: it was never served
 * @param older versions that it has besides
 */
function crd(
  status?: Readonly<Record<string, unknown>>,
  older: readonly string[] = ["v1alpha1", "v1beta1"],
): StoredObject {
  const { spec, ...rest } = crdJson("example.com", "widgets", "Widget");
  const versions = [
    ...older.map((name) => ({ name, served: false, storage: false })),
    { name: "v1", served: true, storage: true },
  ];
  const { bytes } = storedJson({ ...rest, spec: { ...Object(spec), versions }, status });
  const parsed = parseStored(bytes);
  if (parsed.kind !== "object") throw new Error(parsed.message);
  return parsed.object;
}

function statusOf(source: StoredObject, existing: StoredObject | undefined): unknown {
  const made = crdStatus(source, existing);
  return made && JSON.parse(made.bytes.toString()).status;
}

describe("crdStatus", () => {
  it("of a new CRD says in which versions the source has stored, and nothing else of the source's", () => {
    const source = crd({
      storedVersions: ["v1alpha1", "v1"],
      acceptedNames: { plural: "widgets" },
    });

    expect(statusOf(source, undefined)).toEqual({ storedVersions: ["v1alpha1", "v1"] });
  });

  it("adds the storage version where the source does not name it yet", () => {
    expect(statusOf(crd(), undefined)).toEqual({ storedVersions: ["v1"] });
  });

  it("keeps what the destination says, and takes no version away that may lie in its etcd", () => {
    const existing = crd({ storedVersions: ["v1beta1"], conditions: [{ type: "Established" }] });

    expect(statusOf(crd({ storedVersions: ["v1alpha1"], conditions: [] }), existing)).toEqual({
      storedVersions: ["v1beta1", "v1alpha1", "v1"],
      conditions: [{ type: "Established" }],
    });
  });

  it("names no version that the CRD has no more: API servers would take no change of it from then on", () => {
    const source = crd({ storedVersions: ["v1"] }, []);
    const existing = crd({ storedVersions: ["v1alpha1", "v1"] });

    expect(statusOf(source, existing)).toEqual({ storedVersions: ["v1"] });
  });
});
