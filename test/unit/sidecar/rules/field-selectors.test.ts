import { describe, expect, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../../../sidecar/keys/builtin-resources.js";
import { anyFieldsMatch, selectablePaths } from "../../../../sidecar/rules/field-selectors.js";
import type { Operator } from "../../../../sidecar/rules/selectors.js";
import { envelope, field, json, object } from "../../../fixtures/wire/values.js";

const SECRET = object(
  envelope("v1", "Secret", [field(1, [field(1, "a"), field(3, "shop")]), field(3, "Opaque")]),
);
const CELL = json(
  '{"apiVersion":"test.io/v1","kind":"Cell","metadata":{"name":"a","namespace":"shop"},"spec":{"size":"big","count":3,"list":[1],"none":null}}',
);

describe("field selectors", () => {
  it.each<[string, Operator, readonly string[], boolean]>([
    ["type", "In", ["Opaque"], true],
    ["type", "NotIn", ["Opaque"], false],
    ["type", "NotIn", ["kubernetes.io/service-account-token"], true],
    ["metadata.name", "In", ["a"], true],
    ["metadata.namespace", "In", ["other"], false],
  ])("read %s %s %j of a Secret as it is stored", (key, operator, values, expected) => {
    expect(anyFieldsMatch([[{ key, operator, values }]], SECRET)).toBe(expected);
  });

  it.each<[string, Operator, readonly string[], boolean]>([
    ["spec.size", "In", ["big"], true],
    ["spec.count", "In", ["3"], true],
    ["spec.missing", "NotIn", ["x"], true],
    ["spec.missing", "In", ["x"], false],
    ["spec.missing", "DoesNotExist", [], true],
    ["spec.missing", "Exists", [], false],
    ["spec.none", "In", [""], true],
    ["spec.list", "Exists", [], false],
    ["spec", "Exists", [], false],
    ["metadata.name", "In", ["a"], true],
  ])("read %s %s %j of a custom resource", (key, operator, values, expected) => {
    expect(anyFieldsMatch([[{ key, operator, values }]], CELL)).toBe(expected);
  });

  it("match when one of the list does, and each of its requirements", () => {
    const big = { key: "spec.size", operator: "In", values: ["big"] } as const;
    const four = { key: "spec.count", operator: "In", values: ["4"] } as const;

    expect(anyFieldsMatch([[big, four]], CELL)).toBe(false);
    expect(anyFieldsMatch([[four], [big]], CELL)).toBe(true);
    expect(anyFieldsMatch([], CELL)).toBe(true);
  });

  it("may ask anything of the built-in kinds that are stored as JSON, and of no other", () => {
    const open = BUILTIN_RESOURCES.filter((resource) => selectablePaths(resource) === "any");

    expect(open.map(({ kind }) => kind)).toEqual(["CustomResourceDefinition", "APIService"]);
  });
});
