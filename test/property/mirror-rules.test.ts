import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Catalog } from "../../sidecar/keys/catalog.js";
import type { Judgement } from "../../sidecar/rules/ruleset.js";
import { ALLOW_CLASSES } from "../../sidecar/rules/deny.js";
import { objectAt, rulesetOf, type Judged } from "../fixtures/mirror-rules.js";

const catalog = Catalog.builtin();
const NAMESPACES = { labels: (name: string) => (name === "shop" ? { env: "a" } : undefined) };

const value = fc.constantFrom("x", "y");
const expression = fc.oneof(
  fc.record({
    key: value,
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.array(value, { minLength: 1 }),
  }),
  fc.record({ key: value, operator: fc.constantFrom("Exists", "DoesNotExist") }),
);
const selectors = fc.array(
  fc.record({ matchExpressions: fc.array(expression, { maxLength: 2 }) }),
  { maxLength: 2 },
);
const rule = fc.record(
  {
    group: fc.constantFrom("", "*"),
    resources: fc.subarray([{ kind: "Secret" }, { kind: "ConfigMap" }, { kind: "ServiceAccount" }]),
    labelSelectors: selectors,
    excludes: fc.array(fc.record({ name: fc.constantFrom("a", "b") }), { maxLength: 1 }),
    allow: fc.subarray([...ALLOW_CLASSES]),
    namespace: fc.constantFrom("", "shop", "default"),
  },
  { requiredKeys: ["group"] },
);
const rules = fc.record({
  sequential: fc.array(rule, { maxLength: 3 }),
  secondary: fc.array(rule, { minLength: 1, maxLength: 3 }),
});
const object: fc.Arbitrary<Judged> = fc.record({
  at: fc.constantFrom(
    "secrets/shop/a",
    "secrets/default/b",
    "configmaps/shop/b",
    "configmaps/shop/kube-root-ca.crt",
    "serviceaccounts/shop/default",
    "namespaces/shop",
    "pods/shop/a",
    "leases/shop/a",
  ),
  labels: fc.dictionary(value, value, { maxKeys: 2 }),
});

describe("a ruleset", () => {
  it("matches what one of its rules alone would match, at the lowest order of those", () => {
    fc.assert(
      fc.property(rules, object, (filters, judged) => {
        const ruleset = rulesetOf(JSON.stringify({ filters }));
        const alone = ruleset.rules.filter(({ label }) =>
          isMatch(judgeBy({ secondary: [ruleAt(filters, label)] }, judged)),
        );

        const together = judgeBy(filters, judged);

        expect(together.kind === "match" ? together.order : undefined).toBe(alone[0]?.order);
      }),
      { numRuns: 500 },
    );
  });

  it("matches nothing of a resource that it does not want, nothing below the order it names", () => {
    fc.assert(
      fc.property(rules, object, (filters, judged) => {
        const ruleset = rulesetOf(JSON.stringify({ filters }));
        const { key } = objectAt(judged, catalog);

        const judgement = judgeBy(filters, judged);

        if (judgement.kind !== "match") return;
        expect(ruleset.wants(key.resource)).toBe(true);
        expect(judgement.order).toBeGreaterThanOrEqual(ruleset.orderOf(key.resource) ?? Infinity);
      }),
      { numRuns: 500 },
    );
  });

  it("never matches a Lease or the source's certificate authority, whatever it allows", () => {
    const denied = fc.constantFrom("leases/shop/a", "configmaps/shop/kube-root-ca.crt");
    fc.assert(
      fc.property(rules, denied, (filters, at) => {
        expect(isMatch(judgeBy(filters, { at }))).toBe(false);
      }),
    );
  });
});

type Filters = { readonly [section: string]: readonly unknown[] };

function judgeBy(filters: Filters, judged: Judged): Judgement {
  const { key, object } = objectAt(judged, catalog);
  return rulesetOf(JSON.stringify({ filters })).judge(key, object, NAMESPACES);
}

function isMatch({ kind }: Judgement): boolean {
  return kind === "match";
}

/** @param label "sequential[0]" */
function ruleAt(filters: Filters, label: string): unknown {
  const [, section = "", index = ""] = /^(\w+)\[(\d+)\]$/.exec(label) ?? [];
  return filters[section]?.[Number(index)];
}
