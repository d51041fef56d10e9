import { describe, expect, it } from "vitest";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { judge, rulesetOf, type Judged } from "../../../fixtures/mirror-rules.js";
import { textOf } from "../../../fixtures/source-text.js";

const KIND = "test.io/namespace-kind";
const EXAMPLE = textOf("test/fixtures/etcd-carry-rules.yaml");
const NAMESPACES = { unique: { [KIND]: "unique" }, "unit-test": { [KIND]: "unit-test" } };
const opaque = { fields: { type: "Opaque" } };
const unit = { labels: { [KIND]: "unit" } };

/** What etcd-carry's example puts into the source, and what is there beside it. */
const OBJECTS: readonly Judged[] = [
  { at: "namespaces/unique", labels: NAMESPACES.unique },
  { at: "namespaces/unit-test", labels: NAMESPACES["unit-test"] },
  { at: "namespaces/default" },
  { at: "namespaces/other", labels: { [KIND]: "other" } },
  { at: "secrets/unique/influxdb", ...opaque },
  { at: "secrets/unit-test/mysql", ...opaque },
  { at: "secrets/unique/exclude-me-secret", ...opaque },
  { at: "secrets/unique/token", fields: { type: "kubernetes.io/service-account-token" } },
  { at: "configmaps/unit-test/influxdb1", ...unit },
  { at: "configmaps/unique/influxdb2", ...unit },
  { at: "configmaps/unit-test/kube-root-ca.crt" },
];

describe("the example that users of etcd-carry know", () => {
  const ruleset = rulesetOf(EXAMPLE);

  it("mirrors exactly four objects", () => {
    const matching = OBJECTS.filter(
      (object) => judge(ruleset, object, NAMESPACES).kind === "match",
    ).map(({ at }) => at);

    expect(matching).toEqual([
      "namespaces/unique",
      "namespaces/unit-test",
      "secrets/unique/influxdb",
      "configmaps/unit-test/influxdb1",
    ]);
  });

  it("says of each other object why not", () => {
    const why = OBJECTS.map((object) => judge(ruleset, object, NAMESPACES)).flatMap((judgement) =>
      judgement.kind === "no" ? [judgement.why] : [],
    );

    expect(why).toEqual([
      "no-rule",
      "no-rule",
      "no-rule",
      "excluded",
      "no-rule",
      "no-rule",
      "no-rule",
    ]);
  });

  it("copies CRDs first, then Namespaces, then the rest", () => {
    const orders = ruleset.rules.map(({ label, order, line }) => [label, order, line]);

    expect(orders).toEqual([
      ["sequential[0]", 0, 3],
      ["sequential[1]", 1, 9],
      ["secondary[0]", 2, 22],
      ["secondary[1]", 2, 44],
    ]);
  });

  it("matches CRDs however they are stored, whatever version the rule names", () => {
    const at = "apiextensions.k8s.io/customresourcedefinitions/a.test.io";
    const newer = rulesetOf(EXAMPLE.replace("v1beta1", "v1"));

    expect(judge(ruleset, { at }).kind).toBe("match");
    expect(judge(newer, { at }).kind).toBe("match");
    expect(newer.hash).toBe(ruleset.hash);
  });

  it("reads the prefixes of its four kinds and no other", () => {
    const wanted = Catalog.builtin().resources.filter((resource) => ruleset.wants(resource));

    expect(
      wanted.map(({ kind, ...resource }) => [kind, ruleset.orderOf({ kind, ...resource })]),
    ).toEqual([
      ["Namespace", 1],
      ["ConfigMap", 2],
      ["Secret", 2],
      ["CustomResourceDefinition", 0],
    ]);
  });
});
