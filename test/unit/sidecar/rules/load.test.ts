import { describe, expect, it } from "vitest";
import { readCrd } from "../../../../sidecar/keys/crd.js";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { loadRules } from "../../../../sidecar/rules/load.js";
import { crdJson, storedJson } from "../../../fixtures/crds.js";
import {
  judge,
  OPTIONS,
  problemsOf,
  rulesetOf,
  warningsOf,
} from "../../../fixtures/mirror-rules.js";

/** One secondary rule in flow style. */
const rule = (text: string): string => `filters:\n  secondary:\n    - ${text}\n`;
const kind = (group: string, name: string, version = "v1"): string =>
  rule(
    `{ group: "${group}", resources: [{ group: "${group}", version: ${version}, kind: ${name} }] }`,
  );

describe("a rules file without rules", () => {
  const EMPTY = "the rules file is empty: nothing is mirrored";
  const NO_RULES = "the rules file holds no rules: nothing is mirrored";

  it.each([
    ["", EMPTY],
    ["# nothing yet\n", EMPTY],
    ["---\n", EMPTY],
    ["null", EMPTY],
    ["filters:\n", NO_RULES],
    ["filters: {}\n", NO_RULES],
    ["{}", NO_RULES],
    ["filters:\n  sequential: []\n  secondary:\n", NO_RULES],
  ])("%j mirrors nothing and says so", (text, why) => {
    expect(loadRules(text, OPTIONS)).toEqual({ kind: "none", why });
  });
});

