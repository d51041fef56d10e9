import { describe, expect, it } from "vitest";
import { crdStatus } from "../../../../sidecar/transform/crd-status.js";
import { parseStored } from "../../../../sidecar/wire/parse.js";
import type { StoredObject } from "../../../../sidecar/wire/stored-object.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";

/** @param status none: it was never served */
function crd(status?: Readonly<Record<string, unknown>>): StoredObject {
  const { bytes } = storedJson({ ...crdJson("example.com", "widgets", "Widget"), status });
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
});
