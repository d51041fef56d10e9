import { describe, expect, it } from "vitest";
import { parseSelectors } from "../../../../sidecar/rules/parse-selectors.js";
import {
  anyMatches,
  isLabelKey,
  matches,
  type Labels,
} from "../../../../sidecar/rules/selectors.js";
import { readYaml, type RuleProblem } from "../../../../sidecar/rules/yaml-tree.js";
import { textOf } from "../../../fixtures/source-text.js";

interface Vectors {
  readonly labels: readonly (Labels | null)[];
  readonly vectors: readonly {
    readonly selector: unknown;
    readonly matches?: string;
    readonly invalid?: true;
  }[];
}

/** What k8s.io/apimachinery said, recorded by test/controlplane/selectorvectors. */
const RECORDED = JSON.parse(textOf("test/fixtures/selector-vectors.json")) as Vectors;

describe("label selectors", () => {
  it("mean what apimachinery says, each selector on each set of labels", () => {
    const different = RECORDED.vectors.filter(
      ({ selector, ...recorded }) => judged(selector) !== (recorded.matches ?? "invalid"),
    );

    expect(RECORDED.vectors.length).toBeGreaterThan(150);
    expect(RECORDED.vectors.filter(({ invalid }) => invalid)).toHaveLength(18);
    expect(different).toEqual([]);
  });

  it.each([
    ["In", "match", true],
    ["In", "mismatch", false],
    ["In", undefined, false],
    ["NotIn", "match", false],
    ["NotIn", "mismatch", true],
    ["NotIn", undefined, true],
    ["Exists", "anything", true],
    ["Exists", undefined, false],
    ["DoesNotExist", "anything", false],
    ["DoesNotExist", undefined, true],
  ] as const)("%s on a label that is %s: %s", (operator, value, expected) => {
    const values = operator.endsWith("In") ? ["match"] : [];
    const labels = value === undefined ? {} : { key: value };

    expect(matches([{ key: "key", operator, values }], labels)).toBe(expected);
  });

  it("have keys whose domain is at most 253 characters", () => {
    const domain = `${"a.".repeat(126)}a`;

    expect(isLabelKey(`${domain}/x`)).toBe(true);
    expect(isLabelKey(`${domain}a/x`)).toBe(false);
  });

  it("match everything when there are none, or when one is empty", () => {
    expect(anyMatches([], {})).toBe(true);
    expect(anyMatches([[]], {})).toBe(true);
  });

  it("do not find in labels what every JavaScript object has", () => {
    expect(matches([{ key: "constructor", operator: "Exists", values: [] }], {})).toBe(false);
  });
});

function judged(selector: unknown): string {
  const problems: RuleProblem[] = [];
  const node = readYaml(JSON.stringify([selector]), problems);
  const [parsed = []] = parseSelectors(node, "labels");
  if (problems.length > 0) return "invalid";
  return RECORDED.labels.map((labels) => (matches(parsed, labels ?? {}) ? "1" : "0")).join("");
}
