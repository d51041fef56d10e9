import { describe, expect, it } from "vitest";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { judge, problemsOf, rulesetOf, type Judged } from "../../../fixtures/mirror-rules.js";

const rule = (text: string): string => `filters: { secondary: [${text}] }`;
const secrets = (rest: string): string => rule(`{ resources: [{ kind: Secret }], ${rest} }`);
const matches = (yaml: string, object: Judged): boolean =>
  judge(rulesetOf(yaml), object).kind === "match";

describe("a rule's namespace", () => {
  it("is the one that it names", () => {
    const yaml = secrets("namespace: shop");

    expect(matches(yaml, { at: "secrets/shop/a" })).toBe(true);
    expect(matches(yaml, { at: "secrets/other/a" })).toBe(false);
  });

  it("may be any when it is empty", () => {
    expect(matches(secrets('namespace: ""'), { at: "secrets/other/a" })).toBe(true);
  });

  it("is selected by the labels that the Namespace has now", () => {
    const ruleset = rulesetOf(secrets("namespaceSelectors: [{ matchLabels: { env: a } }]"));
    const at = "secrets/shop/a";

    expect(ruleset.usesNamespaceSelectors).toBe(true);
    expect(judge(ruleset, { at }, { shop: { env: "a" } }).kind).toBe("match");
    expect(judge(ruleset, { at }, { shop: { env: "b" } }).kind).toBe("no");
    expect(judge(ruleset, { at }, { shop: {} }).kind).toBe("no");
  });

  it("is selected by none of the selectors when the source has no such Namespace", () => {
    const ruleset = rulesetOf(secrets("namespaceSelectors: [{}]"));

    expect(judge(ruleset, { at: "secrets/shop/a" }).kind).toBe("no");
    expect(judge(ruleset, { at: "secrets/shop/a" }, { shop: {} }).kind).toBe("match");
  });

  it("keeps cluster-scoped objects out of a rule for everything", () => {
    const ruleset = rulesetOf(rule('{ group: "*", namespaceSelectors: [{}] }'));
    const everywhere = rulesetOf(rule('{ group: "*" }'));

    expect(judge(ruleset, { at: "storageclasses/fast" }, { shop: {} }).kind).toBe("no");
    expect(judge(everywhere, { at: "storageclasses/fast" }).kind).toBe("match");
    expect(everywhere.usesNamespaceSelectors).toBe(false);
  });
});

describe("a rule's selectors", () => {
  it("match when one of the list does", () => {
    const yaml = secrets("labelSelectors: [{ matchLabels: { a: x } }, { matchLabels: { b: y } }]");

    expect(matches(yaml, { at: "secrets/shop/a", labels: { b: "y" } })).toBe(true);
    expect(matches(yaml, { at: "secrets/shop/a", labels: { a: "y" } })).toBe(false);
  });

  it("hold each of several expressions on one key", () => {
    const yaml = secrets(
      "labelSelectors: [{ matchLabels: { a: x }, matchExpressions: [{ key: a, operator: NotIn, values: [x] }] }]",
    );

    expect(matches(yaml, { at: "secrets/shop/a", labels: { a: "x" } })).toBe(false);
  });

  it("of fields match as those of labels do", () => {
    const yaml = secrets(
      "fieldSelectors: [{ matchExpressions: [{ key: type, operator: NotIn, values: [a/b] }] }]",
    );

    expect(matches(yaml, { at: "secrets/shop/a", fields: { type: "Opaque" } })).toBe(true);
    expect(matches(yaml, { at: "secrets/shop/a", fields: { type: "a/b" } })).toBe(false);
    expect(matches(yaml, { at: "secrets/shop/a" })).toBe(true);
  });
});

describe("a rule's excludes", () => {
  const SECRET = "resource: { version: v1, kind: Secret }";

  it.each([
    [`{ ${SECRET}, name: a }`, { at: "secrets/shop/a" }, true],
    [`{ ${SECRET}, name: a }`, { at: "secrets/other/a" }, true],
    [`{ ${SECRET}, name: a, namespace: shop }`, { at: "secrets/shop/a" }, true],
    [`{ ${SECRET}, name: a, namespace: shop }`, { at: "secrets/other/a" }, false],
    [`{ ${SECRET}, name: a, namespace: shop }`, { at: "secrets/shop/b" }, false],
    [`{ ${SECRET}, namespace: shop }`, { at: "secrets/shop/b" }, true],
    [`{ ${SECRET}, namespace: shop }`, { at: "configmaps/shop/b" }, false],
    ["{ namespace: shop }", { at: "configmaps/shop/b" }, true],
    [`{ ${SECRET} }`, { at: "secrets/shop/b" }, true],
    [
      `{ ${SECRET}, name: a, labelSelectors: [{ matchLabels: { x: "1" } }] }`,
      { at: "secrets/shop/a" },
      false,
    ],
    [
      `{ ${SECRET}, labelSelectors: [{ matchLabels: { x: "1" } }] }`,
      { at: "secrets/shop/a", labels: { x: "1" } },
      true,
    ],
    [`{ ${SECRET}, namespace: other }, { ${SECRET}, name: a }`, { at: "secrets/shop/a" }, true],
  ])("%s on %j: %s", (excludes, object, excluded) => {
    const ruleset = rulesetOf(
      rule(`{ resources: [{ kind: Secret }, { kind: ConfigMap }], excludes: [${excludes}] }`),
    );

    const judgement = judge(ruleset, object);

    expect(judgement.kind === "no" && judgement.why).toBe(excluded && "excluded");
  });

  it.each([
    ["namespace: shop, excludes: [{ name: a, namespace: other }]", "the namespace other"],
    ["excludes: [{ resource: { kind: ConfigMap }, name: a }]", "the rule does not name ConfigMap"],
  ])("that never apply are refused: %s", (rest, why) => {
    expect(problemsOf(secrets(rest)).join()).toContain(why);
  });

  it("hold back from their own rule only", () => {
    const ruleset = rulesetOf(
      "filters: { secondary: [{ resources: [{ kind: Secret }], excludes: [{ name: a }] }, { resources: [{ kind: Secret }], namespace: shop }] }",
    );

    expect(judge(ruleset, { at: "secrets/shop/a" })).toMatchObject({ kind: "match", rule: 1 });
    expect(judge(ruleset, { at: "secrets/other/a" })).toEqual({ kind: "no", why: "excluded" });
  });
});

