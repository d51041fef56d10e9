/** docs/mirror-rules.md says what the rules do. */
import { describe, expect, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../../../sidecar/keys/builtin-resources.js";
import { ALLOW_CLASSES } from "../../../../sidecar/rules/deny.js";
import { kindDenial } from "../../../../sidecar/rules/denied-kinds.js";
import { SYSTEM_NAMESPACES } from "../../../../sidecar/rules/denied-objects.js";
import { RULE_KEYS } from "../../../../sidecar/rules/parse-rules.js";
import { OPERATORS } from "../../../../sidecar/rules/selectors.js";
import { tableRows, textOf } from "../../../fixtures/source-text.js";

const PAGE = "docs/mirror-rules.md";
const text = textOf(PAGE);
const rows = tableRows(PAGE);

describe(PAGE, () => {
  it("explains every key of a rule, every operator and every class, in their order", () => {
    expect(rows.map(([first]) => first)).toEqual([...RULE_KEYS, ...OPERATORS, ...ALLOW_CLASSES]);
  });

  it("names each kind that a class lifts beside that class", () => {
    const missing = BUILTIN_RESOURCES.filter((resource) => {
      const unlockedBy = kindDenial(resource)?.unlockedBy;
      if (unlockedBy === undefined) return false;
      const row = rows.find(([first]) => first === unlockedBy);
      return !new RegExp(`\\b${resource.kind}\\b`).test(row?.[1] ?? "");
    });

    expect(missing).toEqual([]);
  });

  it("names each kind that is never mirrored, and each namespace of the cluster", () => {
    const [, never = ""] = /Never mirrored:([^]*?)Lifted by/.exec(text) ?? [];
    const kinds = BUILTIN_RESOURCES.filter((resource) => {
      const denial = kindDenial(resource);
      return denial !== undefined && denial.unlockedBy === undefined;
    }).map(({ kind }) => kind);

    expect(kinds.length).toBeGreaterThan(8);
    expect(kinds.filter((kind) => !never.includes(kind))).toEqual([]);
    expect([...SYSTEM_NAMESPACES].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it("shows the example that the tests judge by", () => {
    const [, example] = /```yaml\n([^]*?)```/.exec(text) ?? [];

    expect(example).toBe(textOf("test/fixtures/etcd-carry-rules.yaml"));
  });
});
