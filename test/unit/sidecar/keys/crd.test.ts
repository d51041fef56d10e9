import { describe, expect, it } from "vitest";
import { customResource, readCrd, type Crd } from "../../../../sidecar/keys/crd.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";

const CRONTABS = crdJson("stable.example.com", "crontabs", "CronTab");
const SPEC = CRONTABS["spec"] as Readonly<Record<string, unknown>>;

describe("readCrd", () => {
  it("reads v1, where each version has its own subresources", () => {
    const versions = [
      { name: "v1beta1", served: false, storage: false },
      { name: "v1", served: true, storage: true, subresources: { status: {} } },
    ];

    expect(crd({ ...CRONTABS, spec: { ...SPEC, versions } })).toEqual({
      name: "crontabs.stable.example.com",
      group: "stable.example.com",
      plural: "crontabs",
      kind: "CronTab",
      namespaced: true,
      versions: [
        { name: "v1beta1", served: false, storage: false, hasStatus: false },
        { name: "v1", served: true, storage: true, hasStatus: true },
      ],
      storageVersion: "v1",
    });
  });

  it("reads v1beta1, where the subresources may stand for all versions", () => {
    const versions = [{ name: "v1", served: true, storage: true }];
    const spec = { ...SPEC, version: "v1", versions, subresources: { status: {} } };

    expect(crd({ ...CRONTABS, spec }).versions).toEqual([
      { name: "v1", served: true, storage: true, hasStatus: true },
    ]);
  });

  it("reads v1beta1 with a single version", () => {
    const spec = { ...SPEC, version: "v1alpha1", versions: undefined };

    expect(crd({ ...CRONTABS, spec })).toMatchObject({
      versions: [{ name: "v1alpha1", served: true, storage: true, hasStatus: false }],
      storageVersion: "v1alpha1",
    });
  });

  it("tells the scope", () => {
    expect(crd({ ...CRONTABS, spec: { ...SPEC, scope: "Cluster" } }).namespaced).toBe(false);
  });

  it.each<[string, unknown]>([
    ["spec.group is no domain", { ...SPEC, group: "apps" }],
    ["spec.group is no domain", null],
    ["spec.names.plural is missing", { ...SPEC, names: { kind: "CronTab" } }],
    ["spec.names.kind is missing", { ...SPEC, names: { plural: "crontabs", kind: 1 } }],
    ["spec.scope is neither Namespaced nor Cluster", { ...SPEC, scope: "namespaced" }],
    ["its name is not <plural>.<group>", { ...SPEC, names: { plural: "others", kind: "CronTab" } }],
    ["spec.names.plural is missing", { ...SPEC, names: { plural: "a/b", kind: "CronTab" } }],
    ["no version is the stored one", { ...SPEC, versions: [{ name: "v1", served: true }] }],
    ["no version is the stored one", { ...SPEC, versions: "v1" }],
  ])("refuses a CRD because %s", (why, spec) => {
    expect(readCrd(storedJson({ ...CRONTABS, spec }))).toEqual({ kind: "invalid", why });
  });

  it("refuses what is no JSON, without repeating it", () => {
    const garbage = { encoding: "json", bytes: Buffer.from("{secret") } as const;

    expect(readCrd(garbage)).toEqual({ kind: "invalid", why: "it is not JSON" });
    expect(readCrd({ ...garbage, encoding: "protobuf" })).toEqual({
      kind: "invalid",
      why: "it is not stored as JSON",
    });
  });

  it("does not take what every JavaScript object has for a field", () => {
    const json = `{"metadata":{"name":"crontabs.a.b"},"spec":{"group":"a.b","names":{"plural":"crontabs"}}}`;
    const reading = readCrd({ encoding: "json", bytes: Buffer.from(json) });

    expect(reading).toEqual({ kind: "invalid", why: "spec.names.kind is missing" });
  });
});

describe("customResource", () => {
  it("lies below its group, whatever version it is stored at", () => {
    expect(customResource(crd(CRONTABS))).toEqual({
      group: "stable.example.com",
      resource: "crontabs",
      kind: "CronTab",
      namespaced: true,
      path: "stable.example.com/crontabs",
      versions: ["v1"],
      custom: true,
    });
  });
});

function crd(json: unknown): Crd {
  const reading = readCrd(storedJson(json));
  if (reading.kind === "invalid") throw new Error(reading.why);
  return reading.crd;
}