describe("the order", () => {
  const ruleset = rulesetOf(
    [
      "filters:",
      "  secondary:",
      "    - { resources: [{ kind: Secret }], namespace: shop }",
      "    - { resources: [{ kind: ConfigMap }] }",
      "  sequential:",
      "    - { sequence: 2, resources: [{ kind: Secret }], labelSelectors: [{ matchLabels: { a: x } }] }",
      "    - { sequence: 1, resources: [{ kind: Namespace }] }",
      "    - { sequence: 2, resources: [{ kind: ServiceAccount }] }",
      "    - { resources: [{ kind: LimitRange }] }",
    ].join("\n"),
  );

  it("is that of sequence, then of the file, sequential rules before all others", () => {
    expect(ruleset.rules.map(({ index, order, label }) => [index, order, label])).toEqual([
      [0, 0, "sequential[3]"],
      [1, 1, "sequential[1]"],
      [2, 2, "sequential[0]"],
      [3, 3, "sequential[2]"],
      [4, 4, "secondary[0]"],
      [5, 4, "secondary[1]"],
    ]);
  });

  it("of an object is the lowest of the rules that match it", () => {
    const labels = { a: "x" };

    expect(judge(ruleset, { at: "secrets/shop/a", labels })).toMatchObject({ rule: 2, order: 2 });
    expect(judge(ruleset, { at: "secrets/shop/a" })).toMatchObject({ rule: 4, order: 4 });
  });

  it("of a resource is the lowest of the rules that could match an object of it", () => {
    const catalog = Catalog.builtin();
    const order = (kind: string) => {
      const resource = catalog.byKind("", kind);
      return resource && ruleset.orderOf(resource);
    };

    expect(["LimitRange", "Secret", "ConfigMap", "Pod"].map(order)).toEqual([0, 2, 4, undefined]);
  });
});

describe("an object with a deletionTimestamp", () => {
  it("counts as gone, if a rule would match it", () => {
    const ruleset = rulesetOf(secrets("namespace: shop"));
    const judged = (namespace: string) =>
      judge(ruleset, { at: `secrets/${namespace}/a`, deleting: true });

    expect(judged("shop")).toEqual({ kind: "no", why: "deleting" });
    expect(judged("other")).toEqual({ kind: "no", why: "no-rule" });
  });
});

describe("the hash", () => {
  const hash = (yaml: string): string => rulesetOf(yaml).hash;
  const one = secrets(
    "labelSelectors: [{ matchExpressions: [{ key: a, operator: In, values: [x, y] }] }]",
  );

  it.each([
    secrets("LabelSelectors: [{ matchExpressions: [{ operator: In, key: a, values: [y, x] }] }]"),
    secrets(
      "namespace: '', excludes: [], labelSelectors: [{ matchExpressions: [{ key: a, operator: In, values: [x, y] }] }]",
    ),
    one.replace("kind: Secret", "kind: secrets, version: v1, group: ''"),
    one.replace("{ resources", "{ via: etcd, resources"),
    `# a comment\n${one}`,
  ])("is that of the meaning, not of the spelling: %s", (other) => {
    expect(hash(other)).toBe(hash(one));
    expect(hash(one)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    one.replace("[x, y]", "[x]"),
    one.replace("In", "NotIn"),
    one.replace("Secret", "ConfigMap"),
    one.replace("{ resources", "{ namespace: shop, resources"),
    one.replace("{ resources", "{ status: mirror, resources"),
    one.replace("{ resources", "{ allow: [helm-releases], resources"),
    one.replace("{ resources", "{ excludes: [{ name: a }], resources"),
  ])("differs where the meaning does: %s", (other) => {
    expect(hash(other)).not.toBe(hash(one));
  });

  it("depends on the destination's API server where a rule reaches Services by it, and only there", () => {
    const reaching = (yaml: string, destinationApi: boolean) =>
      rulesetOf(yaml, { destinationApi }).hash;
    const core = rule('{ group: "" }');

    expect(reaching(core, true)).not.toBe(reaching(core, false));
    expect(reaching(one, true)).toBe(reaching(one, false));
  });

  it("does not depend on the order of secondary rules, but on that of sequential ones", () => {
    const [a, b] = ["{ resources: [{ kind: Secret }] }", "{ resources: [{ kind: ConfigMap }] }"];

    expect(hash(rule(`${a}, ${b}`))).toBe(hash(rule(`${b}, ${a}`)));
    expect(hash(`filters: { sequential: [${a}, ${b}] }`)).not.toBe(
      hash(`filters: { sequential: [${b}, ${a}] }`),
    );
  });
});
