/** What rules name and no CRD of the source offers: no mistake at load, since a CRD may come, but worth a word. */
import type { Catalog } from "../keys/catalog.js";
import { chooses, type KindChoice } from "./name-resolution.js";
import { names, type Rule } from "./rule.js";
import type { UnresolvedName } from "./ruleset.js";

/** Built-in names were checked at load; these are the custom ones that match nothing as things are. */
export function unresolvedNames(
  rules: readonly Rule[],
  catalog: Catalog,
): readonly UnresolvedName[] {
  return rules.flatMap((rule) => {
    const messages =
      rule.kinds === undefined
        ? [[rule.line, whyEmptyGroup(rule, catalog)] as const]
        : rule.kinds.map((kind) => [kind.line, whyNoObjects(rule, kind, catalog)] as const);
    return messages.flatMap(([line, message]) =>
      message === undefined ? [] : [{ rule: rule.index, line, message }],
    );
  });
}

function whyEmptyGroup(rule: Rule, catalog: Catalog): string | undefined {
  if (catalog.resources.some((resource) => names(rule, resource))) return undefined;
  return `${rule.label}: the source stores no CRD of the group ${rule.group.text}`;
}

function whyNoObjects(rule: Rule, kind: KindChoice, catalog: Catalog): string | undefined {
  if (kind.builtin.length > 0) return undefined;
  const found = catalog.resources.find((resource) => chooses(kind, resource));
  const name = `${kind.word}.${kind.group.text}`;
  if (found === undefined) return `${rule.label}: the source stores no CRD for ${name}`;
  if (!found.namespaced && (rule.namespace !== undefined || rule.namespaceSelectors.length > 0)) {
    return `${rule.label}: ${found.kind} is cluster-scoped, and the rule asks for namespaces`;
  }
  if (kind.version === undefined || found.versions.includes(kind.version)) return undefined;
  const versions = found.versions.join(", ");
  return `${rule.label}: ${found.kind} has no version ${kind.version}, only ${versions}; it is mirrored all the same`;
}