describe("the structure of a rules file", () => {
  it.each([
    ["- a", "1 : is not a map of keys"],
    ["filters: []", "1 filters: is not a map of keys"],
    ["filters:\n  secondary: {}", "2 filters.secondary: is not a list"],
    ["filter: {}", "1 filter: is not known here; known are filters; did you mean filters?"],
    [
      "filters:\n  secondry: []",
      "2 filters.secondry: is not known here; known are sequential, secondary; did you mean secondary?",
    ],
    ["filters:\n  secondary:\n  - a", "3 filters.secondary[0]: is not a map of keys"],
    [
      rule("{ sequence: 1, resources: [{ kind: Secret }] }"),
      "3 filters.secondary[0].sequence: has a meaning in sequential rules only",
    ],
    [
      "filters: { sequential: [{ sequence: first, resources: [{ kind: Secret }] }] }",
      "1 filters.sequential[0].sequence: is not a whole number",
    ],
    [
      rule("{ namespace: a, Namespace: b, resources: [{ kind: Secret }] }"),
      "3 filters.secondary[0].Namespace: is written twice",
    ],
    [
      rule("{ namespace: [a], resources: [{ kind: Secret }] }"),
      "3 filters.secondary[0].namespace: is not a single value",
    ],
    [
      rule('{ namespace: "*", resources: [{ kind: Secret }] }'),
      '3 filters.secondary[0].namespace: "*" is no name of a namespace; leave it out to select all',
    ],
    [
      rule("{ excludes: [{ namespace: Shop }], resources: [{ kind: Secret }] }"),
      '3 filters.secondary[0].excludes[0].namespace: "Shop" is no name of a namespace; leave it out to select all',
    ],
    [
      rule('{ excludes: [{ name: "tmp-*" }], resources: [{ kind: Secret }] }'),
      "3 filters.secondary[0].excludes[0].name: takes no wildcard; give one exclude for each name, or labelSelectors",
    ],
    [
      rule("{ namespace: a, namespaceSelectors: [{}], resources: [{ kind: Secret }] }"),
      "3 filters.secondary[0].namespaceSelectors: stands beside namespace: write one of the two",
    ],
    [
      rule("{ resources: [{ version: v1 }] }"),
      "3 filters.secondary[0].resources[0]: names no kind; leave resources out to select every kind of the group",
    ],
    [
      rule('{ resources: [{ kind: "*" }] }'),
      "3 filters.secondary[0].resources[0].kind: takes no wildcard; leave resources out to select every kind",
    ],
    [
      rule("{ via: http, resources: [{ kind: Secret }] }"),
      '3 filters.secondary[0].via: "http" is not one of etcd, api',
    ],
    [
      rule("{ status: mirrored, resources: [{ kind: Secret }] }"),
      '3 filters.secondary[0].status: "mirrored" is not one of mirror; did you mean mirror?',
    ],
    [
      rule("{ excludes: [{ name: '' }], resources: [{ kind: Secret }] }"),
      "3 filters.secondary[0].excludes[0]: excludes everything: give resource, name, namespace or labelSelectors",
    ],
    [
      rule("{ group: apps/v1, resources: [{ kind: Secret }] }"),
      '3 filters.secondary[0].group: "apps/v1" is no API group; a version goes into resources[].version',
    ],
  ])("%j is refused", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it("is YAML, or the parser's complaint is told with its line", () => {
    const [problem, ...others] = problemsOf("filters:\n  secondary: [\n");

    expect(problem).toMatch(/^3 : this is not valid YAML: /);
    expect(others).toEqual([]);
  });

  it("is read with keys in any case, as Go reads it", () => {
    const ruleset = rulesetOf(
      "FILTERS: { Secondary: [{ RESOURCES: [{ Version: v1, Kind: Secret }], LabelSelectors: [{ MatchLabels: { Key: x } }] }] }",
    );

    expect(judge(ruleset, { at: "secrets/shop/a", labels: { Key: "x" } }).kind).toBe("match");
    expect(judge(ruleset, { at: "secrets/shop/a", labels: { key: "x" } }).kind).toBe("no");
  });

  it("takes true and 1 for the texts that they become in Go, and follows anchors", () => {
    const ruleset = rulesetOf(
      [
        "filters:",
        "  secondary:",
        "    - resources: [{ kind: Secret }]",
        "      labelSelectors: &yes",
        "        - matchLabels: { a: true, b: 1 }",
        "    - resources: [{ kind: ConfigMap }]",
        "      labelSelectors: *yes",
      ].join("\n"),
    );
    const labels = { a: "true", b: "1" };

    expect(judge(ruleset, { at: "secrets/shop/a", labels }).kind).toBe("match");
    expect(judge(ruleset, { at: "configmaps/shop/a", labels }).kind).toBe("match");
    expect(judge(ruleset, { at: "configmaps/shop/a" }).kind).toBe("no");
  });

  it("does not take a reference to nothing for nothing", () => {
    expect(problemsOf(rule("{ resources: [{ kind: Secret }], labelSelectors: *none }"))).toEqual([
      "3 filters.secondary[0].labelSelectors: *none refers to no anchor before it",
    ]);
  });

  it("is one document", () => {
    expect(problemsOf("filters: {}\n---\nfilters: {}\n")[0]).toMatch(/not valid YAML/);
  });

  it("is complained of all at once, in the order of the lines", () => {
    const text = [
      "filters:",
      "  sequential:",
      "    - group: apps",
      "      resources: [{ kind: Secrt }]",
      "      labelSelector: []",
      "  secondary:",
      "    - resources:",
      "        - kind: Sercet",
      "      labelSelectors:",
      "        - matchExpressions: [{ key: a, operator: in, values: [x] }]",
      "    - group: coordination.k8s.io",
      "      resources: [{ kind: Lease }]",
    ].join("\n");

    expect(problemsOf(text).map((problem) => problem.split(":")[0])).toEqual([
      "4 filters.sequential[0].resources[0].kind",
      "5 filters.sequential[0].labelSelector",
      "8 filters.secondary[0].resources[0].kind",
      "10 filters.secondary[0].labelSelectors[0].matchExpressions[0].operator",
      "12 filters.secondary[1].resources[0].kind",
    ]);
  });
});

describe("selectors in a rules file", () => {
  const selector = (text: string): string =>
    rule(`{ resources: [{ kind: Secret }], labelSelectors: [${text}] }`);
  const PATH = "3 filters.secondary[0].labelSelectors[0]";

  it.each([
    ["{ matchExpressions: [{ operator: Exists }] }", ".matchExpressions[0]: has no key"],
    [
      "{ matchExpressions: [{ key: a }] }",
      ".matchExpressions[0]: has no operator; allowed are In, NotIn, Exists, DoesNotExist",
    ],
    [
      "{ matchExpressions: [{ key: a, operator: Exist }] }",
      '.matchExpressions[0].operator: "Exist" is no operator; allowed are In, NotIn, Exists, DoesNotExist; did you mean Exists?',
    ],
    [
      "{ matchExpressions: [{ key: a, operator: In }] }",
      ".matchExpressions[0]: In needs at least one value",
    ],
    [
      "{ matchExpressions: [{ key: a, operator: Exists, values: [x] }] }",
      ".matchExpressions[0].values: Exists takes no values",
    ],
    ['{ matchLabels: { "a b": x } }', '.matchLabels.a b: "a b" is no key of a label'],
    ["{ matchLabels: { a: x/y } }", '.matchLabels.a: "x/y" is no value of a label'],
    ["{ matchLabels: { a: } }", '.matchLabels.a: has no value; write "" for an empty one'],
    ["{ matchLabels: { a: x, a: y } }", ".matchLabels.a: is written twice"],
    [
      "{ matchlables: {} }",
      ".matchlables: is not known here; known are matchLabels, matchExpressions; did you mean matchLabels?",
    ],
  ])("%s is refused", (text, problem) => {
    expect(problemsOf(selector(text))).toEqual([`${PATH}${problem}`]);
  });

  it("may ask for a field that the kind offers", () => {
    const by = (path: string): string =>
      rule(
        `{ resources: [{ kind: Secret }], fieldSelectors: [{ matchLabels: { "${path}": x/y } }] }`,
      );

    expect(loadRules(by("type"), OPTIONS).kind).toBe("ok");
    expect(problemsOf(by("data.password"))).toEqual([
      '3 filters.secondary[0].fieldSelectors[0].matchLabels.data.password: Secret cannot be selected by "data.password", only by metadata.name, metadata.namespace, type',
    ]);
    expect(problemsOf(by("a..b"))).toEqual([
      '3 filters.secondary[0].fieldSelectors[0].matchLabels.a..b: "a..b" is no path of a field, such as type or spec.nodeName',
    ]);
  });

  it("may ask for any field where one of the kinds is stored as JSON", () => {
    const text = rule(
      '{ group: "*.test.io", fieldSelectors: [{ matchLabels: { spec.size: big } }] }',
    );

    expect(loadRules(text, OPTIONS).kind).toBe("ok");
  });
});

describe("kinds in a rules file", () => {
  it.each([
    [kind("", "Sercet"), 'the group "" (core) has no kind "Sercet"; did you mean Secret?'],
    [kind("", "Ingress"), 'Ingress is in the group networking.k8s.io, not in "" (core)'],
    [
      kind("app", "Deployment"),
      'there is no API group "app" (those of CRDs have a dot); did you mean apps?',
    ],
    [kind("", "Secret", "v1beta1"), 'can never match: Secret has no version "v1beta1", only v1'],
    [
      rule('{ group: "", resources: [{ group: apps, kind: Deployment }] }'),
      'can never match: its group is apps, the rule\'s is "" (core)',
    ],
    [
      rule('{ group: "*.test.io", resources: [{ group: test.io, kind: Cell }] }'),
      "can never match: its group is test.io, the rule's is *.test.io",
    ],
    [
      rule('{ group: "*", resources: [{ group: "*.test.io", kind: Cell }] }'),
      "takes no wildcard in its group; write it as the rule's group",
    ],
    [
      rule("{ namespace: shop, resources: [{ kind: Namespace }] }"),
      "can never match: Namespace is cluster-scoped, and the rule asks for namespaces",
    ],
    [
      rule(
        "{ namespaceSelectors: [{}], group: storage.k8s.io, resources: [{ kind: StorageClass }] }",
      ),
      "can never match: StorageClass is cluster-scoped, and the rule asks for namespaces",
    ],
  ])("%j is refused", (text, message) => {
    expect(problemsOf(text).map((problem) => problem.split(": ").slice(1).join(": "))).toContain(
      message,
    );
  });

  it("of extensions are said to have moved", () => {
    expect(problemsOf(kind("extensions", "Ingress", "v1beta1")).join()).toContain(
      "extensions is gone since Kubernetes 1.22",
    );
  });

  it.each([
    ["autoscaling", "HorizontalPodAutoscaler", "v1", "horizontalpodautoscalers/shop/a"],
    ["autoscaling", "HorizontalPodAutoscaler", "v2", "horizontalpodautoscalers/shop/a"],
    ["networking.k8s.io", "Ingress", "v1beta1", "ingress/shop/a"],
    ["", "secrets", "v1", "secrets/shop/a"],
    ["", "secret", "v1", "secrets/shop/a"],
    ["rbac.authorization.k8s.io", "Role", "v1", "roles/shop/a:b"],
  ])("%s %s %s are found whatever version is stored", (group, name, version, at) => {
    expect(judge(rulesetOf(kind(group, name, version)), { at }).kind).toBe("match");
  });

  it("without a group are the core's where the rule includes it, else the rule's", () => {
    const core = rulesetOf(rule('{ group: "*", resources: [{ kind: Secret }] }'));
    const own = rulesetOf(rule("{ group: networking.k8s.io, resources: [{ kind: Ingress }] }"));

    expect(judge(core, { at: "secrets/shop/a" }).kind).toBe("match");
    expect(judge(own, { at: "ingress/shop/a" }).kind).toBe("match");
  });

  it("without a group under a wildcard for all are not those of CRDs with the same name", () => {
    const reading = readCrd(storedJson(crdJson("serving.test.io", "secrets", "Secret")));
    if (reading.kind === "invalid") throw new Error(reading.why);
    const catalog = Catalog.builtin().withCrd(reading.crd);
    const ruleset = rulesetOf(rule('{ group: "*", resources: [{ kind: Secret }] }'));

    expect(judge(ruleset, { at: "serving.test.io/secrets/shop/a" }, {}, catalog).kind).toBe("no");
  });

  it("may be named twice, in two versions", () => {
    const both =
      "{ version: v1beta1, kind: CustomResourceDefinition }, { version: v1, kind: CustomResourceDefinition }";

    expect(
      loadRules(rule(`{ group: apiextensions.k8s.io, resources: [${both}] }`), OPTIONS).kind,
    ).toBe("ok");
  });
});

describe("custom resources in a rules file", () => {
  const catalog = Catalog.builtin().withCrds(
    ["my-app.test.io", "a.b.test.io", "test.io"].map((group) => {
      const reading = readCrd(storedJson(crdJson(group, "cells", "Cell")));
      if (reading.kind === "invalid") throw new Error(reading.why);
      return reading.crd;
    }),
  );
  const matching = (text: string): readonly string[] =>
    ["my-app.test.io", "a.b.test.io", "test.io"].filter(
      (group) =>
        judge(rulesetOf(text), { at: `${group}/cells/shop/a` }, {}, catalog).kind === "match",
    );

  it("are selected by wildcards over hyphens and dots", () => {
    expect(matching(rule('{ group: "*.test.io" }'))).toEqual(["my-app.test.io", "a.b.test.io"]);
    expect(matching(rule('{ group: "*" }'))).toHaveLength(3);
    expect(matching(rule('{ group: "my-*.test.io" }'))).toEqual(["my-app.test.io"]);
    expect(matching(rule('{ group: "*test.io" }'))).toHaveLength(3);
    expect(matching(rule('{ group: "" }'))).toEqual([]);
    expect(matching(rule('{ group: "*.test.io", resources: [{ kind: cells }] }'))).toHaveLength(2);
    expect(matching(rule('{ group: "*.test.io", resources: [{ kind: Other }] }'))).toEqual([]);
  });

  it("may be excluded by their kind", () => {
    const text = rule(
      '{ group: "*.test.io", namespace: shop, excludes: [{ resource: { group: my-app.test.io, version: v1beta1, kind: Cell } }] }',
    );

    expect(matching(text)).toEqual(["a.b.test.io"]);
  });

  it("are told when they lie in no namespace, and the rule asks for one", () => {
    const crontabs = crdJson("test.io", "zones", "Zone");
    const spec = { ...(crontabs["spec"] as object), scope: "Cluster" };
    const reading = readCrd(storedJson({ ...crontabs, spec }));
    if (reading.kind === "invalid") throw new Error(reading.why);
    const zones = rulesetOf(
      rule("{ group: test.io, namespace: shop, resources: [{ kind: Zone }] }"),
    );

    expect(zones.unresolved(Catalog.builtin().withCrd(reading.crd))).toEqual([
      {
        rule: 0,
        line: 3,
        message: "secondary[0]: Zone is cluster-scoped, and the rule asks for namespaces",
      },
    ]);
  });

  it("are told when no CRD offers them", () => {
    const ruleset = rulesetOf(
      [
        "filters:",
        "  secondary:",
        "    - { group: none.test.io, resources: [{ kind: Cell }, { kind: Other }] }",
        "    - { group: test.io, resources: [{ kind: Cell, version: v9 }] }",
        "    - { group: test.io, resources: [{ kind: Cell, version: v1 }] }",
        '    - { group: "*.none" }',
      ].join("\n"),
    );

    expect(ruleset.unresolved(catalog)).toEqual([
      { rule: 0, line: 3, message: "secondary[0]: the source stores no CRD for cell.none.test.io" },
      {
        rule: 0,
        line: 3,
        message: "secondary[0]: the source stores no CRD for other.none.test.io",
      },
      {
        rule: 1,
        line: 4,
        message: "secondary[1]: Cell has no version v9, only v1; it is mirrored all the same",
      },
      { rule: 3, line: 6, message: "secondary[3]: the source stores no CRD of the group *.none" },
    ]);
  });
});

describe("the forms that etcd-carry documents", () => {
  const namespaces =
    "filters: { sequential: [{ group: '', resources: [{ version: v1, kind: Namespace }] }]";
  const credentials = ["test.io/configuration", "repo.test.io/docker-registry"]
    .map((key) => `{ matchExpressions: [{ key: ${key}, operator: Exists }] }`)
    .join();

  it.each([
    `${namespaces}, secondary: [] }`,
    `${namespaces}, secondary: [{ group: monitoring.coreos.com, resources: [{ group: monitoring.coreos.com, version: v1, kind: PodMonitor }] }] }`,
    `${namespaces}, secondary: [{ group: '', resources: [{ version: v1, kind: ConfigMap }, { version: v1, Kind: Secret }], namespace: test1, labelSelectors: [${credentials}], excludes: [{ resource: { version: v1, kind: Secret }, name: p, namespace: test1 }] }] }`,
    `${namespaces}, secondary: [{ group: '*.test.io', namespace: test1, excludes: [{ resource: { group: app.test.io, version: v1beta1, kind: TestCell }, labelSelectors: [{ matchExpressions: [{ key: app.test.io/a, operator: In, values: ["true"] }] }] }] }] }`,
  ])("load: %s", (text) => {
    expect(loadRules(text, OPTIONS)).toMatchObject({ kind: "ok", warnings: [] });
  });
});

describe("Services", () => {
  const services = kind("", "Service");

  it("are refused without a way to the destination's API server, and it is said what to do", () => {
    expect(problemsOf(services)).toEqual([
      "3 filters.secondary[0].resources[0].kind: Service is not mirrored: a Service needs the address and port allocators of the destination's API server; give --dest-kubeconfig, and no `via: etcd`",
    ]);
  });

  it("go through the API with one", () => {
    const ruleset = rulesetOf(services, { destinationApi: true });

    expect(ruleset.rules[0]?.via).toBe("api");
    expect(judge(ruleset, { at: "services/specs/shop/web" })).toMatchObject({ via: "api" });
    expect(judge(ruleset, { at: "services/specs/default/kubernetes" })).toMatchObject({
      why: "denied",
    });
  });

  it("are refused by etcd even with one", () => {
    const text = rule("{ via: etcd, resources: [{ kind: Service }] }");

    expect(problemsOf(text, { destinationApi: true })).toHaveLength(1);
  });

  it("of a rule for a whole group are left out with a warning, or go through the API", () => {
    const text = rule('{ group: "" }');
    const without = loadRules(text, OPTIONS);

    expect(warningsOf(without).filter((warning) => warning.includes("Service is"))).toEqual([
      "line 3 secondary[0]: Service is left out: a Service needs the address and port allocators of the destination's API server; give --dest-kubeconfig, and no `via: etcd`",
    ]);
    const ruleset = rulesetOf(text, { destinationApi: true });
    expect(judge(ruleset, { at: "services/specs/shop/web" })).toMatchObject({ via: "api" });
    expect(judge(ruleset, { at: "secrets/shop/a" })).toMatchObject({ via: "etcd" });
  });

  it("are no exception for via: api, which needs the kubeconfig too", () => {
    expect(problemsOf(rule("{ via: api, resources: [{ kind: Secret }] }"))).toEqual([
      "3 filters.secondary[0]: asks for via: api, which needs --dest-kubeconfig",
    ]);
  });
});
